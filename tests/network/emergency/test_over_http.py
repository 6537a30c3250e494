"""Emergencies, disasters, erasure and explanations as they are asked for over HTTP, with every guard in between."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fhir_server.audit.found_by import Filter
from fhir_server.auth.roles import Role
from tests.access.secured import ask, requester, secured, stranger
from tests.access.sharing import NETWORK, SECRETARY, consent, facility, network, physician, write
from tests.rest.served import patient

__all__ = ["ask", "secured", "stranger"]

SECOND = replace(SECRETARY, subject="s2", fhir_user="Practitioner/s2")
FIRST = replace(SECRETARY, subject="s1")
BTG = {"Purpose-Of-Use": "BTG"}
ETREAT = {"Purpose-Of-Use": "ETREAT"}


def body(**given: Any) -> dict[str, Any]:
    """Parameters, each under its name: (element, value)."""
    return {"resourceType": "Parameters", "parameter": [{"name": name, element: value} for name, (element, value) in given.items()]}


WHY = {
    "purpose": ("valueCode", "BTG"),
    "reasonCode": ("valueCode", "life-and-body"),
    "reason": ("valueString", "意識がなく、同意を得られない"),
}


async def results(ask, who, headers=None) -> set[str]:
    """The results that are found by a search, each of which a read gives too."""
    found = (await ask(who, "GET", "/Observation", headers=headers or {})).json()
    ids = {each["resource"]["id"] for each in found.get("entry", ())}
    for id in ("lab-a1", "lab-b1", "lab-c1"):
        assert (await ask(who, "GET", f"/Observation/{id}", headers=headers or {})).status_code == (200 if id in ids else 404)
    return ids


async def test_d09_f025_break_glass_opens_for_the_declared_purpose_only_and_ends_at_once_when_it_is_ended(secured, ask):
    await network(secured)
    b = physician("B")
    assert await results(ask, b, BTG) == {"lab-b1"}
    without = {name: value for name, value in WHY.items() if name != "reason"}
    assert (await ask(b, "POST", "/$emergency-access", json=body(**without))).status_code == 403
    opened = await ask(b, "POST", "/$emergency-access", json=body(**WHY))
    assert opened.status_code == 200, opened.text
    assert await results(ask, b, BTG) == {"lab-a1", "lab-b1", "lab-c1"}
    assert await results(ask, b) == {"lab-b1"}
    assert (await ask(b, "POST", "/$end-emergency-access", json={"resourceType": "Parameters"})).status_code == 200
    assert await results(ask, b, BTG) == {"lab-b1"}


async def test_d09_break_glass_for_one_patient_opens_her_data_wherever_they_are(secured, ask):
    await network(secured)
    await network(secured, "AC", number=2)
    named = {"patient": ("valueReference", {"reference": "Patient/pb1"})}
    opened = await ask(physician("B"), "POST", "/$emergency-access", json=body(**WHY, **named))
    assert opened.status_code == 200, opened.text
    assert await results(ask, physician("B"), BTG) == {"lab-a1", "lab-b1", "lab-c1"}
    assert (await ask(physician("B"), "GET", "/Observation/lab-a2", headers=BTG)).status_code == 404


@pytest.mark.parametrize("letter", ["A", "D", "E"])
async def test_d10_other_facilities_open_nothing(secured, ask, letter):
    await network(secured)
    refused = await ask(physician(letter), "POST", "/$emergency-access", json=body(**WHY))
    assert refused.status_code == 403
    assert "lab-b1" not in await results(ask, physician(letter), BTG)


async def test_s50_the_break_glass_is_audited_before_and_each_read_by_it_names_it(secured, ask):
    await network(secured)
    opened = (await ask(physician("B"), "POST", "/$emergency-access", json=body(**WHY))).json()
    reference = opened["parameter"][0]["valueReference"]["reference"]
    await ask(physician("B"), "GET", "/Observation/lab-a1", headers=BTG)
    events = await audited(secured)
    first = next(number for number, each in enumerate(events) if each.emergency == reference)
    assert events[first].operation == "emergency-access"
    read = next(each for each in events if each.interaction == "read" and each.purpose == "BTG")
    assert read.emergency == reference


async def audited(app) -> list[Any]:
    """Every event that was recorded, in order."""
    return [each.event async for each in app.registry.network.log.stream(Filter(), newest=False)]


async def test_d09_a_disaster_opens_its_area_to_core_hospitals_and_closes(secured, ask):
    await network(secured)
    told = {"area": ("valueString", "高松市"), "end": ("valueDateTime", "2099-01-01"), "reason": ("valueString", "南海トラフ地震のため")}
    assert (await ask(FIRST, "POST", "/$propose-disaster", json=body(**told))).status_code == 422  # too long
    end = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    proposed = (await ask(FIRST, "POST", "/$propose-disaster", json=body(**{**told, "end": ("valueDateTime", end)}))).json()
    named = body(disaster=("valueString", proposed["parameter"][0]["valueString"]))
    assert (await ask(FIRST, "POST", "/$approve-disaster", json=named)).status_code == 403
    assert await results(ask, physician("B"), ETREAT) == {"lab-b1"}
    assert (await ask(SECOND, "POST", "/$approve-disaster", json=named)).status_code == 200
    assert await results(ask, physician("B"), ETREAT) == {"lab-a1", "lab-b1"}
    assert await results(ask, physician("A"), ETREAT) == {"lab-a1"}
    assert (await ask(SECOND, "POST", "/$close-disaster", json=named)).status_code == 200
    assert await results(ask, physician("B"), ETREAT) == {"lab-b1"}


async def test_d08_f080_what_two_persons_erase_is_nowhere_to_be_found(secured, ask):
    await network(secured)
    await write(secured, consent("ABC"))
    asked = body(reason=("valueString", "本人から削除の届出"), form=("valueString", "R8-1"))
    assert (await ask(FIRST, "POST", "/Patient/pa1/$request-erasure", json=asked)).status_code == 200
    nothing = {"resourceType": "Parameters"}
    assert (await ask(FIRST, "POST", "/Patient/pa1/$approve-erasure", json=nothing)).status_code == 403
    done = await ask(SECOND, "POST", "/Patient/pa1/$approve-erasure", json=nothing)
    assert done.status_code == 200, done.text
    for address in ("/Patient/pa1", "/Observation/lab-a1", "/Patient/pa1/_history", "/Observation/lab-a1/_history/1"):
        assert (await ask(physician("A"), "GET", address)).status_code == 404
    assert await results(ask, physician("A")) == set()  # it does not know her any more (D2)
    assert await results(ask, physician("B")) == {"lab-b1", "lab-c1"}  # what others keep of her is still shared
    again = await ask(physician("A"), "PUT", "/Patient/pa1", json=patient(id="pa1"))
    assert again.status_code == 422  # nor is she taken again by the next upload
    assert "削除" in again.json()["issue"][0]["diagnostics"]


async def test_d08_of_the_golden_patient_nothing_is_left_to_anybody(secured, ask):
    await network(secured)
    await write(secured, consent("ABC"))
    asked = body(reason=("valueString", "本人から削除の届出"), form=("valueString", "R8-1"))
    await ask(FIRST, "POST", "/Patient/golden-1/$request-erasure", json=asked)
    done = await ask(SECOND, "POST", "/Patient/golden-1/$approve-erasure", json={"resourceType": "Parameters"})
    assert done.status_code == 200, done.text
    for letter in "ABC":
        assert await results(ask, physician(letter)) == set()
        assert (await ask(physician(letter), "GET", "/Patient")).json().get("entry", []) == []
    assert (await ask(SECRETARY, "GET", "/Consent/consent-1")).status_code == 404


async def test_explain_says_why_over_http_and_hides_what_is_hidden(secured, ask):
    await network(secured)
    await write(secured, consent("AB"))
    about = body(patient=("valueReference", {"reference": "Patient/pb1"}))
    told = (await ask(physician("B"), "POST", "/Consent/$explain", json=about)).json()
    codes = [part["valueCoding"]["code"] for each in told["parameter"][1:] for part in each["part"] if part["name"] == "code"]
    assert sorted(codes) == ["consented", "own-data"]
    hidden = await ask(physician("D"), "POST", "/Consent/$explain", json=about)
    absent = await ask(physician("D"), "POST", "/Consent/$explain", json=body(patient=("valueReference", {"reference": "Patient/none"})))
    assert hidden.status_code == absent.status_code == 404
    assert hidden.json()["issue"][0]["diagnostics"].replace("pb1", "none") == absent.json()["issue"][0]["diagnostics"]
    auditor = requester(Role.AUDITOR, organization=NETWORK, facility=None, facility_roles=frozenset(), fhir_user="Practitioner/u1")
    whose = body(
        patient=about["parameter"][0]["name"] and ("valueReference", {"reference": "Patient/golden-1"}),
        organization=("valueReference", {"reference": facility("C")}),
    )
    assert (await ask(auditor, "POST", "/Consent/$explain", json=whose)).json()["parameter"][0]["valueBoolean"] is False
