"""An interaction free of HTTP: what was asked, what is answered, and one version of a resource.

https://hl7.org/fhir/R4/http.html
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

Resource: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that is no FHIR resource: its media type, and its bytes as they come, which can be read once."""

    content_type: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that is sent piece by piece: its media type, its length in bytes, and what gives exactly so many."""

    content_type: str
    length: int
    chunks: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class FhirRequest:
    """One interaction as asked.

    `interaction` is a code of https://hl7.org/fhir/R4/valueset-restful-interaction.html (`read`, `search-type`, ...).
    `parameters` are the query's (name, value) pairs, percent-decoded, in their order. `body` is the decoded resource,
    still unvalidated, or the Raw content of a Binary. `headers` holds only those that FHIR gives a meaning: `if-match`, `if-none-match`,
    `if-none-exist`, `if-modified-since`, `prefer` (lower case, raw values).
    `base` is the address that links of the answer start with, without a trailing slash. `fresh` says that the sender
    knows of nothing stored of what it puts: a hint that saves looking first, never trusted. `operation` is an operation's
    name without the $, `by_get` tells that GET or HEAD asks for it; `compartment` is `Patient/1` in a search of what belongs
    to that patient. `trace` is the id that logs and the audit trail know the request by.
    """

    interaction: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    parameters: Sequence[tuple[str, str]] = ()
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    fresh: bool = False
    operation: str | None = None
    compartment: str | None = None
    by_get: bool = False
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one resource as it is stored.

    `body` is the exact JSON (UTF-8) to serve, with id, meta.versionId and meta.lastUpdated inside; None where this
    version is a deletion. `updated` is UTC with milliseconds. `method` is the HTTP verb that made it. `change` tells
    what a commit did: "created", "updated", "unchanged", "deleted"; None where it was only read.
    """

    type: str
    id: str
    version: int
    updated: datetime
    body: bytes | None
    method: str = "PUT"
    change: str | None = None
    patients: tuple[str, ...] = ()
    custodian: str | None = None

    @property
    def reference(self) -> str:
        """The literal reference `Type/id`."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class FhirResponse:
    """The answer to one interaction.

    `body` is JSON (UTF-8) ready to send, or None. `version` is given where one resource is the subject: ETag,
    Last-Modified and Location follow from it. `location` asks for a Location header (create, update that created).
    `versions` are what a write of several resources left, in the order of its entries: for callers inside the process.
    `content` takes the place of `body` where a Binary is answered: as it is, or as JSON that is too long for one piece.
    """

    status: int
    body: bytes | None = None
    version: Version | None = None
    location: bool = False
    headers: Sequence[tuple[str, str]] = ()
    versions: Sequence[Version] = ()
    content: Content | None = None
