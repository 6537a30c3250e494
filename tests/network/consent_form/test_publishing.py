"""From a received form to sharing: checked, matched, published, told; several secretaries at once."""

import asyncio

import pytest

from fhir_server.auth.roles import Role
from fhir_server.network.notices import MAILS
from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from tests.network.consent_form.world import SECRETARY, at, code, form, patient, row


async def received(world, response=None):
    return (await world.submit(response))["consent"].partition("/")[2]


async def checked(world, response=None):
    id = await received(world, response)
    await world.ask("Consent-check-form", id)
    return id


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


@pytest.mark.parametrize("operation", ["Consent-publish", "Consent-check-form", "Consent-original-received", "Consent-form-queue"])
@pytest.mark.parametrize("role", [Role.PHYSICIAN, Role.SYSTEM, Role.PATIENT, Role.AUDITOR])
async def test_f006_only_the_secretariat_checks_and_publishes(world, operation, role):
    id = None if operation == "Consent-form-queue" else "any"
    with pytest.raises(FhirError) as refused:
        await world.ask(operation, id, at("a", role))
    assert refused.value.status == 403


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


# -- everybody is told once -----------------------------------------------------------------------------------------------------


async def test_f061_two_secretaries_publish_at_once_and_each_facility_is_told_once(world):
    id = await checked(world)
    for each in "ab":
        organization = await world.read(f"Organization/{each}")
        await world.store("network", {**organization, "telecom": [{"system": "email", "value": f"office@{each}.example"}]})
    answers = await asyncio.gather(*(world.ask("Consent-publish", id) for _ in range(4)))
    assert {each["state"] for each in answers} == {"published"}
    assert [len(await world.letters(each)) for each in "abc"] == [1, 1, 1]
    task = await world.read(f"Task/{id}")
    assert [each["type"]["coding"][0]["code"] for each in task["output"]].count("published") == 1
    assert len((await world.read(f"Consent/{id}"))["verification"]) == 1
    mails = await world.desk.shelf.records(MAILS).find()
    assert sorted(each.to for each in mails) == ["office@a.example", "office@b.example"]


FIRST = """ポータルサイトにて以下の患者が公開されました。

地域患者ID：{number}
施設患者ID：200
氏名：高松　次郎
カナ氏名：タカマツ　ジロウ
生年月日：1958/07/14
自施設：病院B
患者同意施設：
　診療所A　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05
　病院B　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05
　薬局C　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05"""

SECOND = """ポータルサイトにて以下の患者の患者同意施設公開先が追加されました。

地域患者ID：{number}
施設患者ID：200
氏名：高松　次郎
カナ氏名：タカマツ　ジロウ
生年月日：1958/07/14
自施設：病院B
患者同意施設：
　診療所A　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05
　病院B　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05
　薬局C　公開日時：2026/04/01 12:05　名寄せ日時：2026/04/01 12:05
　病院D　公開日時：2026/05/01 12:05　名寄せ日時：2026/05/01 12:05"""


async def number(world, id):
    golden = await world.read((await world.read(f"Consent/{id}"))["patient"]["reference"])
    return golden["identifier"][0]["value"]


async def test_f062_the_first_mail_says_who_was_published_where_and_when(world):
    id = await world.published()
    [letter] = await world.letters("b")
    assert letter["payload"][0]["contentString"] == FIRST.format(number=await number(world, id))
    assert [each["reference"].partition("/")[0] for each in letter["about"]] == ["Consent", "Patient"]
    assert letter["sender"] == {"reference": "Organization/network"}


async def test_f063_a_facility_is_added_the_old_ones_keep_their_times_and_everybody_is_told(world):
    id = await world.published()
    await world.store("d", patient("pd", "d", "400"))
    world.later(days=30)
    signed = f"DocumentReference/{id}"
    answer = await world.ask("Consent-add-facility", id, organization="Organization/d", patientNumber="400", source=signed)
    assert answer["state"] == "facility-added"
    first, second = await world.letters("b")
    assert second["payload"][0]["contentString"] == SECOND.format(number=await number(world, id))
    [told] = await world.letters("d")
    assert told["payload"][0]["contentString"].startswith("ポータルサイトにて以下の患者が公開されました。")
    again = await world.ask("Consent-add-facility", id, organization="Organization/d", patientNumber="400", source=signed)
    assert again["state"] == "facility-added"
    assert len(await world.letters("d")) == 1
    assert first["payload"] != second["payload"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"organization": "Organization/d"}, 422),  # l17: nothing signed
        ({"organization": "Organization/d", "source": "DocumentReference/none"}, 422),
        ({"organization": "Organization/f", "source": "DocumentReference/signed"}, 422),  # f014
        ({"organization": "Organization/none", "source": "DocumentReference/signed"}, 422),
        ({"organization": "Patient/pb", "source": "DocumentReference/signed"}, 422),
    ],
)
async def test_f014_l17_a_facility_is_added_only_as_a_member_and_with_what_the_patient_signed(world, given, status):
    id = await world.published()
    if given.get("source", "").endswith("signed"):
        given = {**given, "source": f"DocumentReference/{id}"}
    with pytest.raises(FhirError) as refused:
        await world.ask("Consent-add-facility", id, **given)
    assert refused.value.status == status
    assert (await world.read(f"Consent/{id}"))["meta"]["versionId"] == "2"


async def test_f063_an_added_facility_without_a_linked_patient_waits(world):
    id = await world.published()
    answer = await world.ask("Consent-add-facility", id, organization="Organization/d", source=f"DocumentReference/{id}")
    assert answer["reason"] == "同意済・未連携: 病院D (患者IDの記入なし)"
    [exception] = (await world.read(f"Consent/{id}"))["provision"]["provision"]
    assert exception["extension"][0]["valueCode"] == "unlinked"
    assert not await world.letters("d")


async def test_l18_a_facility_joins_a_general_consent_only_after_the_patient_could_say_no(world):
    await world.store("d", patient("pd", "d", "400"))
    id = await world.published(form(answers={"agreement.scope": code("all")}))
    await world.ask("Consent-add-facility", id, organization="Organization/d", patientNumber="400")
    consent = await world.read(f"Consent/{id}")
    assert consent["policy"] == [{"uri": "urn:tsunagi:policy:all"}]
    [exception] = consent["provision"]["provision"]
    assert exception["period"] == {"end": "2026-04-15T12:05:00.000+09:00"}
    assert exception["actor"][0]["reference"] == {"reference": "Organization/d"}
    [letter] = await world.desk.find("Communication", Has("recipient", consent["patient"]["reference"]))
    assert "病院D" in letter["payload"][0]["contentString"]
    assert "不利益を受けることは一切ありません" in letter["payload"][0]["contentString"]
    [told] = await world.letters("d")
    assert "病院D　公開日時：2026/04/15 12:05" in told["payload"][0]["contentString"]


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
