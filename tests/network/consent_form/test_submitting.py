"""A facility hands in a form: what is made of it, and every form that is refused."""

import asyncio

import pytest

from fhir_server.auth.roles import Role
from fhir_server.network.consent_form.form import as_patient, read
from fhir_server.network.consent_form.questionnaire import questionnaire, texts
from fhir_server.outcome import FhirError
from fhir_server.search.expression import Has
from fhir_server.store.repository import Delete
from tests.network.consent_form.world import BY_PROXY, GENDER, PNG, ROWS, at, code, form, patient, row

ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
MOTHER = {"agreement.relationship": code("MTH", ROLE_CODE)}


def test_f066_to_f071_the_form_asks_everything_that_is_on_paper():
    asked = "\n".join(texts(questionnaire()))
    for field in (
        *("記入日", "施設名", "説明責任者名", "説明者", "同じ", "電話番号", "FAX番号"),  # F067
        *("フリガナ", "患者氏名", "性別", "生年月日", "郵便番号", "住所", "携帯番号"),  # F068
        *("参加施設名", "患者ID", "所在市町村"),  # F069
        *("同意日", "同意者氏名", "本人・代諾者", "続柄", "連絡先"),  # F070
    ):
        assert field in asked


def test_f016_the_form_says_that_refusing_brings_no_disadvantage():
    assert "不利益を受けることは一切ありません" in "\n".join(texts(questionnaire()))


def test_f068_the_patients_block_maps_to_a_patient():
    found, issues = read(form())
    assert not issues
    assert found is not None
    block = as_patient(found)
    assert block["birthDate"] == "1958-07-14"
    assert block["gender"] == "male"
    assert [name["text"] for name in block["name"]] == ["高松 次郎", "タカマツ ジロウ"]
    assert block["address"][0]["postalCode"] == "760-0017"


async def test_f066_a_form_becomes_a_proposed_consent_and_a_task(world):
    answer = await world.submit()
    consent, task = await world.read(answer["consent"]), await world.read(answer["task"])
    assert answer["state"] == "received"
    assert consent["status"] == "proposed"
    assert "verification" not in consent  # D4: nothing is in force
    assert consent["organization"] == [{"reference": "Organization/a"}]
    assert consent["dateTime"] == "2026-04-01"
    assert consent["policy"] == [{"uri": "urn:tsunagi:policy:listed"}]
    assert [each["reference"]["reference"] for each in consent["provision"]["actor"]] == [f"Organization/{each}" for each in "abc"]
    assert task["businessStatus"]["coding"][0]["display"] == "受付"
    assert task["output"][0]["valueDateTime"] == "2026-04-01T12:00:00.000+09:00"
    assert task["restriction"]["period"]["end"] == "2026-04-01T16:00:00.000+09:00"  # F074


async def test_s31_the_facility_keeps_its_form_and_scan_the_network_its_consent(world):
    id = (await world.submit())["consent"].partition("/")[2]
    theirs = ("QuestionnaireResponse", "DocumentReference", "Binary")
    found = await world.desk.everything.get_several([f"{type}/{id}" for type in (*theirs, "Consent", "Task", "Provenance")])
    assert [each.custodian for each in found] == ["Organization/a"] * 3 + ["Organization/network"] * 3


async def test_f073_the_scan_is_a_document_that_the_consent_names(world):
    consent = await world.read((await world.submit())["consent"])
    document = await world.read(consent["sourceReference"]["reference"])
    assert document["type"]["coding"][0]["code"] == "59284-0"
    binary = await world.read(document["content"][0]["attachment"]["url"])
    assert binary["data"] == PNG
    assert binary["securityContext"] == {"reference": f"DocumentReference/{consent['id']}"}
    response = await world.read(f"QuestionnaireResponse/{consent['id']}")
    assert PNG not in str(response)


async def test_f008_a_consent_shows_who_explained_and_who_signed(world):
    id = (await world.submit())["consent"].partition("/")[2]
    agents = {each["type"]["coding"][0]["code"]: each["who"] for each in (await world.read(f"Provenance/{id}"))["agent"]}
    assert agents["responsible"] == agents["explainer"] == {"display": "医師　一子"}
    assert agents["signer"] == {"reference": "Patient/pa"}
    assert agents["enterer"] == {"reference": "Practitioner/d1"}


async def test_the_same_form_twice_is_one_consent(world):
    first, second = await world.submit(), await world.submit()
    assert first["consent"] == second["consent"]
    assert len(await world.desk.find("Consent", Has("status", "proposed"))) == 1
    assert (await world.read(first["task"]))["meta"]["versionId"] == "1"


async def test_the_same_form_five_times_at_once_is_one_consent(world):
    answers = await asyncio.gather(*(world.submit() for _ in range(5)))
    assert len({each["consent"] for each in answers}) == 1
    assert len(await world.desk.find("Consent", Has("status", "proposed"))) == 1


async def test_a_form_of_which_only_the_evidence_was_kept_is_completed_when_it_is_sent_again(world):
    id = (await world.submit())["consent"].partition("/")[2]
    await world.desk.everything.commit([Delete(type, id) for type in ("Consent", "Task", "Provenance")])
    with pytest.raises(FhirError):
        await world.ask("Consent-check-form", id)
    assert (await world.submit())["consent"] == f"Consent/{id}"
    assert (await world.ask("Consent-check-form", id))["state"] == "form-check"


async def test_another_form_under_the_same_identifier_is_refused(world):
    identifier = {"system": "urn:forms", "value": "1"}
    await world.submit(form(identifier=identifier))
    with pytest.raises(FhirError) as refused:
        await world.submit(form(ROWS[0], ROWS[1], identifier=identifier))
    assert refused.value.status == 409


# -- refused ----------------------------------------------------------------------------------------------------------------


REFUSED = [
    pytest.param(422, "method.scan", form(answers={"method.scan": None}), None, id="f072 paper without the signed form"),
    pytest.param(422, "extension", form(answers={"method.method": code("electronic"), "method.scan": None}), None, id="f072 electronic unsigned"),
    pytest.param(422, "method.record", form(answers={"method.method": code("oral-recorded"), "method.scan": None}), None, id="l16 oral without record"),
    pytest.param(422, "item[6].item[1]", form(answers={"method.scan": {"valueAttachment": {"contentType": "image/png", "data": "AAAA"}}}), None, id="f073 no image"),
    pytest.param(422, "", form(answers={"method.scan": {"valueAttachment": {"contentType": "text/html", "data": "AAAA"}}}), None, id="f073 html"),
    pytest.param(422, "", form(answers={"method.scan": {"valueAttachment": {"contentType": "image/png", "url": "https://x.example/a"}}}), None, id="s42 an address outside"),
    pytest.param(422, "", form(answers={"method.scan": {"valueAttachment": {"contentType": "image/png", "url": "Binary/none"}}}), None, id="f073 unknown"),
    pytest.param(422, "agreement.decision", form(answers={"agreement.decision": None}), None, id="l17 silence is no consent"),
    pytest.param(422, "agreement.relationship", form(answers=BY_PROXY), None, id="f070 proxy without relationship"),
    pytest.param(422, "", form(answers=MOTHER), None, id="f070 relationship of the patient himself"),
    pytest.param(422, "", form(answers={"agreement.date": {"valueDate": "2026-04-02"}}), None, id="f070 tomorrow"),
    pytest.param(422, "", form(answers={"agreement.date": {"valueDate": "2026-04"}}), None, id="f070 half a date"),
    pytest.param(422, "", form(answers={"agreement.date": {"valueDate": "1950-04-01"}}), None, id="before birth"),
    pytest.param(422, "", form(answers={"patient.birth-date": {"valueDate": "1958-07-15"}}), None, id="f068 another birth date"),
    pytest.param(422, "", form(answers={"patient.sex": code("female", GENDER)}), None, id="f068 another sex"),
    pytest.param(422, "", form(answers={"patient.sex": code("x", GENDER)}), None, id="no option"),
    pytest.param(422, "", form(answers={"patient.name": {"valueString": "　"}}), None, id="f068 blank"),
    pytest.param(422, "", form(answers={"patient.name": {"valueString": "高松\n次郎"}}), None, id="f068 two lines"),
    pytest.param(422, "", form(answers={"patient.kana": {"valueString": "高松"}}), None, id="f068 no kana"),
    pytest.param(422, "", form(answers={"patient.address": {"valueBoolean": True}}), None, id="another type"),
    pytest.param(422, "", form(answers={"patient.blood": {"valueString": "A"}}), None, id="unknown item"),
    pytest.param(422, "facility.explainer", form(answers={"facility.same": None}), None, id="f067 nobody explained"),
    pytest.param(422, "facility.date", form(answers={"facility.date": None}), None, id="f067 no date"),
    pytest.param(422, "", form(row("a", "100")), None, id="one facility alone"),
    pytest.param(422, "", form(row("a", "100"), row("b"), row("b", "200")), None, id="twice in the table"),
    pytest.param(422, "item[3]", form(row("a", "100"), row("f", "1")), None, id="f014 d11 a facility that left"),
    pytest.param(422, "item[3]", form(row("a", "100"), row("nowhere", "1")), None, id="f014 no such facility"),
    pytest.param(422, "item[3]", form(row("a", "100"), row("network", "1")), None, id="f014 the network itself"),
    pytest.param(422, "", form(row("a", "101"), row("b", "200")), None, id="f069 not the number of the own patient"),
    pytest.param(422, "", form(row("a"), row("b", "200")), None, id="f069 no own number"),
    pytest.param(403, "item[2]", form(row("b", "200"), row("a", "100")), None, id="c40 s32 another facility in the first row"),
    pytest.param(404, "", form(subject="Patient/pb"), None, id="s32 another facility's patient"),
    pytest.param(404, "", form(subject="Patient/none"), None, id="nobody"),
    pytest.param(422, "", form(subject="Group/1"), None, id="no patient"),
    pytest.param(422, "", form(status="in-progress"), None, id="not completed"),
    pytest.param(422, "", form(questionnaire="urn:other"), None, id="another form"),
    pytest.param(403, "", form(), at("e"), id="f004 a facility that only refers"),
    pytest.param(403, "", form(), at("a", Role.SECRETARIAT), id="the secretariat hands in nothing"),
    pytest.param(403, "", form(), at("a", Role.PATIENT), id="no patient hands in"),
    pytest.param(403, "", form(), at("a", Role.UPLOADER), id="l30 an uploader"),
    pytest.param(403, "", form(), at("a", scope="user/*.rs"), id="a scope that reads"),
    pytest.param(403, "", form(), at("a", organization=None), id="no facility"),
]  # fmt: skip


async def test_f014_f066_to_f072_c40_every_form_that_cannot_be_taken_is_refused_and_leaves_nothing(world):
    for parameter in REFUSED:
        status, place, response, who = parameter.values
        with pytest.raises(FhirError) as refused:
            await world.submit(response, who)
        assert refused.value.status == status, parameter.id
        told = [expression for issue in refused.value.issues for expression in issue.expression]
        assert not place or any(place in each for each in told), (parameter.id, told)
        for secret in ("高松", "タカマツ", "1958", "100"):
            assert secret not in str(refused.value), parameter.id  # S34
    for type in ("Consent", "Task", "QuestionnaireResponse", "Binary", "DocumentReference", "RelatedPerson", "Provenance"):
        assert not await world.desk.find(type, Has("_custodian", "Organization/a")), type
        assert not await world.desk.find(type, Has("_custodian", "Organization/network")), type


# -- taken, and looked at -----------------------------------------------------------------------------------------------------


async def test_f014_a_facility_where_the_patient_has_no_number_is_flagged(world):
    answer = await world.submit(form(row("a", "100"), row("b", "200"), row("d")))
    assert "病院D: no patient number on the form / 患者IDの記入なし" in [each["diagnostics"] for each in answer["outcome"]["issue"]]
    assert "病院D" in str((await world.read(answer["task"]))["input"])


async def test_f014_s33_whether_another_facility_knows_a_number_is_told_to_the_secretariat_alone(world):
    known, unknown = await world.submit(), await world.submit(form(row("a", "100"), row("b", "999"), row("c", "300")))
    assert [each["diagnostics"] for each in known["outcome"]["issue"]] == [each["diagnostics"] for each in unknown["outcome"]["issue"]]
    assert "no such patient there" in str((await world.read(unknown["task"]))["input"])


async def test_a_name_written_otherwise_is_flagged(world):
    same = await world.submit(form(answers={"patient.kana": {"valueString": "ﾀｶﾏﾂ ｼﾞﾛｳ"}}))
    assert same["outcome"]["issue"][0]["severity"] == "information"
    other = await world.submit(form(answers={"patient.kana": {"valueString": "タカマツ サブロウ"}}))
    assert other["outcome"]["issue"][0]["severity"] == "warning"


@pytest.mark.parametrize("role", [Role.CLERK, Role.NURSE, Role.PHARMACIST, Role.SYSTEM])
async def test_f066_people_and_systems_of_a_facility_hand_in(world, role):
    assert (await world.submit(who=at("a", role)))["state"] == "received"


async def test_l16_an_oral_agreement_with_a_record_is_enough(world):
    spoken = {"method.method": code("oral-recorded"), "method.scan": None, "method.record": {"valueString": "4月1日 診察室\n立会人 看護師"}}
    consent = await world.read((await world.submit(form(answers=spoken)))["consent"])
    assert consent["extension"][0]["valueCode"] == "oral-recorded"
    assert consent["sourceReference"]["reference"] == f"QuestionnaireResponse/{consent['id']}"


async def test_l16_an_electronic_form_carries_its_signature(world):
    signature = {
        "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7"}],
        "when": "2026-04-01T11:59:00+09:00",
        "who": {"reference": "Patient/pa"},
        "data": "c2lnbmVk",
    }
    extension = [{"url": "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-signature", "valueSignature": signature}]
    answer = await world.submit(form(extension=extension, answers={"method.method": code("electronic"), "method.scan": None}))
    assert (await world.read(answer["consent"]))["extension"][0]["valueCode"] == "electronic"


async def test_f073_a_scan_that_the_facility_stored_before_is_named(world):
    stored = {
        "resourceType": "DocumentReference",
        "id": "scan",
        "status": "current",
        "subject": {"reference": "Patient/pa"},
        "content": [{"attachment": {"contentType": "image/png", "url": "Binary/x"}}],
    }
    await world.store("a", stored)
    scan = {"method.scan": {"valueAttachment": {"contentType": "image/png", "url": "DocumentReference/scan"}}}
    consent = await world.read((await world.submit(form(answers=scan)))["consent"])
    assert consent["sourceReference"] == {"reference": "DocumentReference/scan"}


async def test_f071_l19_a_mother_agrees_for_her_child_and_the_child_is_asked_when_grown(world):
    await world.store("a", patient("pa", "a", "100", birthDate="2018-09-09"))
    child = {"patient.birth-date": {"valueDate": "2018-09-09"}, "agreement.phone": {"valueString": "087-800-0009"}}
    answer = await world.submit(form(answers={**child, **BY_PROXY, **MOTHER}))
    consent = await world.read(answer["consent"])
    proxy = await world.read(consent["performer"][0]["reference"])
    assert proxy["relationship"][0]["coding"][0]["code"] == "MTH"
    assert proxy["patient"] == {"reference": "Patient/pa"}
    assert answer["outcome"]["issue"][0]["severity"] == "information"
    tasks = await world.desk.find("Task", Has("code", "urn:tsunagi:task|renew-consent"))
    assert sorted(each["restriction"]["period"]["start"] for each in tasks) == ["2033-09-09", "2036-09-09"]


async def test_l19_a_child_who_signs_itself_and_a_proxy_for_an_adult_are_flagged(world):
    adult = await world.submit(form(answers={**BY_PROXY, **MOTHER}))
    assert "代諾" in adult["outcome"]["issue"][0]["diagnostics"]
    unable = {**BY_PROXY, **MOTHER, "agreement.incapacity": code("unable")}
    assert (await world.submit(form(answers=unable)))["outcome"]["issue"][0]["severity"] == "information"
    await world.store("a", patient("pa", "a", "100", birthDate="2014-04-02"))
    child = await world.submit(form(answers={"patient.birth-date": {"valueDate": "2014-04-02"}}))
    assert "child of 11" in child["outcome"]["issue"][0]["diagnostics"]


async def test_f072_a_dissent_is_recorded_as_a_rejected_consent_that_denies(world):
    answer = await world.submit(form(answers={"agreement.decision": code("dissent")}))
    consent = await world.read(answer["consent"])
    assert (consent["status"], consent["provision"]["type"], answer["state"]) == ("rejected", "deny", "dissent")
