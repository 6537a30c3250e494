"""The hard requirements of JP Core 1.2.0 that SS-MIX2 data can break, as a table.

http://jpfhir.jp/fhir/core/1.2.0/ - the profiles themselves are not part of this repository.
"""

from decimal import Decimal

import pytest

from mappers.mapping import complete
from tests.mappers.every_kind import EVERY_KIND

PROFILES = "http://jpfhir.jp/fhir/core/StructureDefinition/"
IDS = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/"


def at(value, path):
    """Give all values at a path such as `category.coding.code`."""
    found = [value]
    for step in path.split("."):
        found = [
            each
            for one in found
            if isinstance(one, dict) and step in one
            for each in (one[step] if isinstance(one[step], list) else [one[step]])
        ]
    return found


def one_or_more(path):
    return lambda resource: len(at(resource, path)) >= 1


def exactly_one(path):
    return lambda resource: len(at(resource, path)) == 1


def holds(path, value):
    return lambda resource: value in at(resource, path)


def always(path, value):
    return lambda resource: all(each == value for each in at(resource, path))


def identifier_of(system):
    return lambda resource: len([each for each in resource["identifier"] if each["system"] == system]) == 1


def first_category(code):
    system = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
    return lambda resource: resource["category"][0]["coding"] == [{"system": system, "code": code}]


def value_or_reason(resource):
    kinds = [key for key in resource if key.startswith("value")]
    return kinds in (["valueQuantity"], ["valueCodeableConcept"], ["valueString"]) or (not kinds and "dataAbsentReason" in resource)


def medicine_quantities_complete(resource):
    quantities = at(resource, "dispenseRequest.quantity") + at(resource, "dosageInstruction.doseAndRate.doseQuantity")
    quantities += at(resource, "dosageInstruction.doseAndRate.rateRatio.numerator")
    return bool(quantities) and all(isinstance(each["value"], Decimal) and each["code"] for each in quantities)


def per_day(resource):
    day = {"value": Decimal(1), "unit": "日", "system": "http://unitsofmeasure.org", "code": "d"}
    return all(each == day for each in at(resource, "dosageInstruction.doseAndRate.rateRatio.denominator"))


def in_days(path):
    return lambda resource: all(
        (each["unit"], each["system"], each["code"]) == ("日", "http://unitsofmeasure.org", "d") for each in at(resource, path)
    )


TABLE = [
    ("JP_Patient", "identifier 1..*", one_or_more("identifier")),
    ("JP_Patient", "identifier.value 1..1", lambda each: len(at(each, "identifier.value")) == len(each["identifier"])),
    ("JP_Observation_LabResult", "category:first laboratory", first_category("laboratory")),
    ("JP_Observation_LabResult", "category max one first", exactly_one("category")),
    ("JP_Observation_LabResult", "code.coding 1..*", one_or_more("code.coding")),
    ("JP_Observation_LabResult", "code.text 1..1", exactly_one("code.text")),
    ("JP_Observation_LabResult", "subject 1..1", exactly_one("subject.reference")),
    ("JP_Observation_LabResult", "effective[x] 1..1", exactly_one("effectiveDateTime")),
    ("JP_Observation_LabResult", "specimen 1..1", exactly_one("specimen.reference")),
    ("JP_Observation_LabResult", "value[x] Quantity, CodeableConcept or string", value_or_reason),
    ("JP_Observation_BodyMeasurement", "category:first body-measurement", first_category("body-measurement")),
    ("JP_Observation_BodyMeasurement", "subject 1..1", exactly_one("subject.reference")),
    ("JP_Observation_Common", "category:first", first_category("laboratory")),
    ("JP_MedicationRequest", "identifier:rpNumber 1..1", identifier_of(f"{IDS}Medication-RPGroupNumber")),
    ("JP_MedicationRequest", "identifier:orderInRp 1..1", identifier_of(f"{IDS}MedicationAdministrationIndex")),
    ("JP_MedicationRequest", "authoredOn 1..1", exactly_one("authoredOn")),
    ("JP_MedicationRequest", "quantities with value and code", medicine_quantities_complete),
    ("JP_MedicationRequest", "rateRatio.denominator 1 日", per_day),
    ("JP_MedicationRequest", "expectedSupplyDuration 日", in_days("dispenseRequest.expectedSupplyDuration")),
    ("JP_MedicationRequest", "boundsDuration 日", in_days("dosageInstruction.timing.repeat.boundsDuration")),
    (
        "JP_DiagnosticReport_LabResult",
        "category:first LP29693-6 of LOINC",
        lambda each: each["category"] == [{"coding": [{"system": "http://loinc.org", "code": "LP29693-6"}]}],
    ),
    ("JP_DiagnosticReport_LabResult", "code 11502-2", holds("code.coding.code", "11502-2")),
    ("JP_DiagnosticReport_LabResult", "code display", holds("code.coding.display", "検体検査報告書")),
    (
        "JP_Condition_Diagnosis",
        "codings only with a system",
        lambda each: len(at(each, "code.coding.system")) == len(each["code"]["coding"]),
    ),
    (
        "JP_Condition_Diagnosis",
        "con-4: what abated is not active",
        lambda each: "abatementDateTime" not in each or each["clinicalStatus"]["coding"][0]["code"] != "active",
    ),
    ("JP_Coverage", "beneficiary 1..1", exactly_one("beneficiary.reference")),
    (
        "JP_Coverage",
        "identifier:insuranceIdentifier",
        always("identifier.system", "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"),
    ),
    ("JP_AllergyIntolerance", "patient 1..1", exactly_one("patient.reference")),
    ("JP_Specimen_Common", "subject", exactly_one("subject.reference")),
    ("JP_ServiceRequest_Common", "status, intent, subject", lambda each: {"status", "intent", "subject"} <= each.keys()),
    ("JP_Encounter", "status and class", lambda each: {"status", "class"} <= each.keys()),
    ("JP_Organization", "org-1: a name or an identifier", one_or_more("identifier")),
    ("JP_Practitioner", "name", one_or_more("name.text")),
    ("JP_Location", "name", exactly_one("name")),
]


def resources_of(profile):
    bundles = (complete(make(), []).bundle for make in EVERY_KIND.values())
    return [
        entry["resource"]
        for bundle in bundles
        for entry in bundle["entry"]
        if f"{PROFILES}{profile}" in entry["resource"].get("meta", {}).get("profile", [])
    ]


@pytest.mark.parametrize(("profile", "requirement", "met"), TABLE, ids=lambda value: value if isinstance(value, str) else "")
def test_the_profile_demands(profile, requirement, met):
    found = resources_of(profile)
    assert found
    assert all(met(resource) for resource in found), requirement


def test_every_resource_claims_exactly_one_profile_of_jp_core():
    for make in EVERY_KIND.values():
        for entry in complete(make(), []).bundle["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] != "Provenance":
                assert len(resource["meta"]["profile"]) == 1
                assert resource["meta"]["profile"][0].startswith(f"{PROFILES}JP_{resource['resourceType']}")
