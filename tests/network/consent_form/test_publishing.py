"""From a received form to sharing: checked, matched, published, told; several secretaries at once."""

import pytest

from fhir_server.auth.roles import Role
from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from tests.network.consent_form.world import SECRETARY, at, checked, code, form, patient, received, row


async def test_f066_a_form_goes_from_received_to_published_with_a_time_for_each_step(world):
    id = await received(world)
    world.later(minutes=10)
    assert (await world.ask("Consent-check-form", id))["state"] == "form-check"
    world.later(minutes=10)
    answer = await world.ask("Consent-publish", id)
    assert (answer["state"], answer["status"]) == ("published", "active")
    task = await world.read(f"Task/{id}")
    steps = [(each["type"]["coding"][0]["code"], each["valueDateTime"][11:16]) for each in task["output"]]
    assert steps == [("received", "12:00"), ("form-check", "12:10"), ("published", "12:20")]
    assert task["status"] == "completed"


async def test_d2_f065_a_published_consent_is_of_the_golden_patient_and_says_since_when_for_each_facility(world):
    consent = await world.read(f"Consent/{await world.published()}")
    assert consent["patient"]["reference"].startswith("Patient/golden-")
    assert consent["verification"] == [
        {"verified": True, "verifiedWith": consent["patient"], "verificationDate": "2026-04-01T12:05:00.000+09:00"}
    ]
    assert consent["performer"] == [consent["patient"]]
    times = [each["extension"][0]["valueDateTime"] for each in consent["provision"]["actor"]]
    assert times == ["2026-04-01T12:05:00.000+09:00"] * 3
    assert "provision" not in consent["provision"]
    golden = consent["patient"]["reference"]
    assert len(await world.desk.find("Patient", Has("link", golden))) == 3


async def test_f072_a_form_that_nobody_has_checked_is_not_published(world):
    id = await received(world)
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-publish", id)
    assert refused.value.status == 409
    assert (await world.read(f"Consent/{id}"))["status"] == "proposed"


async def test_f072_a_consent_without_what_was_signed_is_not_published(world):
    id = await checked(world)
    consent = await world.read(f"Consent/{id}")
    del consent["sourceReference"]
    await world.desk.store(consent)
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-publish", id)
    assert refused.value.status == 422


async def test_a_returned_form_is_neither_checked_again_nor_published(world):
    id = await received(world)
    with pytest.raises(FhirError, match="Say why"):
        await world.ask("Consent-check-form", id, accepted=False)
    answer = await world.ask("Consent-check-form", id, accepted=False, reason="署名が読めません")
    assert (answer["state"], answer["status"]) == ("returned", "entered-in-error")
    for operation in ("Consent-check-form", "Consent-publish"):
        with pytest.raises(FhirError) as refused:
            await world.ask(operation, id)
        assert refused.value.status == 409


async def test_f072_a_dissent_recorded_at_any_facility_blocks_publication_until_a_later_agreement(world):
    id = await checked(world)
    no = form(row("b", "200"), subject="Patient/pb", answers={"agreement.decision": code("dissent")})
    await world.submit(no, at("b"))
    with pytest.raises(FhirError, match="不同意") as refused:
        await world.ask("Consent-publish", id)
    assert refused.value.status == 422
    assert (await world.read(f"Consent/{id}"))["status"] == "proposed"
    world.later(days=1)
    later = {"agreement.date": {"valueDate": "2026-04-02"}}
    assert (await world.ask("Consent-publish", await checked(world, form(answers=later))))["state"] == "published"


async def test_f072_a_dissent_itself_is_never_published(world):
    id = await received(world, form(answers={"agreement.decision": code("dissent")}))
    for operation in ("Consent-check-form", "Consent-publish"):
        with pytest.raises(FhirError) as refused:
            await world.ask(operation, id)
        assert refused.value.status == 409


async def test_f006_only_the_secretariat_checks_and_publishes(world):
    for operation in ("Consent-publish", "Consent-check-form", "Consent-original-received", "Consent-add-facility", "Consent-form-queue"):
        given = {"organization": "Organization/d"} if operation == "Consent-add-facility" else {}
        for role in (Role.PHYSICIAN, Role.SYSTEM, Role.PATIENT, Role.AUDITOR):
            with pytest.raises(FhirError) as refused:
                await world.ask(operation, None if operation == "Consent-form-queue" else "any", at("a", role), **given)
            assert refused.value.status == 403, (operation, role)


async def test_f006_an_app_of_the_secretariat_needs_the_scope_to_write_consents(world):
    id = await checked(world)
    reader = type(SECRETARY)("s1", role=Role.SECRETARIAT, scope="user/*.rs", fhir_user="Practitioner/s1")
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-publish", id, reader)
    assert refused.value.status == 403


# -- agreed, not linked ---------------------------------------------------------------------------------------------------------


async def test_f015_d4_a_facility_whose_patient_is_not_linked_is_agreed_on_and_does_not_share(world):
    id = await checked(world, form(row("a", "100"), row("b", "200"), row("d", "400")))
    answer = await world.ask("Consent-publish", id)
    assert answer["state"] == "published"
    assert answer["reason"] == "同意済・未連携: 病院D (該当する患者なし)"
    consent = await world.read(f"Consent/{id}")
    [exception] = consent["provision"]["provision"]
    assert exception["type"] == "deny"
    assert [each["reference"]["reference"] for each in exception["actor"]] == ["Organization/d"]
    assert not await world.letters("d")


async def test_f015_f063_publishing_again_takes_in_what_was_linked_since_and_keeps_the_old_times(world):
    id = await checked(world, form(row("a", "100"), row("b", "200"), row("d", "400")))
    await world.ask("Consent-publish", id)
    await world.store("d", patient("pd", "d", "400"))
    world.later(hours=1)
    answer = await world.ask("Consent-publish", id)
    assert "reason" not in answer
    consent = await world.read(f"Consent/{id}")
    assert "provision" not in consent["provision"]
    times = {each["reference"]["reference"][-1]: each["extension"][0]["valueDateTime"][11:16] for each in consent["provision"]["actor"]}
    assert times == {"a": "12:00", "b": "12:00", "d": "13:00"}
    assert [len(await world.letters(each)) for each in "abd"] == [2, 2, 1]


async def test_d4_a_form_of_which_only_one_patient_is_known_waits_to_be_matched(world):
    id = await checked(world, form(row("a", "100"), row("b", "999")))
    answer = await world.ask("Consent-publish", id)
    assert (answer["state"], answer["status"]) == ("matching", "proposed")
    assert answer["reason"] == "同意済・未連携: 病院B (該当する患者なし)"
    version = (await world.read(f"Task/{id}"))["meta"]["versionId"]
    await world.ask("Consent-publish", id)
    assert (await world.read(f"Task/{id}"))["meta"]["versionId"] == version


async def test_l32_a_patient_of_that_number_who_is_somebody_else_is_not_linked(world):
    await world.store("b", patient("other", "b", "201", birthDate="1960-01-02"))
    id = await checked(world, form(row("a", "100"), row("b", "201"), row("c", "300")))
    answer = await world.ask("Consent-publish", id)
    assert answer["reason"] == "同意済・未連携: 病院B (名寄せ未了)"
    assert "link" not in await world.read("Patient/other")


# -- the desk -------------------------------------------------------------------------------------------------------------------


async def test_f074_the_queue_counts_office_time_and_says_what_is_late(world):
    id = await received(world)
    world.later(hours=22)  # Thursday 10:00: five hours on Wednesday, one on Thursday
    queue = await world.ask("Consent-form-queue")
    [row] = queue["form"]
    assert (row["consent"], row["officeMinutes"], row["late"], row["state"]) == (f"Consent/{id}", 360, True, "received")
    await world.ask("Consent-check-form", id)
    await world.ask("Consent-publish", id)
    assert (await world.ask("Consent-form-queue"))["total"] == 0
    assert (await world.ask("Consent-form-queue", state="published"))["medianMinutes"] == 360
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-form-queue", state="nonsense")
    assert refused.value.status == 400


async def test_f073_forms_whose_original_has_not_come_are_listed(world):
    id = await world.published()
    [row] = (await world.ask("Consent-form-queue", original=True))["form"]
    assert row["consent"] == f"Consent/{id}"
    assert row["facility"] == "Organization/a"
    await world.ask("Consent-original-received", id)
    assert (await world.ask("Consent-form-queue", original=True))["total"] == 0
    assert (await world.read(f"Task/{id}"))["businessStatus"]["coding"][0]["code"] == "published"
