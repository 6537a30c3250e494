"""The prefixes against a naive reading of the specification, and the logic of Expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.expression import (
    EVERYTHING,
    NOTHING,
    And,
    Entries,
    ForPatient,
    Grouped,
    Has,
    HasPrefix,
    Not,
    OfType,
    Or,
    Present,
    Related,
    RelatedBy,
    Span,
    Spans,
    WithId,
)
from fhir_server.search.holding import Subject, holds
from fhir_server.search.types.number import PREFIXES

bounds = st.integers(0, 9)
intervals = st.tuples(bounds, bounds).map(sorted)


def naive(prefix: str, target: set[int], search: set[int]) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix, word for word, over sets of points."""
    above = {point for point in range(20) if point > max(search)}
    below = {point for point in range(-10, 10) if point < min(search)}
    match prefix:
        case "eq":
            return target <= search
        case "ne":
            return not target <= search
        case "gt":
            return bool(above & target)
        case "lt":
            return bool(below & target)
        case "ge":
            return bool(above & target) or target <= search
        case "le":
            return bool(below & target) or target <= search
        case "sa":
            return target <= above
        case "eb":
            return target <= below
        case "ap":
            return bool(search & target)
    raise AssertionError(prefix)


@pytest.mark.parametrize("prefix", PREFIXES)
@given(target=intervals, search=intervals)
def test_a_prefix_means_what_the_specification_says(prefix, target, search):
    subject = Subject("Observation", "1", Entries(spans=(Span("date", *target),)))
    expected = naive(prefix, set(range(target[0], target[1] + 1)), set(range(search[0], search[1] + 1)))
    assert holds(Spans("date", prefix, *search), subject) is expected


SUBJECT = Subject("Observation", "1", Entries(("code=a", "code=s|a", "date<1"), patient="*", patients=("Patient/1", "Patient/2")))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (EVERYTHING, True),
        (NOTHING, False),
        (Not(NOTHING), True),
        (OfType(("Patient", "Observation")), True),
        (WithId(("2",)), False),
        (ForPatient("Patient/2"), True),
        (ForPatient("Patient/3"), False),
        (And((Has("code", "a"), Not(Has("code", "b")))), True),
        (Or((Has("code", "b"), HasPrefix("code", "s|"))), True),
        (Present("date"), True),
        (Present("dat"), False),
        (Grouped("code-value-quantity", ()), False),
    ],
)
def test_expressions_are_logic(expression, expected):
    assert holds(expression, SUBJECT) is expected


@pytest.mark.parametrize("expression", [Related("subject", ("Patient",), EVERYTHING), RelatedBy("Observation", "subject", EVERYTHING)])
def test_what_needs_a_repository_is_not_judged_in_memory(expression):
    with pytest.raises(TypeError):
        holds(expression, SUBJECT)


@given(st.text(), st.text())
def test_an_unknown_prefix_is_a_mistake_of_ours(prefix, parameter):
    if prefix not in PREFIXES:
        with pytest.raises(ValueError, match=r".*"):
            holds(Spans(parameter, prefix, 0, 1), Subject("Observation", "1", Entries(spans=(Span(parameter, 0, 1),))))
