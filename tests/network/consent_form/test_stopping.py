"""The patient stops: wholly, for some facilities, for a while; by herself, by a facility's form, by the secretariat."""

import asyncio
from datetime import datetime

import pytest

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.network.consent_form.standing import end_pauses
from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from tests.network.consent_form.world import PATIENT, SECRETARY, TOKYO, at, code, form, patient, row

OTHER = Requester("q2", role=Role.PATIENT, scope="patient/*.cruds", fhir_user="Patient/px", patient="Patient/px")


async def exceptions(world, id):
    consent = await world.read(f"Consent/{id}")
    found = consent["provision"].get("provision", [])
    return [
        (each["extension"][0]["valueCode"], [a["reference"]["reference"][-1] for a in each.get("actor", ())], each.get("period"))
        for each in found
    ]


async def test_d5_f076_a_full_stop_ends_the_consent_and_its_history_keeps_it(world):
    id = await world.published()
    answer = await world.ask("Consent-stop", id, PATIENT, what="all")
    assert (answer["status"], answer["state"]) == ("inactive", "stopped")
    history = await world.desk.everything.history("Consent", id, 10)
    assert [b'"status":"active"' in (each.body or b"") for each in history.versions] == [False, True, False]
    again = await world.ask("Consent-stop", id, PATIENT, what="all")
    assert again["state"] == "stopped"
    assert (await world.read(f"Consent/{id}"))["meta"]["versionId"] == "3"


async def test_d6_a_partial_stop_excludes_the_facilities_named_and_grows(world):
    id = await world.published()
    answer = await world.ask("Consent-stop", id, PATIENT, what="facilities", organization="Organization/b")
    assert (answer["status"], answer["state"]) == ("active", "partly-stopped")
    assert await exceptions(world, id) == [("stopped", ["b"], None)]
    await world.ask("Consent-stop", id, PATIENT, what="facilities", organization=["Organization/c", "Organization/b"])
    assert await exceptions(world, id) == [("stopped", ["b", "c"], None)]
    await world.ask("Consent-resume", id, PATIENT, organization="Organization/b")
    assert await exceptions(world, id) == [("stopped", ["c"], None)]
    assert (await world.ask("Consent-resume", id, PATIENT))["state"] == "published"
    assert await exceptions(world, id) == []


async def test_d7_a_temporary_stop_has_a_period_and_is_over_by_itself(world):
    id = await world.published()
    answer = await world.ask("Consent-stop", id, PATIENT, what="period", start="2026-04-10", end="2026-04-30")
    assert answer["state"] == "paused"
    assert await exceptions(world, id) == [("paused", [], {"start": "2026-04-10", "end": "2026-04-30"})]
    world.moment[0] = datetime(2026, 4, 30, 23, 59, 59, tzinfo=TOKYO)
    assert await end_pauses(world.desk) == 0
    world.later(seconds=1)
    assert await end_pauses(world.desk) == 1
    assert (await world.read(f"Task/{id}"))["businessStatus"]["coding"][0]["code"] == "published"


async def test_d7_some_facilities_stop_for_a_while(world):
    id = await world.published()
    await world.ask("Consent-stop", id, PATIENT, what="facilities", organization="Organization/b", end="2026-05-01")
    assert await exceptions(world, id) == [("paused", ["b"], {"start": "2026-04-01T12:05:00.000+09:00", "end": "2026-05-01"})]


@pytest.mark.parametrize(
    "given",
    [
        {"what": "nothing"},
        {"what": "period"},
        {"what": "period", "end": "2026-03-31"},
        {"what": "period", "start": "2026-05-02", "end": "2026-05-01"},
        {"what": "all", "end": "2026-05-01"},
        {"what": "facilities"},
        {"what": "facilities", "organization": "Organization/d"},
        {"what": "facilities", "organization": "Organization/b", "start": "2026-05-01"},
        {"what": "all", "source": "DocumentReference/none"},
        {"what": "all", "source": "Patient/pa"},
        {"what": "all", "reason": " "},
    ],
)
async def test_f076_what_makes_no_sense_stops_nothing(world, given):
    id = await world.published()
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-stop", id, PATIENT if "source" not in given else SECRETARY, **given)
    assert refused.value.status == 422
    assert (await world.read(f"Consent/{id}"))["meta"]["versionId"] == "2"


async def test_f077_a_facility_hands_in_the_form_of_its_own_patient_and_it_holds_at_once(world):
    id = await world.published()
    with pytest.raises(FhirError, match="届出書") as refused:
        await world.ask("Consent-stop", id, at("b", Role.CLERK), what="all")
    assert refused.value.status == 422
    document = {
        "resourceType": "DocumentReference",
        "id": "withdrawal",
        "status": "current",
        "content": [{"attachment": {"title": "届出書"}}],
    }
    await world.store("b", {**document, "subject": {"reference": "Patient/pb"}})
    answer = await world.ask("Consent-stop", id, at("b", Role.CLERK), what="all", source="DocumentReference/withdrawal")
    assert answer["status"] == "inactive"
    records = await world.desk.find("Provenance", Has("target", f"Consent/{id}"))
    stop = next(each for each in records if each["activity"]["coding"][0]["code"] == "stop")
    assert stop["entity"][0]["what"] == {"reference": "DocumentReference/withdrawal"}
    assert stop["agent"][0]["onBehalfOf"] == {"reference": "Organization/b"}


async def test_f077_nobody_names_another_facilitys_document_nor_another_patients(world):
    id = await world.published()
    await world.store("b", patient("px", "b", "900", name=[{"text": "別人"}], birthDate="1999-01-02"))
    document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"title": "届出書"}}]}
    await world.store("b", {**document, "id": "of-another", "subject": {"reference": "Patient/px"}})
    await world.store("a", {**document, "id": "of-a", "subject": {"reference": "Patient/pa"}})
    for source in ("DocumentReference/of-another", "DocumentReference/of-a"):
        with pytest.raises(FhirError) as refused:
            await world.ask("Consent-stop", id, at("b"), what="all", source=source)
        assert refused.value.status == 422


@pytest.mark.parametrize("who", [OTHER, at("d"), at("e"), at("a", organization=None)])
async def test_c40_s33_whoever_does_not_speak_for_the_patient_finds_no_such_consent(world, who):
    await world.store("d", patient("px", "d", "900", name=[{"text": "別人"}], birthDate="1999-01-02"))
    id = await world.published()
    told = []
    for each in (id, "nowhere"):
        with pytest.raises(FhirError) as refused:
            await world.ask("Consent-stop", each, who, what="all", source=f"DocumentReference/{id}")
        told.append((refused.value.status, str(refused.value).replace(each, "ID")))
    assert told[0] == told[1]
    assert told[0][0] == 404


@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.CLERK, Role.SYSTEM, Role.AUDITOR])
async def test_c40_no_facility_resumes_what_a_patient_stopped(world, role):
    id = await world.published()
    await world.ask("Consent-stop", id, PATIENT, what="all")
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-resume", id, at("a", role))
    assert refused.value.status == 403


async def test_d5_the_patient_resumes_by_himself_the_secretariat_with_what_he_signed(world):
    id = await world.published()
    await world.ask("Consent-stop", id, PATIENT, what="all")
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-resume", id)
    assert refused.value.status == 422
    assert (await world.ask("Consent-resume", id, source=f"DocumentReference/{id}"))["status"] == "active"
    await world.ask("Consent-stop", id, what="all", reason="電話による申し出")
    answer = await world.ask("Consent-resume", id, PATIENT)
    assert (answer["status"], answer["state"]) == ("active", "published")
    steps = [each["type"]["coding"][0]["code"] for each in (await world.read(f"Task/{id}"))["output"]]
    assert steps.count("resumed") == 2


async def test_f072_a_dissent_keeps_a_stopped_consent_stopped(world):
    id = await world.published()
    await world.ask("Consent-stop", id, PATIENT, what="all")
    await world.submit(form(answers={"agreement.decision": code("dissent")}))
    with pytest.raises(FhirError, match="不同意"):
        await world.ask("Consent-resume", id, PATIENT)


async def test_f076_a_form_that_is_not_published_yet_can_be_stopped_and_is_not_published_then(world):
    id = (await world.submit())["consent"].partition("/")[2]
    await world.ask("Consent-check-form", id)
    assert (await world.ask("Consent-stop", id, PATIENT, what="all"))["status"] == "inactive"
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-publish", id)
    assert refused.value.status == 409
    assert (await world.ask("Consent-resume", id, PATIENT))["status"] == "proposed"


async def test_f076_a_stop_wins_against_a_publication_at_the_same_moment(world):
    id = (await world.submit())["consent"].partition("/")[2]
    await world.ask("Consent-check-form", id)
    published = asyncio.create_task(world.ask("Consent-publish", id))
    stopped = asyncio.create_task(world.ask("Consent-stop", id, PATIENT, what="all"))
    await asyncio.gather(published, stopped, return_exceptions=True)
    assert stopped.exception() is None
    assert (await world.read(f"Consent/{id}"))["status"] == "inactive"


async def test_f076_several_stops_at_once_all_hold(world):
    id = await world.published()
    stops = [world.ask("Consent-stop", id, PATIENT, what="facilities", organization=f"Organization/{each}") for each in "abc"]
    await asyncio.gather(*stops)
    [(reason, facilities, _)] = await exceptions(world, id)
    assert (reason, sorted(facilities)) == ("stopped", ["a", "b", "c"])


async def test_f063_a_stopped_facility_is_not_told_of_others(world):
    id = await world.published()
    await world.ask("Consent-stop", id, PATIENT, what="facilities", organization="Organization/b")
    await world.store("d", patient("pd", "d", "400"))
    world.later(hours=1)
    await world.ask("Consent-add-facility", id, organization="Organization/d", patientNumber="400", source=f"DocumentReference/{id}")
    assert [len(await world.letters(each)) for each in "abcd"] == [2, 1, 2, 1]
    assert ("stopped", ["b"], None) in await exceptions(world, id)
    assert "病院B" not in (await world.letters("d"))[0]["payload"][0]["contentString"]


async def test_f076_a_consent_that_came_without_a_form_is_stopped_as_a_whole_only(world):
    id = await world.published()
    consent = await world.read(f"Consent/{id}")
    for missing in ("policy", "provision"):
        other = {name: value for name, value in consent.items() if name != missing}
        other |= {"id": f"without-{missing}", "policyRule": {"text": "of another kind"}}
        await world.store("network", other)
        with pytest.raises(FhirError) as refused:
            await world.ask("Consent-stop", other["id"], PATIENT, what="facilities", organization="Organization/b")
        assert refused.value.status == 422
        assert (await world.ask("Consent-stop", other["id"], PATIENT, what="all"))["status"] == "inactive"
        for operation in ("Consent-publish", "Consent-check-form"):
            with pytest.raises(FhirError) as refused:
                await world.ask(operation, other["id"])
            assert refused.value.status == 409


async def test_d6_publishing_again_leaves_what_the_patient_stopped(world):
    id = await world.published(form(row("a", "100"), row("b", "200"), row("d", "400")))
    await world.ask("Consent-stop", id, PATIENT, what="facilities", organization="Organization/b")
    await world.store("d", patient("pd", "d", "400"))
    answer = await world.ask("Consent-publish", id)
    assert answer["state"] == "partly-stopped"
    assert await exceptions(world, id) == [("stopped", ["b"], None)]


async def test_d4_publishing_again_takes_out_whose_patient_is_linked_no_more(world):
    id = await world.published()
    await world.ask("Patient-unlink", "pb", reason="別人でした")
    answer = await world.ask("Consent-publish", id)
    assert answer["reason"] == "同意済・未連携: 病院B (名寄せ未了)"
    assert await exceptions(world, id) == [("unlinked", ["b"], None)]
    assert [len(await world.letters(each)) for each in "abc"] == [1, 1, 1]
    assert len((await world.read(f"Consent/{id}"))["verification"]) == 1
