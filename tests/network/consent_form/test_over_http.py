"""The whole way over HTTP: a facility hands in a form, the secretariat publishes, others see; the patient stops, and they do not."""

import pytest

from fhir_server.auth.members import FacilityType, network, organization
from fhir_server.auth.roles import Role
from tests.access.secured import ask, secured, store, stranger
from tests.network.consent_form.world import CODES, NAMES, PATIENT, ROLES, SECRETARY, answered, at, form, patient, row

__all__ = ["ask", "secured", "stranger"]

TODAY = {"agreement.date": {"valueDate": "2026-04-01"}, "facility.date": {"valueDate": "2026-04-01"}}


@pytest.fixture
async def asking(secured, ask, clock):
    """Three facilities with one patient and one observation each; asks for an operation and gives what is answered."""
    members = [organization(id, CODES[id], name=NAMES[id], kana=None, type=FacilityType.HOSPITAL, roles=ROLES[id]) for id in "abc"]
    await store(secured, network(), *members, custodian="Organization/network")
    for facility, number in (("a", "100"), ("b", "200"), ("c", "300")):
        observation = {
            "resourceType": "Observation",
            "id": f"o{facility}",
            "status": "final",
            "code": {"text": "HbA1c"},
            "subject": {"reference": f"Patient/p{facility}"},
        }
        await store(secured, patient(f"p{facility}", facility, number), observation, custodian=f"Organization/{facility}")

    async def asked(who, address, **given):
        parts = [each for name, value in given.items() for each in _parts(name, value)]
        answer = await ask(who, "POST", address, json={"resourceType": "Parameters", "parameter": parts})
        assert answer.status_code == 200, answer.text
        return answered(answer.json())

    return asked


def _parts(name, value):
    kinds = {"form": "resource", "organization": "valueReference", "source": "valueReference", "what": "valueCode", "end": "valueDateTime"}
    for each in value if isinstance(value, list) else [value]:
        yield {"name": name, kinds[name]: {"reference": each} if kinds[name] == "valueReference" else each}


async def seen(ask, facility, of):
    return (await ask(at(facility), "GET", f"/Observation/o{of}")).status_code


async def test_f066_d2_d4_d5_d6_from_the_form_to_sharing_and_to_its_end(asking, ask):
    sheet = form(row("a", "100"), row("b", "200"), answers=TODAY)
    id = (await asking(at("a"), "/QuestionnaireResponse/$submit-consent", form=sheet))["consent"].partition("/")[2]
    assert [await seen(ask, "a", "b"), await seen(ask, "b", "a")] == [404, 404]  # D4
    await asking(SECRETARY, f"/Consent/{id}/$check-form")
    assert (await asking(SECRETARY, f"/Consent/{id}/$publish"))["state"] == "published"
    assert [await seen(ask, "a", "b"), await seen(ask, "b", "a")] == [200, 200]  # D2
    assert [await seen(ask, "c", "a"), await seen(ask, "a", "c")] == [404, 404]  # D3
    await asking(PATIENT, f"/Consent/{id}/$stop", what="facilities", organization=["Organization/b"])
    assert [await seen(ask, "a", "b"), await seen(ask, "b", "a")] == [404, 404]  # D6
    await asking(PATIENT, f"/Consent/{id}/$resume")
    assert await seen(ask, "b", "a") == 200
    await asking(PATIENT, f"/Consent/{id}/$stop", what="all")
    assert [await seen(ask, "a", "b"), await seen(ask, "b", "a"), await seen(ask, "a", "a")] == [404, 404, 200]  # D5, D1


async def test_d4_f015_a_facility_that_is_agreed_on_and_not_linked_sees_nothing_and_shows_nothing(asking, ask):
    sheet = form(row("a", "100"), row("b", "200"), row("c", "999"), answers=TODAY)
    id = (await asking(at("a"), "/QuestionnaireResponse/$submit-consent", form=sheet))["consent"].partition("/")[2]
    await asking(SECRETARY, f"/Consent/{id}/$check-form")
    answer = await asking(SECRETARY, f"/Consent/{id}/$publish")
    assert "薬局C" in answer["reason"]
    assert [await seen(ask, "a", "b"), await seen(ask, "c", "a"), await seen(ask, "a", "c")] == [200, 404, 404]


async def test_d7_a_pause_ends_by_itself(asking, ask, clock):
    id = (await asking(at("a"), "/QuestionnaireResponse/$submit-consent", form=form(answers=TODAY)))["consent"].partition("/")[2]
    await asking(SECRETARY, f"/Consent/{id}/$check-form")
    await asking(SECRETARY, f"/Consent/{id}/$publish")
    await asking(PATIENT, f"/Consent/{id}/$stop", what="period", end="2026-04-01")
    assert await seen(ask, "b", "a") == 404
    clock.shift(15 * 3600)  # midnight
    assert await seen(ask, "b", "a") == 200


async def test_s33_what_the_form_makes_is_not_for_facilities_to_read_before_it_is_published(asking, ask):
    id = (await asking(at("a"), "/QuestionnaireResponse/$submit-consent", form=form(answers=TODAY)))["consent"].partition("/")[2]
    assert (await ask(at("b"), "GET", f"/Consent/{id}")).status_code == 404
    assert (await ask(at("b"), "GET", f"/QuestionnaireResponse/{id}")).status_code == 404
    assert (await ask(at("b"), "GET", f"/Binary/{id}")).status_code == 404
    assert (await ask(at("a"), "GET", f"/QuestionnaireResponse/{id}")).status_code == 200
    assert (await ask(SECRETARY, "GET", f"/Consent/{id}")).status_code == 200


async def test_what_changes_something_takes_post_and_a_stranger_is_nobody(asking, ask, stranger):
    for address in ("/Consent/x/$publish", "/Consent/x/$check-form", "/Consent/x/$resume", "/Consent/x/$stop?what=all"):
        assert (await ask(SECRETARY, "GET", address)).status_code == 405
    assert (await ask(SECRETARY, "GET", "/Consent/$form-queue")).status_code == 200
    assert (await stranger.post("/Consent/x/$publish")).status_code == 401


async def test_c40_a_facility_publishes_nothing_itself_nor_by_writing_a_consent(asking, ask):
    id = await asking(at("b"), "/QuestionnaireResponse/$submit-consent", form=form(row("b", "200"), row("a", "100"), subject="Patient/pb"))
    consent = (await ask(SECRETARY, "GET", f"/{id['consent']}")).json()
    for who in (at("b"), at("b", Role.SYSTEM)):
        assert (await ask(who, "POST", f"/{id['consent']}/$publish", json={"resourceType": "Parameters"})).status_code == 403
        assert (await ask(who, "PUT", f"/{id['consent']}", json={**consent, "status": "active"})).status_code in (403, 404)
    assert await seen(ask, "b", "a") == 404
