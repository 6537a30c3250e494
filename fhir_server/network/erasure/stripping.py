"""What tells of others too, and of the erased only in one of its parts, stays without that part.

NETWORK.md D8. A link of a Patient, a member of a Group, an entry of a List, an item of a Linkage, who agreed for a Consent, a target of a Provenance:
without it the rest means the same of the others. Everything else that tells of several patients goes whole (`store.erasing`).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import key, version
from fhir_server.search.expression import Has, Or
from fhir_server.store.repository import Changed
from profiles import json

_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "Consent": {"performer": "consentor"},
    "Group": {"member": "member"},
    "Linkage": {"item": "item"},
    "List": {"entry": "item"},
    "Patient": {"link": "link"},
    "Provenance": {"target": "target", "entity": "entity"},
}
"""By type: the repeating elements that may go, with the search parameter that finds what they name."""
_REQUIRED: Final = frozenset({"Linkage.item", "Provenance.target"})
_MOST: Final = 1000
_ATTEMPTS: Final = 3


async def strip(desk: Desk, patients: Sequence[str]) -> None:
    """Take the parts that name these patients ("Patient/1") out of what can be without them."""
    naming = re.compile(rf"(?<![A-Za-z0-9\-.])(?:{'|'.join(map(re.escape, patients))})(?![A-Za-z0-9\-.])")
    for type, parts in _PARTS.items():
        asked = Or(tuple(Has(code, patient) for code in parts.values() for patient in patients))
        seen: set[str] = set()
        while found := [each for each in await desk.find(type, asked, _MOST) if key(each) not in seen]:
            seen |= {key(each) for each in found}
            for each in found:
                if key(each) not in patients:
                    await _stripped(desk, each, naming)


async def _stripped(desk: Desk, resource: Resource, naming: re.Pattern[str]) -> None:
    for _ in range(_ATTEMPTS):
        rest = _without(resource, naming)
        if rest is None:
            return
        try:
            await desk.store(rest, versions={key(resource): version(resource)})
            return
        except Changed:
            again = await desk.read(key(resource))
            if again is None:
                return
            resource = again


def _without(resource: Resource, naming: re.Pattern[str]) -> Resource | None:
    """Give the resource without the parts that name the patients; None where the rest names them still, or means nothing."""
    type = resource["resourceType"]
    rest = dict(resource)
    for element in _PARTS[type]:
        kept = [each for each in resource.get(element, ()) if not _names(each, naming)]
        if not kept and (f"{type}.{element}" in _REQUIRED):
            return None
        rest[element] = kept
    rest = {name: value for name, value in rest.items() if value != []}
    return None if _names({**rest, "id": ""}, naming) or rest == resource else rest


def _names(part: Any, naming: re.Pattern[str]) -> bool:
    return naming.search(json.encode(part).decode()) is not None
