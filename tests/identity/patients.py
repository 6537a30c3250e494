"""Patients for tests of identity: one who agrees with herself in everything, and what is changed of her."""

from typing import Any

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
MEMBER = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
FACILITY_A, FACILITY_B = (f"urn:oid:1.2.392.100495.20.3.51.137100000{digits}" for digits in ("25", "33"))


def name(family: str, given: str, code: str | None = None, use: str = "usual") -> dict[str, Any]:
    extension = {"extension": [{"url": REPRESENTATION, "valueCode": code}]} if code else {}
    return {**extension, "use": use, "family": family, "given": [given]}


def number(system: str = FACILITY_A, value: str = "0000000101") -> dict[str, str]:
    return {"system": system, "value": value}


def member(value: str = "01379990:123:4567890:02") -> dict[str, str]:
    return {"system": MEMBER, "value": value}


def patient(*identifiers: dict[str, str], **elements: Any) -> dict[str, Any]:
    made = {
        "resourceType": "Patient",
        "identifier": list(identifiers or (number(), member())),
        "name": [name("渡辺", "翔子", "IDE"), name("ワタナベ", "ショウコ", "SYL")],
        "gender": "female",
        "birthDate": "1958-07-14",
        "telecom": [{"system": "phone", "value": "087-000-1234"}],
        "address": [{"text": "香川県高松市見本町99丁目12番3号", "postalCode": "760-0099"}],
        **elements,
    }
    return {element: value for element, value in made.items() if value is not None}


def elsewhere(*identifiers: dict[str, str], **elements: Any) -> dict[str, Any]:
    """The same person at another facility."""
    return patient(*(identifiers or (number(FACILITY_B, "77"), member())), **elements)
