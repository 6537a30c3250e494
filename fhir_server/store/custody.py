"""In whose custody a resource is, and which other facilities may read it: entries that only the store writes.

    _custodian=Organization/a   the facility whose data it is, or the network's own organization
    _reader=Organization/b      a facility that the patients' plain policies let read it (fhir_server.consent.register)
    _barred=Organization/c      a facility that they exclude by name
    _about=Patient/x            a patient it tells of, where the lead parameter does not say so; _about=* where it tells of several

No search parameter has these names, so no body can make such an entry. The custodian is shown as a tag of the resource;
what a client sends as that tag is dropped. docs/decisions/0022-custody.md
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.search.entries import ABOUT, SEVERAL
from fhir_server.search.expression import EQUALS, Entries

CUSTODIAN: Final = "_custodian"
READER: Final = "_reader"
BARRED: Final = "_barred"
TAG_SYSTEM: Final = "urn:tsunagi:custodian"
NETWORK: Final = "Organization/network"
"""The network's own organization: in its custody is what it writes itself."""
SHARED_BY_NETWORK: Final = frozenset({"Patient", "Consent"})
"""What the network keeps of a patient and facilities may see: who she is, and what she allows; not how that was decided (C40)."""

_ABOUT = ABOUT + EQUALS


@dataclass(frozen=True, slots=True)
class Custody:
    """Whose a resource is: `custodian`, `readers` and `barred` are "Organization/1"; `about` are patients that it tells of
    beside those its own entries name.
    """

    custodian: str | None = None
    readers: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def entries(self) -> list[str]:
        """What the resource is found by."""
        found = [] if self.custodian is None else [CUSTODIAN + EQUALS + self.custodian, *_tag_entries(self.custodian)]
        found += [READER + EQUALS + each for each in self.readers]
        found += [BARRED + EQUALS + each for each in self.barred]
        return found + about_entries(self.about)


NOBODYS: Final = Custody()


def about_entries(patients: Sequence[str]) -> list[str]:
    """The entries of what tells of these patients."""
    return [_ABOUT + each for each in patients] + ([_ABOUT + SEVERAL] if len(patients) > 1 else [])


def in_custody(entries: Entries, custodian: str | None) -> Entries:
    """Give the entries as they will be stored for this custodian."""
    return entries if custodian is None else replace(entries, entries=(*entries.entries, *Custody(custodian).entries))


def subjects(entries: Entries, key: str) -> tuple[str, ...]:
    """Give every patient that a resource tells of: "Patient/1"; a Patient tells of itself."""
    if key.startswith("Patient/"):
        return (key,)
    about = tuple(each[len(_ABOUT) :] for each in entries.entries if each.startswith(_ABOUT) and each != _ABOUT + SEVERAL)
    if about:
        return about
    return entries.patients or ((entries.patient,) if entries.patient is not None and entries.patient != SEVERAL else ())


def whose(stored: Mapping[str, Any]) -> tuple[str, ...]:
    """Give every patient that a stored document tells of."""
    several = stored.get("w")
    if several is not None:
        return tuple(several)
    patient = stored.get("p")
    return (patient,) if patient is not None else ()


def of_readers(stored: Mapping[str, Any]) -> Custody:
    """Read the custody of a stored document."""
    named: dict[str, tuple[str, ...]] = {}
    for name in (READER, BARRED):
        named[name] = tuple(each[len(name) + 1 :] for each in stored.get("e", ()) if each.startswith(name + EQUALS))
    of_context = tuple(stored.get("w", ())) if stored["_id"].startswith("Binary/") else ()
    return Custody(stored.get("f"), named[READER], named[BARRED], of_context)


def tagged(meta: Mapping[str, Any], custodian: str | None) -> dict[str, Any]:
    """Give a meta with the tag of the custodian, and none that a client has sent."""
    tags = [tag for tag in meta.get("tag", ()) if not _is_ours(tag)]
    if custodian is not None:
        tags.append({"system": TAG_SYSTEM, "code": custodian.partition("/")[2]})
    rest = {name: value for name, value in meta.items() if name != "tag"}
    return {**rest, "tag": tags} if tags else rest


def untagged(resource: Resource) -> Resource:
    """Give the resource without tags of custody: whose it is, is not the sender's to say (S31)."""
    meta = resource.get("meta")
    if not isinstance(meta, dict) or not isinstance(meta.get("tag"), list) or not any(map(_is_ours, meta["tag"])):
        return resource
    bare = tagged(meta, None)
    return {**resource, "meta": bare} if bare else {name: value for name, value in resource.items() if name != "meta"}


def _is_ours(tag: Any) -> bool:
    return isinstance(tag, dict) and tag.get("system") == TAG_SYSTEM


def _tag_entries(custodian: str) -> list[str]:
    code = custodian.partition("/")[2]
    return [f"_tag{EQUALS}{TAG_SYSTEM}|{code}", f"_tag{EQUALS}{code}"]
