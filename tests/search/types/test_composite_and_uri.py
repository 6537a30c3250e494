"""Values that belong together, and addresses."""

import pytest

from fhir_server.search.expression import And, Has, Or
from tests.search.judge import answers, found_by, query, refusal

PRESSURE = {
    "resourceType": "Observation",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "component": [
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 150, "unit": "mmHg"}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
    ],
}
VALUE_SET = {"resourceType": "ValueSet", "url": "http://example.jp/fhir/ValueSet/a"}


@pytest.mark.parametrize(
    "search",
    [
        "component-code-value-quantity=8480-6$gt140", "component-code-value-quantity=http://loinc.org|8462-4$80||mmHg",
        "combo-code-value-quantity=8480-6$150", "component-code-value-quantity=x$1,8462-4$lt81",
    ],
)  # fmt: skip
def test_the_parts_of_one_component_answer_together(search):
    assert answers(f"Observation?{search}", PRESSURE)


@pytest.mark.parametrize(
    "search", ["component-code-value-quantity=8462-4$gt140", "code-value-quantity=85354-9$150", "combo-code-value-quantity=85354-9$150"]
)
def test_parts_of_different_components_do_not(search):
    assert not answers(f"Observation?{search}", PRESSURE)


def test_text_concept_and_date_belong_together_too():
    note = {"resourceType": "Observation", "code": {"coding": [{"code": "note"}]}, "valueString": "陽性 (++)"}
    assert answers("Observation?code-value-string=note$陽", note)
    assert not answers("Observation?code-value-string=note$陰", note)
    group = {"resourceType": "Group", "characteristic": [{"code": {"text": "sex"}, "valueCodeableConcept": {"coding": [{"code": "f"}]}}]}
    assert found_by(group).groups == ()
    blood = {"resourceType": "Observation", "code": {"coding": [{"code": "abo"}]}, "valueCodeableConcept": {"coding": [{"code": "A"}]}}
    assert answers("Observation?code-value-concept=abo$A", blood)
    at = {"resourceType": "Observation", "code": {"coding": [{"code": "at"}]}, "valueDateTime": "2024-05-10"}
    assert answers("Observation?code-value-date=at$2024-05", at)


def test_a_part_may_come_from_elsewhere_in_the_resource():
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": {"coding": [{"code": "1"}]}, "windowStart": 10, "windowEnd": 20},
        "variant": [{"start": 12, "end": 13}, {"start": 15, "end": 16}],
    }
    assert answers("MolecularSequence?chromosome-variant-coordinate=1$ge12$le13", sequence)
    assert answers("MolecularSequence?chromosome-window-coordinate=1$10$20", sequence)
    assert not answers("MolecularSequence?chromosome-variant-coordinate=1$ge15$le13", sequence)


def test_the_index_finds_the_code_of_a_composite():
    for search, lead in (
        ("code-value-quantity=8480-6$gt140", Has("code", "8480-6")),
        ("component-code-value-quantity=urn:s|a$gt140", Has("component-code", "urn:s|a")),
    ):
        (_, asked) = query(f"Observation?{search}").expression.parts
        assert isinstance(asked, And)
        assert asked.parts[0] == lead
    (_, asked) = query("Observation?combo-code-value-quantity=8480-6$gt140").expression.parts
    assert isinstance(asked, Or)
    assert [part.parts[0] for part in asked.parts] == [Has("code", "8480-6"), Has("component-code", "8480-6")]


def test_a_relation_between_documents_is_one():
    document = {"resourceType": "DocumentReference", "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/old"}}]}
    assert answers("DocumentReference?relationship=DocumentReference/old$replaces", document)
    assert answers("DocumentReference?relationship=old$replaces", document)
    assert not answers("DocumentReference?relationship=old$transforms", document)


@pytest.mark.parametrize("search", ["8480-6", "8480-6$", "$5", "a$5$6", "8480-6$five"])
def test_what_is_no_pair_is_refused(search):
    assert refusal(f"Observation?code-value-quantity={search}").issues[0].code == "value"


@pytest.mark.parametrize("modifier", ["missing", "not", "exact"])
def test_a_composite_has_no_modifiers(modifier):
    assert refusal(f"Observation?code-value-quantity:{modifier}=true").issues[0].code == "not-supported"


def test_a_uri_matches_whole_or_from_its_beginning():
    assert answers("ValueSet?url=http://example.jp/fhir/ValueSet/a", VALUE_SET)
    assert answers("ValueSet?url:below=http://example.jp/fhir/", VALUE_SET)
    assert not answers("ValueSet?url=http://example.jp/fhir/ValueSet", VALUE_SET)
    assert not answers("ValueSet?url=HTTP://example.jp/fhir/ValueSet/a", VALUE_SET)
    assert refusal("ValueSet?url:contains=http://example.jp").issues[0].code == "not-supported"


@pytest.mark.parametrize(
    ("url", "search"),
    [
        ("http://acme.org/fhir/ValueSet/123", "above=http://acme.org/fhir/ValueSet/123/_history/5"),
        ("http://acme.org/fhir/", "above=http://acme.org/fhir/ValueSet"),
        ("http://acme.org", "above=http://acme.org/fhir"),
        ("urn:oid:1.2.392", "above=urn:oid:1.2.392.200119"),
        ("urn:oid:1.2.392.200119", "below=urn:oid:1.2.392"),
        ("urn:oid:1.2.392", "below=urn:oid:1.2.392"),
        ("urn:oid:1.2.392", "above=urn:oid:1.2.392"),
    ],
)
def test_a_uri_is_found_by_what_is_above_and_below(url, search):
    assert answers(f"ValueSet?url:{search}", {**VALUE_SET, "url": url})


@pytest.mark.parametrize(
    ("url", "search"),
    [
        ("http://acme.org/fhir/ValueSet/12", "above=http://acme.org/fhir/ValueSet/123"),
        ("http://acme.org/fhir/ValueSet/123", "above=http://acme.org/fhir"),
        ("urn:oid:1.20", "below=urn:oid:1.2"),
        ("urn:oid:1.2", "above=urn:oid:1.20"),
        ("http:", "above=http://acme.org"),
    ],
)
def test_a_uri_beside_it_is_not_found(url, search):
    assert not answers(f"ValueSet?url:{search}", {**VALUE_SET, "url": url})


def test_a_urn_has_no_above_and_no_endless_path():
    assert refusal("ValueSet?url:above=urn:uuid:a").issues[0].code == "value"
    assert refusal("ValueSet?url:above=http://" + "a/" * 200).issues[0].code == "too-costly"
