"""What each facility is told when a consent is published: its own patient, and everybody it is shared with.

NETWORK.md F061-F063, F065
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.provisions import STOPPED, concerns, exceptions, reason_of
from fhir_server.network.consent_form.rows import Party
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import REGIONAL_ID, key
from fhir_server.network.notices import Kind, communication
from fhir_server.network.notices.kinds import one_line
from fhir_server.search.types.string import REPRESENTATION

_NUMBERS: Final = "urn:oid:1.2.392.100495.20.3.51."


def letters(
    desk: Desk, golden: Resource, consent: Resource, parties: Sequence[Party], times: Mapping[str, str], *, before: Mapping[str, str]
) -> list[Resource]:
    """Make the notices of a publication: the first one to whom it is new, the second to those who shared `before` (F062, F063).

    `times` are all facilities that share now, with their 公開日時. The event is the newest of them: each facility is told once.
    """
    stopped = {organization for each in exceptions(consent) if reason_of(each) == STOPPED for organization in concerns(each)}
    sharing = [each for each in parties if each.organization in times and each.organization not in stopped]
    facilities = "\n".join(_line(each, times[each.organization], desk.terms.zone) for each in sharing)
    event = f"Consent/{consent['id']}|{max(times.values())}"
    made = []
    for each in sharing:
        assert each.patient is not None
        kind = Kind.ADDED if each.organization in before else Kind.PUBLISHED
        facts = {**_facts(golden, each.patient), "own": each.name, "facilities": facilities}
        about = (f"Consent/{consent['id']}", key(golden))
        made.append(communication(desk, each.organization, kind, facts, event=event, about=about))
    return made


def _line(party: Party, published: str, zone: tzinfo) -> str:
    assert party.linked is not None
    at = shown(datetime.fromisoformat(published), zone)
    return f"\u3000{one_line(party.name)}\u3000公開日時：{at}\u3000名寄せ日時：{shown(party.linked, zone)}"


def shown(moment: datetime, zone: tzinfo) -> str:
    """Write a moment as people read it: 2026/04/01 10:05."""
    return moment.astimezone(zone).strftime("%Y/%m/%d %H:%M")


def _facts(golden: Resource, patient: Resource) -> dict[str, str]:
    names = patient.get("name", ())
    kana: Mapping[str, Any] = next((each for each in names if _is_kana(each)), {})
    written = next((each for each in names if not _is_kana(each)), kana)
    return {
        "regional_id": _number(golden, REGIONAL_ID),
        "facility_id": _number(patient, _NUMBERS),
        "name": _text(written),
        "kana": _text(kana),
        "birth_date": str(patient.get("birthDate", "")).replace("-", "/"),
    }


def _number(patient: Resource, system: str) -> str:
    """The number of this system, else the first one that is not the network's."""
    found = [each for each in patient.get("identifier", ()) if "value" in each]
    fitting = [each for each in found if str(each.get("system", "")).startswith(system)]
    return str((fitting or [each for each in found if each.get("system") != REGIONAL_ID] or [{"value": ""}])[0]["value"])


def _is_kana(name: Mapping[str, Any]) -> bool:
    return any(each.get("url") == REPRESENTATION and each.get("valueCode") == "SYL" for each in name.get("extension", ()))


def _text(name: Mapping[str, Any]) -> str:
    parts = [name.get("family"), *name.get("given", ())]
    return "\u3000".join(str(part) for part in parts if part) or str(name.get("text", ""))
