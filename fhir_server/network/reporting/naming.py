"""Names of facilities, people and patients, looked up together for a report."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fhir_server.audit.reports.access import Names
from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.search.types.string import REPRESENTATION
from profiles import json

_NAMED: Final = ("Organization/", "Practitioner/", "Patient/")
_TOGETHER: Final = 500


def naming(desk: Desk) -> Names:
    """Give what looks up names with the network's own eyes; what is gone has none."""

    async def names(references: Sequence[str]) -> Mapping[str, str]:
        wanted = [each for each in references if each.startswith(_NAMED)]
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _TOGETHER):
            for version in await desk.everything.get_several(wanted[start : start + _TOGETHER]):
                found[version.reference] = name_of(json.decode(version.body or b"{}"))
        return {reference: name for reference, name in found.items() if name}

    return names


def name_of(resource: Resource) -> str:
    """Give the name as people write it: 漢字 before カナ; empty where there is none."""
    name = resource.get("name")
    if isinstance(name, str):
        return name
    names = [each for each in name if isinstance(each, dict)] if isinstance(name, list) else []
    best: Mapping[str, Any] = next((each for each in names if not _is_kana(each)), names[0] if names else {})
    parts = [best.get("family"), *best.get("given", ())]
    return " ".join(str(part) for part in parts if part) or str(best.get("text", ""))


def _is_kana(name: Mapping[str, Any]) -> bool:
    return any(each.get("url") == REPRESENTATION and each.get("valueCode") == "SYL" for each in name.get("extension", ()))
