"""A code belongs to a value set, does not, or nobody here can say."""

import pytest

from terminology.service import r4
from terminology.value_set import composed, expanded

TERMINOLOGY = r4()
FHIR = "http://hl7.org/fhir/ValueSet/"
V3 = "http://terminology.hl7.org/ValueSet/v3-"


@pytest.mark.parametrize(
    ("value_set", "code", "system", "belongs"),
    [
        (FHIR + "observation-status", "final", None, True),
        (FHIR + "observation-status", "final", "http://hl7.org/fhir/observation-status", True),
        (FHIR + "observation-status", "final", "http://hl7.org/fhir/request-status", False),
        (FHIR + "observation-status", "Final", None, False),
        (FHIR + "currencies", "JPY", "urn:iso:std:iso:4217", True),
        (FHIR + "currencies", "YEN", None, False),
        (FHIR + "mimetypes", "application/dicom", None, True),
        (FHIR + "mimetypes", "text/plain; charset=utf-8", None, True),
        (FHIR + "mimetypes", "json", None, True),
        (FHIR + "mimetypes", "text", None, False),
        (FHIR + "all-languages", "ja-JP", None, True),
        (FHIR + "all-languages", "日本語", None, False),
        (FHIR + "ucum-units", "mg/dL", "http://unitsofmeasure.org", None),
        (FHIR + "condition-code", "38341003", "http://snomed.info/sct", None),
        (FHIR + "units-of-time", "d", None, True),
        (FHIR + "units-of-time", "fortnight", None, False),
        (V3 + "ActEncounterCode", "IMP", "http://terminology.hl7.org/CodeSystem/v3-ActCode", True),
        (V3 + "ActEncounterCode", "_ActEncounterCode", "http://terminology.hl7.org/CodeSystem/v3-ActCode", False),
        (V3 + "ActEncounterCode", "CASH", "http://terminology.hl7.org/CodeSystem/v3-ActCode", False),
        ("http://example.org/nothing", "x", None, None),
    ],
)
def test_membership_has_three_answers(value_set, code, system, belongs):
    assert TERMINOLOGY.validate_code(value_set, code, system) is belongs


# Where FHIR's own expansions differ from what their definitions say: they leave out codes that are deprecated in the
# code system, or list codes of systems (ISO 4217, CVX, IHE) that are not in the package.
EXPANDED_OTHERWISE = {
    "http://hl7.org/fhir/ValueSet/currencies",
    "http://hl7.org/fhir/ValueSet/diagnostic-service-sections",
    "http://hl7.org/fhir/ValueSet/formatcodes",
    "http://hl7.org/fhir/ValueSet/observation-interpretation",
    "http://hl7.org/fhir/ValueSet/patient-contactrelationship",
    "http://hl7.org/fhir/ValueSet/relatedperson-relationshiptype",
    "http://hl7.org/fhir/ValueSet/security-labels",
    "http://hl7.org/fhir/ValueSet/vaccine-code",
    "http://terminology.hl7.org/ValueSet/v2-0487",
    "http://terminology.hl7.org/ValueSet/v2-0916",
    "http://terminology.hl7.org/ValueSet/v3-ActCode",
}


def test_what_is_worked_out_from_definitions_agrees_with_the_official_expansions():
    differ, compared = set(), 0
    for url, data in TERMINOLOGY._expansions.items():
        official = expanded(data)
        if official is not None and url in TERMINOLOGY._value_sets:
            compared += 1
            worked_out = composed(TERMINOLOGY._value_sets[url], TERMINOLOGY.code_system, TERMINOLOGY.members)
            if worked_out.known != official.known:
                differ.add(url)
            assert all(worked_out.contains(code, system) is not False for system, code in official.known)
    assert compared > 450
    assert differ == EXPANDED_OTHERWISE


def test_a_value_set_that_includes_itself_is_still_answered():
    include = b'{"compose":{"include":[{"valueSet":["http://example.org/itself"]},{"system":"urn:s","concept":[{"code":"a"}]}]}}'
    members = composed(include, lambda _: None, lambda _: None)
    assert members.contains("a", "urn:s") is True
    assert members.contains("b", "urn:s") is None
