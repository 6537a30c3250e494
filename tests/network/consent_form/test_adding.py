"""Every facility is told once of what was published, and of facilities added later, by texts that are agreed on."""

import asyncio

import pytest

from fhir_server.network.notices import MAILS
from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from tests.network.consent_form.world import checked, code, form, patient


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
