"""The consent forms (様式6) that the fixture's patients signed, as answers to the network's Questionnaire.

NETWORK.md F066-F073, L19: the facility that hands one in stands in the first row; a mother signs for her child.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from fhir_server.network.consent_form.form import SIGNATURE
from fhir_server.network.consent_form.questionnaire import FORM_SYSTEM, URL
from fhir_server.sandbox.facilities import FACILITIES
from fhir_server.sandbox.names import Name
from fhir_server.sandbox.network import BY_KEY, Agreement

FORMS: Final = "urn:tsunagi:sandbox:consent-form"
"""System of the identifiers that facilities of the sandbox give their forms: sent twice, a form is one."""
_SEX: Final = {"M": "male", "F": "female"}
_RELATIONSHIPS: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_FACILITIES: Final = {each.code: each for each in FACILITIES}

Resource = dict[str, Any]


def form(agreement: Agreement, codes: Iterable[str], subject: str, organization_id: Callable[[str], str]) -> Resource:
    """Fill in the form of an agreement: `codes` are the facilities in the order of the rows, `subject` the first one's "Patient/1"."""
    rows = tuple(codes)
    return {
        "resourceType": "QuestionnaireResponse",
        "extension": [{"url": SIGNATURE, "valueSignature": _signature(agreement)}],
        "identifier": {"system": FORMS, "value": agreement.patient},
        "questionnaire": URL,
        "status": "completed",
        "subject": {"reference": subject},
        "item": [
            _explained(agreement, rows[0]),
            _patient(agreement),
            *(_row(agreement, code, organization_id) for code in rows),
            _agreed(agreement),
            _group("method", method=_chosen("electronic")),
        ],
    }


def _signature(agreement: Agreement) -> Resource:
    """As electronic as made-up people are: the picture of a signature is a word."""
    return {
        "type": [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.7", "display": "Consent Signature"}],
        "when": f"{agreement.signed.isoformat()}T10:00:00+09:00",
        "who": {"display": _signer(agreement)},
        "sigFormat": "text/plain",
        "data": "c2FuZGJveA==",
    }


def _explained(agreement: Agreement, code: str) -> Resource:
    facility = _FACILITIES[code]
    answers: Resource = {"date": {"valueDate": agreement.signed.isoformat()}, "name": _text(facility.name), "phone": _text(facility.phone)}
    return _group("facility", **answers, responsible=_text("説明 太郎"), same={"valueBoolean": True})


def _patient(agreement: Agreement) -> Resource:
    person = BY_KEY[agreement.patient].person
    return _group(
        "patient",
        **{"birth-date": {"valueDate": person.birth.isoformat()}, "postal-code": _text(person.address.postal_code)},
        kana=_text(f"{person.name.family_kana} {person.name.given_kana}"),
        name=_text(_written(person.name)),
        sex=_chosen(_SEX[person.sex], "http://hl7.org/fhir/administrative-gender"),
        address=_text(person.address.text),
        mobile=_text(person.mobile),
    )


def _row(agreement: Agreement, code: str, organization_id: Callable[[str], str]) -> Resource:
    answers: Resource = {"facility": {"valueReference": {"reference": f"Organization/{organization_id(code)}"}}}
    number = BY_KEY[agreement.patient].numbers.get(code)
    return _group("facilities", **answers, **({"patient-number": _text(number)} if number is not None else {}))


def _agreed(agreement: Agreement) -> Resource:
    answers: Resource = {
        "decision": _chosen("agree"),
        "scope": _chosen("listed"),
        "date": {"valueDate": agreement.signed.isoformat()},
        "name": _text(_signer(agreement)),
        "signer": _chosen("patient" if agreement.signed_by == "patient" else "proxy"),
    }
    if agreement.signed_by != "patient":
        answers |= {"relationship": _chosen(agreement.signed_by, _RELATIONSHIPS), "incapacity": _chosen("minor")}
    return _group("agreement", **answers)


def _signer(agreement: Agreement) -> str:
    person = BY_KEY[agreement.patient].person
    relative = person.relative if agreement.signed_by != "patient" else None
    return _written(relative.name if relative is not None else person.name)


def _written(name: Name) -> str:
    return f"{name.family} {name.given}"


def _group(block: str, **answers: Resource) -> Resource:
    return {"linkId": block, "item": [{"linkId": f"{block}.{name}", "answer": [answer]} for name, answer in answers.items()]}


def _chosen(code: str, system: str = FORM_SYSTEM) -> Resource:
    return {"valueCoding": {"system": system, "code": code}}


def _text(text: str) -> Resource:
    return {"valueString": text}
