"""What the story is about: a made-up patient of three facilities, her results, and the form that she signs."""

from fhir_server.network.consent_form.form import SIGNATURE
from fhir_server.network.consent_form.questionnaire import FORM_SYSTEM, URL
from fhir_server.sandbox.facilities import CLINIC_A, HOSPITAL_B, HOSPITAL_D, PHARMACY_C
from fhir_server.ssmix2.facility import organization_id
from tests.clients.postman.examples import written
from tests.clients.postman.writing import TAG

PLACES = {"a": CLINIC_A, "b": HOSPITAL_B, "c": PHARMACY_C, "d": HOSPITAL_D}
ORGANIZATIONS = {letter: f"Organization/{organization_id(place.code)}" for letter, place in PLACES.items()}
RUN = "{{run}}"
"""Of each run: who was erased is taken by the network no more."""
NUMBERS = {letter: f"{number}{RUN}" for letter, number in (("a", 91), ("b", 92), ("c", 93))}
BIRTH, ADDRESS = "1961-05-17", "香川県高松市見本町99丁目7番7号"
FEMALE = {"system": "http://hl7.org/fhir/administrative-gender", "code": "female"}


def id_of(letter):
    """The id of what a facility has of her."""
    return f"story-{letter}-{RUN}"


def system(letter):
    """The system of a facility's patient numbers."""
    return f"urn:oid:1.2.392.100495.20.3.51.1{PLACES[letter].code}"


def upload(letter):
    """What a facility has of her: herself, and a laboratory result or a medicine."""
    subject = {"reference": f"Patient/{id_of(letter)}"}
    mine = {"subject": subject, "meta": {"tag": [TAG]}}
    a1c = {"system": "http://loinc.org", "code": "4548-4", "display": "Hemoglobin A1c/Hemoglobin.total in Blood"}
    percent = {"value": 6.8 if letter == "a" else 7.1, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    result = {
        "resourceType": "Observation", "id": id_of(letter), "status": "final", "code": {"coding": [a1c], "text": "HbA1c"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "effectiveDateTime": "2026-03-20T09:00:00+09:00", "valueQuantity": percent, **mine,
    }  # fmt: skip
    medicine = {
        "resourceType": "MedicationDispense", "id": id_of(letter), "status": "completed",
        "medicationCodeableConcept": {"text": "メトホルミン塩酸塩錠２５０ｍｇ"}, **mine,
    }  # fmt: skip
    return [_patient(letter), medicine if letter == "c" else result]


def _patient(letter):
    return {
        "resourceType": "Patient",
        "id": id_of(letter),
        "meta": {"tag": [TAG]},
        "identifier": [{"system": system(letter), "value": NUMBERS[letter]}],
        "name": [written("IDE", "物語", "花江", "物語 花江"), written("SYL", "モノガタリ", "ハナエ", "モノガタリ ハナエ")],
        "gender": "female",
        "birthDate": BIRTH,
        "address": [{"text": ADDRESS, "postalCode": "760-0099"}],
        "telecom": [{"system": "phone", "value": "087-000-7777"}],
    }


def signed():
    """Her form: hospital B explained it; each run hands in one of its own."""
    today, signature = {"valueDate": "{{today}}"}, {"type": [{"code": "1.2.840.10065.1.12.1.7"}], "when": "{{today}}T00:00:00+09:00"}
    signature["type"][0]["system"] = "urn:iso-astm:E1762-95:2013"
    return {
        "resourceType": "QuestionnaireResponse",
        "extension": [
            {"url": SIGNATURE, "valueSignature": {**signature, "who": {"display": "物語 花江"}, "sigFormat": "text/plain", "data": "c2FuZGJveA=="}}
        ],
        "identifier": {"system": "urn:tsunagi:postman:form", "value": "{{$guid}}"},
        "questionnaire": URL,
        "status": "completed",
        "subject": {"reference": f"Patient/{id_of('b')}"},
        "item": [
            _group("facility", date=today, name=_text("病院Ｂ"), responsible=_text("医師 四郎"), same={"valueBoolean": True}, phone=_text("087-000-0017")),
            _group("patient", kana=_text("モノガタリ ハナエ"), name=_text("物語 花江"), sex={"valueCoding": FEMALE},
                   address=_text(ADDRESS), **{"birth-date": {"valueDate": BIRTH}, "postal-code": _text("760-0099")}),
            *(_row(letter) for letter in "bac"),
            _group("agreement", decision=_chosen("agree"), scope=_chosen("listed"), date=today, name=_text("物語 花江"), signer=_chosen("patient")),
            _group("method", method=_chosen("electronic")),
        ],
    }  # fmt: skip


def _row(letter):
    place = {"valueReference": {"reference": ORGANIZATIONS[letter]}}
    return _group("facilities", facility=place, **{"patient-number": _text(NUMBERS[letter])})


def _group(block, **answers):
    return {"linkId": block, "item": [{"linkId": f"{block}.{name}", "answer": [answer]} for name, answer in answers.items()]}


def _chosen(code):
    return {"valueCoding": {"system": FORM_SYSTEM, "code": code}}


def _text(text):
    return {"valueString": text}
