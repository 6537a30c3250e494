"""Query strings: what they mean, and how they are refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search.controls import Sort
from fhir_server.search.expression import And, ForPatient, Has, Not, OfType, Or, Related, RelatedBy, WithId
from fhir_server.search.include import Include
from fhir_server.search.limits import Limits
from fhir_server.search.query import parse
from profiles.primitives import TOKYO
from tests.search.judge import NOW, parameters, query, refusal


def test_repeats_are_all_of_them_and_commas_any_of_them():
    parts = query("Observation?code=a,b&code=c&patient=p1").expression.parts
    assert parts == (OfType(("Observation",)), Or((Has("code", "a"), Has("code", "b"))), Has("code", "c"), ForPatient("Patient/p1"))


def test_not_of_several_is_none_of_them():
    assert query("Patient?gender:not=male,other").expression.parts[1] == And((Not(Has("gender", "male")), Not(Has("gender", "other"))))


def test_ids_are_one_set():
    assert query("Patient?_id=a,b,a").expression.parts[1] == WithId(("a", "b"))


def test_a_chain_asks_of_another_resource():
    assert query("Observation?patient.identifier=urn:x|1").expression.parts[1] == Related(
        "patient", ("Patient",), Has("identifier", "urn:x|1"), leads=True
    )
    assert query("Observation?subject:Device.identifier=1").expression.parts[1] == Related(
        "subject", ("Device",), Has("identifier", "1"), leads=True
    )


def test_a_chain_goes_to_every_type_that_knows_the_parameter():
    (_, related) = query("Observation?performer.gender=male").expression.parts
    assert related == Related("performer", ("Practitioner", "Patient", "RelatedPerson"), Has("gender", "male"))


def test_a_chain_may_be_long_but_not_endless():
    (_, related) = query("Observation?encounter:Encounter.service-provider.partof.name=x").expression.parts
    assert isinstance(related, Related)
    assert isinstance(related.expression, Related)
    failure = refusal("Organization?partof.partof.partof.partof.name=x")
    assert (failure.status, failure.issues[0].code) == (400, "too-costly")


def test_has_asks_for_what_refers_here():
    assert query("Patient?_has:Observation:patient:code=a").expression.parts[1] == RelatedBy("Observation", "patient", Has("code", "a"))
    nested = query("Patient?_has:Observation:patient:_has:Provenance:target:recorded=2024").expression.parts[1]
    assert isinstance(nested, RelatedBy)
    assert isinstance(nested.expression, RelatedBy)
    chained = query("Observation?patient._has:Condition:patient:code=a").expression.parts[1]
    assert chained == Related("patient", ("Patient",), RelatedBy("Condition", "patient", Has("code", "a")), leads=True)


@pytest.mark.parametrize(
    ("search", "code"),
    [
        ("Patient?nome=x", "not-supported"),
        ("Patient?$where=1", "not-supported"),
        ("Patient?__proto__=1", "not-supported"),
        ("Patient?constructor=1", "not-supported"),
        ('Patient?{"$ne":null}=1', "not-supported"),
        ("Patient?name.family=x", "not-supported"),
        ("Patient?_has:Observation:patient=x", "value"),
        ("Patient?_has:Nothing:patient:code=x", "not-supported"),
        ("Patient?_has:Observation:encounter:code=x", "not-supported"),
        ("Patient?_has:Observation:code:code=x", "not-supported"),
        ("Observation?patient.nothing=x", "not-supported"),
        ("Observation?subject:Medication.code=x", "not-supported"),
        ("Provenance?target.status=x", "too-costly"),
        ("Patient?name:=x", "value"),
        ("Patient?name:missing=maybe", "value"),
        ("Patient?identifier=", "value"),
        ("Patient?identifier=a,,b", "value"),
        ("Patient?identifier=a%00b", "value"),
        ("Patient?_elements=nothing", "not-supported"),
        ("Patient?_elements=Observation.name", "not-supported"),
        ("Patient?_elements=name..family", "value"),
        ("Patient?_summary=yes", "not-supported"),
        ("Patient?_summary=true&_elements=name", "value"),
        ("Patient?_contained=maybe", "not-supported"),
        ("Patient?_total=yes", "not-supported"),
        ("Patient?_sort=nothing", "not-supported"),
        ("Observation?_sort=code-value-quantity", "not-supported"),
        ("Patient?_sort:desc=name", "not-supported"),
        ("Patient?_include=Patient:name", "not-supported"),
        ("Patient?_include=Observation:subject", "value"),
        ("Patient?_include=Patient", "value"),
        ("Patient?_revinclude=Encounter:appointment", "not-supported"),
        ("Patient?_count=-1", "value"),
        ("Patient?_count=ten", "value"),
        ("Patient?_count=１", "value"),
        ("Patient?_count=1&_count=2", "value"),
        ("Patient?_type=Patient", "not-supported"),
        ("Patient?_list=$current-problems", "not-supported"),
        ("Patient?_query=current-high-risk", "not-supported"),
    ],
)  # fmt: skip
def test_s47_what_is_not_understood_is_refused_by_name(search, code):
    failure = refusal(search)
    assert (failure.status, failure.issues[0].code) == (400, code)
    assert failure.issues[0].expression[0].startswith(search.partition("?")[0] + "?")


def test_lenient_handling_leaves_out_what_it_does_not_know_and_says_so():
    understood = query("Patient?nome=x&gender=male&_elements=foo&identifier=&_sort=foo", strict=False)
    assert understood.ignored == (("nome", "x"), ("_elements", "foo"), ("identifier", ""), ("_sort", "foo"))
    assert understood.understood == (("gender", "male"),)


@pytest.mark.parametrize("search", ["Patient?name:foo=x", "Patient?birthdate=x", "Observation?value-quantity=x"])
def test_lenient_handling_never_changes_the_meaning_silently(search):
    assert refusal(search, strict=False).status == 400


def test_a_refusal_repeats_no_value():
    assert "佐藤" not in str(refusal("Patient?birthdate=佐藤")) + str(refusal("Patient?_count=佐藤"))


@pytest.mark.parametrize(
    ("asked", "served"), [("", 50), ("_count=1", 1), ("_count=0", 0), ("_count=1000000000", 1000), ("_count=1001", 1000)]
)
def test_s49_a_page_has_a_largest_size(asked, served):
    understood = query(f"Patient?{asked}")
    assert understood.count == served
    assert understood.understood == ((("_count", str(served)),) if asked else ())


def test_a_summary_of_the_count_is_a_page_of_none():
    assert query("Patient?_summary=count").count == 0
    assert query("Patient?_summary=false&_total=accurate&_contained=false&_format=json&_pretty=true").total == "accurate"


def test_the_order_names_known_parameters():
    assert query("Observation?_sort=-date,_id,status").sort == (
        Sort("date", descending=True, type="date", main=True), Sort("_id"), Sort("status"),
    )  # fmt: skip


def test_includes_name_their_references():
    understood = query(
        "Observation?_include=Observation:subject:Patient&_include:iterate=Patient:organization&_revinclude=Provenance:target"
    )
    assert understood.includes == (Include("Observation", "subject", "Patient"), Include("Patient", "organization", iterate=True))
    assert understood.revincludes == (Include("Provenance", "target", "Observation"),)
    everything = query("Encounter?_include=Encounter:*").includes
    assert Include("Encounter", "subject") in everything
    assert Include("Encounter", "date") not in everything


def test_a_search_has_an_end():
    assert refusal("Patient?" + "&".join(["gender=male"] * 101)).issues[0].code == "too-costly"
    assert refusal("Patient?_id=" + ",".join(map(str, range(501)))).issues[0].code == "too-costly"
    assert refusal("Provenance?target=" + ",".join(map(str, range(20)))).issues[0].code == "too-costly"
    assert refusal("Observation?performer.identifier=" + ",".join(map(str, range(500)))).issues[0].code == "too-costly"


def test_s57_types_are_spelt_as_fhir_spells_them():
    assert refusal("patient?name=x").status == 404


names = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["name", "birthdate", "identifier", "general-practitioner", "link", "_id", "_lastUpdated", "_has:Observation:patient:code", "_has:", "name:",
         "organization.name", "organization:Organization.partof.name", "link:Patient.birthdate", "_sort", "_count", "_include", "_revinclude",
         "_after", "_summary", "_total", "_tag", "_profile:below", "birthdate:missing", "code-value-quantity", "value-quantity", "probability"]
    ),
    st.from_regex(r"(_has:)?[A-Za-z\-]{1,12}(:[A-Za-z]{0,9})?(\.[a-z:]{0,9}){0,5}", fullmatch=True),
)  # fmt: skip
values = st.one_of(
    st.text(max_size=40),
    st.text(alphabet="0123456789-+.:TZeE,|$\\ gtalpne", max_size=24),
    st.from_regex(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?[0-9]{1,6}(-[0-9]{1,3}){0,3}(T[0-9:.]{0,15})?([Z+\-][0-9:]{0,6})?", fullmatch=True),
    st.from_regex(r"(ap|ne)?-?[0-9]{1,45}(\.[0-9]{0,45})?([eE][+-]?[0-9]{1,5})?(\|[a-z]*){0,3}", fullmatch=True),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Mn", "Co"]), max_size=8),
)


@settings(max_examples=1500, deadline=None)
@given(
    type=st.sampled_from(["Patient", "Observation", "RiskAssessment", "Group"]),
    pairs=st.lists(st.tuples(names, values), max_size=4),
    strict=st.booleans(),
)
def test_s47_whatever_is_asked_only_fhir_errors_come_back(type, pairs, strict):
    try:
        parse(type, pairs, parameters(), strict=strict, zone=TOKYO, limits=Limits(), now=NOW)
    except FhirError as failure:
        assert 400 <= failure.status < 500
        assert failure.issues[0].expression
