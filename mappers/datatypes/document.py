"""The document being mapped: what every segment needs to know, and where its results go.

Ids are deterministic: a version 5 UUID over facility, type and business key. The same file gives the same ids wherever and
whenever it is mapped, two hospitals never share one, and no patient number can be read from them.

There are two sorts of results. *Home* resources belong to this document alone: its next version replaces them, its
deletion removes them. *Shared* resources (the hospital, a doctor, a ward, the patient as other documents know him) are only
created where they are absent, so that no order of messages lets a stub overwrite better knowledge.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final, TypeAlias
from uuid import UUID

from mappers.file_name import FileName, document_key
from mappers.hl7v2.message import Message, Segment

UNUSED: Final = "SS-MIX2 で使用しない項目 (a field that SS-MIX2 does not use)"

Resource: TypeAlias = dict[str, Any]

NAMESPACE: Final = UUID("f5effd94-18b0-563f-874f-a59b3017555d")
"""The namespace of all ids that the mappers give; changing it would orphan everything imported so far."""


_HASH: Final = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def _uuid(text: str) -> str:
    """Give the version 5 UUID of a name in our namespace, like `uuid.uuid5` but several times as fast."""
    hashed = _HASH.copy()
    hashed.update(text.encode())
    digits = hashed.hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"


@dataclass(frozen=True, slots=True)
class Facility:
    """The hospital whose storage is read. `code` is its 10-digit 医療機関コード (prefecture, fee table, institution)."""

    code: str
    name: str | None = None

    def system(self, what: str) -> str:
        """Give the URN of an identifier system that only this facility uses, e.g. of its order numbers."""
        return f"urn:tsunagi:{self.code}:{what}"

    def id(self, type: str, *key: str) -> str:
        """Give the logical id of the resource that this business key names at this facility."""
        return _uuid("|".join((self.code, type, *key)))

    @property
    def patient_numbers(self) -> str:
        """The system of this hospital's patient numbers (JP Core: OID with the institution's code)."""
        return f"urn:oid:1.2.392.100495.20.3.51.1{self.code}"

    @property
    def practitioner_numbers(self) -> str:
        """The system of this hospital's staff numbers."""
        return f"urn:oid:1.2.392.100495.20.3.41.1{self.code}"


@dataclass(frozen=True, slots=True)
class MappingIssue:
    """Something of a message that was not, or not simply, mapped.

    `severity` is `information` or `warning`. `field` is like `PID-11`, "" for a whole segment. `text` never repeats a value.
    """

    severity: str
    segment: str
    field: str
    text: str


class Document:
    """One message on its way to resources."""

    __slots__ = ("_entries", "_issues", "_seen", "facility", "home", "key", "message", "name", "organization", "patient", "source")

    def __init__(self, message: Message, name: FileName, facility: Facility) -> None:
        self.message = message
        self.name = name
        self.facility = facility
        self.key = document_key(name)
        self._issues: dict[tuple[str, str, str], MappingIssue] = {}
        self.home: list[str] = []
        self._entries: list[Resource] = []
        self._seen: set[str] = set()
        self.patient: Resource = {"reference": f"Patient/{self.shared_id('Patient', name.patient_id)}"}
        self.organization: Resource = {"reference": f"Organization/{self.shared_id('Organization')}"}
        profile = "".join(message.msh.first(21)[1].split()) or "SS-MIX2"  # MSH-21 メッセージプロファイル識別子
        self.source = f"http://jpfhir.jp/ssmix2std/{profile}/1{facility.code}"

    def shared_id(self, type: str, *key: str) -> str:
        """Give the id of a resource that many documents speak of, or that is found by its business key alone."""
        return self.facility.id(type, *key)

    def home_id(self, type: str, *key: str) -> str:
        """Give the id of a resource that belongs to this document; equal keys are numbered in their order."""
        base = "|".join((type, self.key, *key))
        text, count = base, 1
        while text in self._seen:
            count += 1
            text = f"{base}|{count}"
        self._seen.add(text)
        return self.facility.id(text)

    def add_home(self, resource: Resource) -> Resource:
        """Take a resource of this document; give a reference to it. Its meta.source names the sender's store."""
        meta = {"source": self.source, **resource.get("meta", {})}
        first = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta}
        return self._add({**first, **resource, "meta": meta}, self.home)

    def add_shared(self, resource: Resource) -> Resource:
        """Take a resource to create where it is absent; give a reference to it."""
        return self._add(resource, None)

    def _add(self, resource: Resource, home: list[str] | None) -> Resource:
        url = f"{resource['resourceType']}/{resource['id']}"
        if url not in self._seen:
            self._seen.add(url)
            request = {"method": "PUT", "url": url}
            if home is None:
                request["ifNoneMatch"] = "*"
            else:
                home.append(url)
            self._entries.append({"fullUrl": full_url(url), "resource": resource, "request": request})
        return {"reference": url}

    def holds(self, reference: str) -> bool:
        """Tell whether this document has already taken the resource `Type/id`."""
        return reference in self._seen

    @property
    def entries(self) -> list[Resource]:
        """The transaction's entries: what others refer to comes first."""
        return sorted(self._entries, key=lambda entry: "ifNoneMatch" not in entry["request"])

    @property
    def issues(self) -> tuple[MappingIssue, ...]:
        """What was not, or not simply, mapped: once for each field and reason."""
        return tuple(self._issues.values())

    def warn(self, field: str, text: str) -> None:
        """Record a warning about a field such as `PID-5`, or about the whole file where the field is ""."""
        self._note("warning", field, text)

    def inform(self, field: str, text: str) -> None:
        """Record, for information, that a field such as `PID-5`, or a segment, was left out."""
        self._note("information", field, text)

    def account(self, segment: Segment, used: frozenset[int], reasons: Mapping[str, str]) -> None:
        """Record every field of a segment that is filled and not among those used, with the reason why it is left out."""
        for number, value in enumerate(segment.fields):
            if value and number and number not in used:
                field = f"{segment.name}-{number}"
                self._note("information", field, reasons.get(field, UNUSED))

    def _note(self, severity: str, field: str, text: str) -> None:
        key = (severity, field, text)
        if key not in self._issues:
            segment = field.partition("-")[0]
            self._issues[key] = MappingIssue(severity, segment, field if "-" in field else "", text)


def full_url(reference: str) -> str:
    """Give an entry's fullUrl. The ids are UUIDs already, so no server's address is needed."""
    return f"urn:uuid:{reference.rpartition('/')[2]}"
