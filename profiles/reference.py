"""References as they are written: literal, versioned, absolute, by urn, contained.

https://hl7.org/fhir/R4/references.html#literal
"""

import re
from dataclasses import dataclass

_LITERAL = re.compile(
    r"(?P<base>[a-z][a-z0-9+.\-]*://\S+/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9.\-]{1,64}))?(?P<fragment>#\S*)?"
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A reference by type and id. `base` is the other server's address with its last slash, "" where relative."""

    type: str
    id: str
    version: str | None = None
    base: str = ""

    @property
    def relative(self) -> str:
        """`Type/id`, without base and version."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Urn:
    """A reference by `urn:uuid:` or `urn:oid:`: it means an entry of the same Bundle by its fullUrl."""

    urn: str


@dataclass(frozen=True, slots=True)
class Contained:
    """A reference to a resource inside the same resource; id "" means the container itself."""

    id: str


@dataclass(frozen=True, slots=True)
class Conditional:
    """A search in place of a reference, as transactions allow: `Patient?identifier=...`."""

    type: str
    query: str


Parsed = Literal | Urn | Contained | Conditional | None


def parse(reference: str) -> Parsed:
    """Take a reference apart; None where it is some other address, such as a web page."""
    if reference.startswith("#"):
        return Contained(reference[1:])
    if reference.startswith(("urn:uuid:", "urn:oid:")):
        return Urn(reference)
    found = _LITERAL.fullmatch(reference)
    if found is not None:
        return Literal(found["type"], found["id"], found["version"], found["base"] or "")
    type, mark, query = reference.partition("?")
    if mark and type.isalpha() and type[0].isupper():
        return Conditional(type, query)
    return None
