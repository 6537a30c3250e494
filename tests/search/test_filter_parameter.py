"""The grammar of _filter, and what it means. https://hl7.org/fhir/R4/search_filter.html."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.outcome import FhirError
from fhir_server.search.expression import And, Contains, EndsWith, ForPatient, Has, HasPrefix, Not, Or, Present, Related, Spans, WithId
from fhir_server.search.filter_grammar import OPERATORS, Comparison, Joined, Negated, Step, tree
from fhir_server.search.limits import Limits
from fhir_server.search.types.asked import Refused
from tests.search.judge import query, refusal


def comparison(name, operator="eq", value="x"):
    return Comparison((Step(name),), operator, value)


def meaning(type, text):
    return query(f"{type}?_filter={text}").expression.parts[1]


A, B, C = (comparison(name) for name in "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a eq x", A),
        ("  a   eq\tx ", A),
        ('a eq "x"', A),
        ('a co "p e)t\\"\\u3042"', comparison("a", "co", 'p e)t"あ')),
        ("a eq x and b eq x", Joined(both=True, parts=(A, B))),
        ("a eq x and b eq x and c eq x", Joined(both=True, parts=(A, B, C))),
        ("a eq x or b eq x and c eq x", Joined(both=True, parts=(Joined(both=False, parts=(A, B)), C))),
        ("a eq x or (b eq x and c eq x)", Joined(both=False, parts=(A, Joined(both=True, parts=(B, C))))),
        ("not (a eq x)", Negated(A)),
        ("not (a eq x) or b eq x", Joined(both=False, parts=(Negated(A), B))),
        ("not(a eq x)", Negated(A)),
        ("not eq x", comparison("not")),  # a search parameter may have any name
        ("a.b eq x", Comparison((Step("a"), Step("b")), "eq", "x")),
        ("a[c eq x].b eq x", Comparison((Step("a", C), Step("b")), "eq", "x")),
        ("z.a[c eq x].b:T.d eq x", Comparison((Step("z"), Step("a", C), Step("b:T"), Step("d")), "eq", "x")),
        ("a eq http://loinc.org|1234-5", comparison("a", "eq", "http://loinc.org|1234-5")),
        ('a eq "and"', comparison("a", "eq", "and")),
    ],
)
def test_a_filter_is_read_from_left_to_right(text, expected):
    assert tree(text, 20) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "a eq", "a eq and b eq x", "eq x", "a xx b", "a eq x b eq y", "(a eq x", "a eq x)", "()", "not", "not (", "not ()",
        "a eq x and", "and a eq x", "a eq x or or b eq x", 'a eq "x', "a[b eq x] eq y", "a[b eq x].", "a[].b eq x", "a..b eq x", ".a eq x",
        '"a" eq x', "a eq (x)", "$where eq x", '{"$ne":null} eq x', 'a eq "\\ud800"', 'a eq "\\u0000"', 'a eq "\\q"',
    ],
)  # fmt: skip
def test_s47_what_is_no_filter_is_refused(text):
    with pytest.raises(Refused):
        tree(text, 20)


def test_a_filter_is_nested_only_so_deep():
    limits = Limits(nesting=5)
    assert query("Patient?_filter=" + "(" * 5 + "active eq true" + ")" * 5, limits=limits)
    for text in ("(" * 6 + "active eq true" + ")" * 6, "not (" * 7 + "active eq true" + ")" * 7, "(" * 100_000):
        assert refusal(f"Patient?_filter={text}", limits=limits).issues[0].code == "too-costly"
    assert refusal("Patient?_filter=" + " or ".join(["active eq true"] * 2001)).issues[0].code == "too-costly"


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        ("Patient", "gender eq male", Has("gender", "male")),
        ("Patient", "gender ne male", And((Present("gender"), Not(Has("gender", "male"))))),
        ("Patient", "identifier sw urn:x|1", HasPrefix("identifier", "urn:x|1")),
        ("Patient", "_id ne 1", Not(WithId(("1",)))),
        ("Patient", "_id eq 1 or _id eq 2", WithId(("1", "2"))),
        ("Patient", "family co to", Contains("family", "to")),
        ("Patient", "family ew TO", EndsWith("family", "to")),
        ("Patient", 'family co "a,b"', Contains("family", "ab")),
        ("Patient", "gender pr true", Present("gender")),
        ("Patient", "gender pr false", Not(Present("gender"))),
        ("Observation", "subject re Patient/1", ForPatient("Patient/1")),
        ("Observation", "subject eq Patient/1", ForPatient("Patient/1")),
        ("Observation", "patient.gender eq male", Related("patient", ("Patient",), Has("gender", "male"), leads=True)),
        ("Observation", "patient[active eq true].gender eq male",
         Related("patient", ("Patient",), And((Has("active", "true"), Has("gender", "male"))), leads=True)),
        ("Observation", "combo-code eq c", Or((Has("code", "c"), Has("component-code", "c")))),
    ],
)  # fmt: skip
def test_a_filter_means_what_the_search_parameters_mean(type, text, expected):
    assert meaning(type, text) == expected


def test_operators_of_spans_are_their_prefixes():
    for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"):
        asked = meaning("Patient", f"birthdate {prefix} 2000-01-01")
        assert asked == query(f"Patient?birthdate={prefix}2000-01-01").expression.parts[1]
        number = meaning("RiskAssessment", f"probability {prefix} 0.5")
        assert number == query(f"RiskAssessment?probability={prefix}0.5").expression.parts[1]
    composite = meaning("Observation", "code-value-quantity eq a$gt5")
    assert composite == query("Observation?code-value-quantity=a$gt5").expression.parts[1]
    quantity = meaning("Observation", "value-quantity gt 5.4|urn:units|x")
    assert quantity == query("Observation?value-quantity=gt5.4|urn:units|x").expression.parts[1]
    overlapping = meaning("Encounter", "date po 2026-01")
    assert isinstance(overlapping, Spans)
    assert overlapping.prefix == "ap"


@pytest.mark.parametrize(
    ("type", "text", "code"),
    [
        ("Patient", "nothing eq x", "not-supported"),
        ("Patient", "gender co x", "not-supported"),
        ("Patient", "family gt x", "not-supported"),
        ("Patient", "birthdate sw 2000", "not-supported"),
        ("Patient", "birthdate eq x", "value"),
        ("Patient", "gender pr maybe", "value"),
        ("Patient", "gender.x eq y", "not-supported"),
        ("Patient", "link:Observation.code eq y", "not-supported"),
        ("Patient", "link:Patient eq y", "value"),
        ("Observation", "code-value-quantity eq x", "value"),
        ("Provenance", "target.status eq x", "too-costly"),
        ("Organization", "partof.partof.partof.partof.name eq x", "too-costly"),
        ("Observation", "performer[gender eq male].nothing eq x", "not-supported"),
    ],
)
def test_what_a_filter_cannot_mean_is_refused_by_name(type, text, code):
    failure = refusal(f"{type}?_filter={text}")
    assert (failure.status, failure.issues[0].code) == (400, code)
    assert failure.issues[0].expression == (f"{type}?_filter",)


words = st.one_of(
    st.sampled_from([*OPERATORS, "and", "or", "not", "(", ")", "[", "]", ".", '"', '"x y"', "family", "birthdate", "link.name", "2000", "true",
                     "general-practitioner:Practitioner.name", "value-quantity", "_id", "_lastUpdated", "identifier", "a|b", "\\"]),
    st.text(max_size=6),
)  # fmt: skip


@settings(max_examples=800, deadline=None)
@given(st.lists(words, max_size=12).map(" ".join), st.sampled_from(["Patient", "Observation"]))
def test_s47_whatever_a_filter_says_only_fhir_errors_come_back(text, type):
    try:
        query(f"{type}?" + "_filter=" + text.replace("%", "%25").replace("&", "%26").replace("+", "%2B").replace(";", "%3B"))
    except FhirError as failure:
        assert 400 <= failure.status < 500
        assert failure.issues[0].expression
