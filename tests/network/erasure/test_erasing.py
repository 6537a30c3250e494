"""D8: what is asked to be deleted is gone from everywhere, by two persons, with a proof."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from fhir_server.auth.accounts.account import ACCOUNTS, Account
from fhir_server.auth.roles import Role
from fhir_server.network.erasure import work
from fhir_server.network.erasure.records import ERASURES, State, digest, is_erased
from fhir_server.outcome import FhirError
from fhir_server.search.expression import EVERYTHING, ForPatient, Has
from fhir_server.store import erasing
from tests.network.emergency.test_break_glass import refused
from tests.network.emergency.world import DOCTOR, S1, S2, S3, person
from tests.network.erasure.patients import ASKED, GOLDEN, LARGE, NAME, PERFORMERS, consent, delete, document, erased, of, patient, traces


async def test_d08_two_persons_erase_a_facilitys_patient_and_nobody_else(world):
    answer = await erased(world, "pa")
    assert answer["state"] == "done"
    for reference in ("Patient/pa", "Observation/observation-pa", "Consent/of-pa"):
        type, _, id = reference.partition("/")
        assert (await refused(world.desk.everything.get(type, id))).status == 404
    assert (await world.read("Patient/other"))["name"][0]["text"] == f"{NAME} other"
    assert await world.desk.find("Observation", ForPatient("Patient/pa")) == []
    assert len(await world.desk.find("Observation", EVERYTHING)) == 2
    assert await traces(world, "pa ", f"{NAME} pa", "Patient/pa") == []


async def test_d08_the_person_stays_without_the_one_that_is_gone(world):
    await erased(world, "pa")
    assert (await world.read(f"Patient/{GOLDEN}"))["id"] == GOLDEN
    linkage = await world.read(f"Linkage/{GOLDEN}")
    assert [each["resource"]["reference"] for each in linkage["item"]] == [f"Patient/{GOLDEN}", "Patient/pb"]
    assert "performer" not in await world.read("Consent/of-her")


async def test_d08_the_last_facilitys_patient_takes_the_golden_one_along(world):
    await erased(world, "pa")
    await erased(world, "pb")
    assert await traces(world, GOLDEN, f"{NAME} p", f"{NAME} golden-1") == []


async def test_d08_of_a_golden_patient_everything_at_every_facility_goes(world):
    replaced = [{"other": {"reference": f"Patient/{GOLDEN}"}, "type": "replaced-by"}]
    await world.store("network", patient("golden-0", link=replaced))
    answer = await erased(world, GOLDEN)
    assert answer["resources"] == 9
    assert await traces(world, GOLDEN, "golden-0", "Patient/pa", "Patient/pb", f"{NAME} p") == []
    assert (await world.read("Patient/other"))["id"] == "other"


async def test_d08_the_golden_patient_that_took_her_place_stays(world):
    link = [{"other": {"reference": f"Patient/{GOLDEN}"}, "type": "replaces"}]
    await world.store("network", patient("golden-2", link=link))
    await erased(world, GOLDEN)
    assert "link" not in await world.read("Patient/golden-2")


async def test_d08_history_goes_and_what_was_deleted_before(world):
    await world.store("a", of("pa", note=[{"text": "古い版"}]), of("pa", id="deleted-before", note=[{"text": "削除済み"}]))
    await world.store("a", of("pa"))
    await delete(world, "Observation/deleted-before")
    await erased(world, "pa")
    for id in ("observation-pa", "deleted-before"):
        assert (await refused(world.desk.everything.history("Observation", id, 10))).status == 404
        assert (await refused(world.desk.everything.get_version("Observation", id, "1"))).status == 404
    assert await traces(world, "古い版", "削除済み", "deleted-before") == []


async def test_d08_a_deleted_patients_past_is_erased_too(world):
    await delete(world, "Patient/other", "Observation/observation-other")
    await erased(world, "other")
    assert await traces(world, f"{NAME} other", "Patient/other") == []


async def test_d08_binaries_and_their_files_go_by_context_and_by_document(world):
    context = {"securityContext": {"reference": "Patient/pa"}}
    attachment = [{"attachment": {"url": "Binary/scan"}}]
    await world.store("a", {"resourceType": "Binary", "id": "mine", "contentType": "text/plain", "data": LARGE, **context})
    await world.store("a", {"resourceType": "Binary", "id": "scan", "contentType": "text/plain", "data": LARGE})
    await world.store("a", {"resourceType": "Binary", "id": "others", "contentType": "text/plain", "data": LARGE})
    await world.store("a", document("pa", attachment))
    database = world.desk.everything.mongo.database
    assert await database["binary.files"].count_documents({}) == 3
    await erased(world, "pa")
    assert await database["binary.files"].count_documents({}) == 1
    assert len(await database["binary.chunks"].distinct("files_id")) == 1
    assert await world.desk.read("Binary/scan") is None
    assert await world.desk.read("Binary/mine") is None
    assert await world.desk.read("Binary/others") is not None


async def test_d08_a_document_goes_with_her_and_a_binary_of_somebody_else_stays(world):
    context = {"securityContext": {"reference": "Patient/other"}}
    await world.store("a", {"resourceType": "Binary", "id": "x", "contentType": "text/plain", "data": "eA==", **context})
    attachment = [{"attachment": {"url": "Binary/x"}}]
    await world.store("a", document("pa", attachment))
    await erased(world, "pa")
    assert await world.desk.read("Binary/x") is not None
    assert await world.desk.find("DocumentReference", EVERYTHING) == []


async def test_d08_what_tells_of_several_goes_and_lists_and_groups_stay_without_her(world):
    both = [{"entity": {"reference": f"Patient/{each}"}} for each in ("pa", "other")]
    entries = [{"item": {"reference": f"Patient/{each}"}} for each in ("pa", "other")]
    await world.store(
        "a",
        of("other", id="seen-with-her", focus=[{"reference": "Patient/pa"}]),
        {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "member": both},
        {"resourceType": "List", "id": "l", "status": "current", "mode": "working", "entry": entries},
    )
    await erased(world, "pa")
    assert await world.desk.read("Observation/seen-with-her") is None
    assert len((await world.read("Group/g"))["member"]) == 1
    assert len((await world.read("List/l"))["entry"]) == 1
    assert await traces(world, "Patient/pa") == []  # past versions of Group and List neither


async def test_d08_provenance_of_what_is_gone_goes(world):
    made = {"recorded": "2026-04-01T00:00:00Z", "agent": [{"who": {"reference": "Organization/a"}}]}
    await world.store("a", {"resourceType": "Provenance", "id": "p", "target": [{"reference": "Observation/observation-pa"}], **made})
    await erased(world, "pa")
    assert await world.desk.read("Provenance/p") is None


async def test_d08_the_audit_trail_stays_and_proves_the_erasure(world):
    event = {"recorded": "2026-04-01T00:00:00Z", "type": {"code": "rest"}, "agent": [{"requestor": True}], "source": {"observer": {}}}
    named = [{"what": {"reference": "Patient/pa"}}]
    source = {"observer": {"reference": "Organization/a"}}
    await world.store("a", {"resourceType": "AuditEvent", "id": "e", **event, "source": source, "entity": named})
    answer = await erased(world, "pa")
    assert (await world.read("AuditEvent/e"))["entity"] == named
    begun, proof = world.audit
    assert (begun.status, proof.status, proof.action, proof.person) == (202, 200, "D", "Practitioner/s2")
    assert answer["sha256"] in proof.reason
    assert (proof.seen[0].patient, proof.seen[0].custodian) == ("Patient/pa", "Organization/a")


async def test_d08_the_record_keeps_counts_and_digests_and_no_patient(world):
    answer = await erased(world, "pa")
    record = await world.desk.shelf.records(ERASURES).get(answer["erasure"])
    assert (record.state, record.patients, record.custodians, record.pending) == (State.DONE, (), (), ())
    assert record.resources == {"Patient": 1, "Observation": 1, "Consent": 1}
    assert record.versions >= 5  # with the deletions of Patient and Consent, and what stripping left behind
    assert [line.split()[0] for line in record.consents][:2] == ["Consent/of-pa/1", "Consent/of-pa/2"]
    assert "Patient/pa" not in repr(record)
    assert await is_erased(world.desk.shelf, ["Patient/pa"])
    assert not await is_erased(world.desk.shelf, ["Patient/pb", f"Patient/{GOLDEN}"])
    assert record.digests == (digest("Patient/pa"),)


async def test_d08_her_account_is_gone(world):
    accounts = world.desk.shelf.records(ACCOUNTS)
    await accounts.add(Account(id="q1", fhir_user="Patient/pa", created=world.desk.now()))
    await accounts.add(Account(id="q2", fhir_user="Patient/other", created=world.desk.now()))
    await erased(world, "pa")
    assert await accounts.get("q1") is None
    assert await accounts.get("q2") is not None


async def test_d08_nobody_approves_what_he_asked_for_and_nothing_goes_before(world):
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)
    for himself in (S1, replace(S3, fhir_user=S1.fhir_user), replace(S3, subject=S1.subject)):
        assert (await refused(world.ask("Patient-approve-erasure", himself, "pa", performers=PERFORMERS))).status == 403
    assert await world.desk.read("Patient/pa") is not None


@pytest.mark.parametrize("who", [DOCTOR, person("u1", Role.AUDITOR, "network"), person("c1", Role.CLERK, "a", "providing")])
async def test_d08_only_the_secretariat_asks_and_approves(world, who):
    assert (await refused(world.ask("Patient-request-erasure", who, "pa", performers=PERFORMERS, **ASKED))).status == 403
    assert (await refused(world.ask("Patient-approve-erasure", who, "pa", performers=PERFORMERS))).status == 403


async def test_d08_what_was_not_asked_for_cannot_be_approved_nor_asked_for_twice(world):
    assert (await refused(world.ask("Patient-approve-erasure", S2, "pa", performers=PERFORMERS))).status == 404
    found = await asyncio.gather(
        *(world.ask("Patient-request-erasure", each, "pa", performers=PERFORMERS, **ASKED) for each in (S1, S2)), return_exceptions=True
    )
    (failure,) = [each for each in found if isinstance(each, BaseException)]
    assert isinstance(failure, FhirError)
    assert failure.status == 409


async def test_d08_without_a_reason_or_its_form_it_is_refused(world):
    assert (await refused(world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, form="1", reason=" "))).status == 403
    assert (await refused(world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **{**ASKED, "form": " "}))).status == 400
    assert (await refused(world.ask("Patient-request-erasure", S1, "none", performers=PERFORMERS, **ASKED))).status == 404


async def test_d08_while_nothing_can_be_audited_nothing_goes(world):
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)
    world.deaf = True
    assert (await refused(world.ask("Patient-approve-erasure", S2, "pa", performers=PERFORMERS))).status == 503
    assert await world.desk.read("Patient/pa") is not None


async def test_d08_who_was_linked_since_is_not_erased_unasked(world):
    await world.ask("Patient-request-erasure", S1, GOLDEN, performers=PERFORMERS, **ASKED)
    await world.store("c", patient("pc", GOLDEN))
    assert (await refused(world.ask("Patient-approve-erasure", S2, GOLDEN, performers=PERFORMERS))).status == 409
    assert await world.desk.read("Patient/pc") is not None
    assert (await erased(world, GOLDEN))["state"] == "done"


async def test_d08_of_two_that_approve_at_once_one_erases_and_it_is_counted_once(world):
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)
    found = await asyncio.gather(
        *(world.ask("Patient-approve-erasure", each, "pa", performers=PERFORMERS) for each in (S2, S3)), return_exceptions=True
    )
    (answer,) = [each for each in found if isinstance(each, dict)]
    assert answer["resources"] == 3


@pytest.mark.parametrize("step", range(1, 12))
async def test_d08_wherever_it_is_interrupted_it_is_resumed_and_counted_once(world, step, monkeypatch):
    await world.store("a", *(of("pa", id=f"o{number}") for number in range(5)), consent("of-pa-too", "pa"))
    monkeypatch.setattr(erasing, "_AT_ONCE", 2)
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)
    whole, asked = world.desk, 0

    def until_it_dies():
        nonlocal asked
        asked += 1
        if asked > step:
            raise DeadError
        return world.now[0]

    world.desk = replace(whole, everything=replace(whole.everything, clock=until_it_dies))
    with pytest.raises(DeadError):
        await world.ask("Patient-approve-erasure", S2, "pa", performers=PERFORMERS)
    world.desk = whole
    answer = await world.ask("Patient-approve-erasure", S3, "pa", performers=PERFORMERS)
    assert answer["state"] == "done"
    record = await world.desk.shelf.records(ERASURES).get(answer["erasure"])
    assert record.resources == {"Patient": 1, "Observation": 6, "Consent": 2}
    assert await traces(world, f"{NAME} pa", "Patient/pa") == []
    assert len([each for each in world.audit if each.status == 200]) == 1


async def test_d08_what_a_dead_process_counted_and_did_not_remove_is_not_counted_again(world):
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)
    records = world.desk.shelf.records(ERASURES)
    (asked,) = await records.find(asked_for="Patient/pa")
    await anext(erasing.erase(world.desk.everything.mongo, ["Patient/pa"]))  # told, not gone
    left = {"state": "erasing", "approved_by": "s2", "approver": "Practitioner/s2", "worker": "dead"}
    busy = world.desk.now() + timedelta(minutes=15)
    counted = {"pending": ("Observation/observation-pa",), "resources": {"Observation": 1}, "versions": 1, "sha256": "00"}
    await records.put(msgspec.structs.replace(asked, **left, **counted, busy=busy))
    assert (await refused(world.ask("Patient-approve-erasure", S2, "pa", performers=PERFORMERS))).status == 409
    assert await work.resume(world.desk) == 0
    world.shift(minutes=15)
    assert await work.resume(world.desk) == 1
    assert (await records.get(asked.id)).resources == {"Patient": 1, "Observation": 1, "Consent": 1}
    assert await traces(world, f"{NAME} pa", "Patient/pa") == []


async def test_d08_only_the_proof_is_missing_and_is_made_up_for(world):
    await world.ask("Patient-request-erasure", S1, "pa", performers=PERFORMERS, **ASKED)

    async def deaf_after_the_first(event):
        await world.record(event)
        world.deaf = True

    world.desk = replace(world.desk, record=deaf_after_the_first)
    assert (await refused(world.ask("Patient-approve-erasure", S2, "pa", performers=PERFORMERS))).status == 503
    world.deaf = False
    world.desk = replace(world.desk, record=world.record)
    assert (await world.ask("Patient-approve-erasure", S3, "pa", performers=PERFORMERS))["state"] == "done"
    assert await world.desk.find("Patient", Has("link", "Patient/pa")) == []


class DeadError(Exception):
    """The process is gone."""
