"""Expression to MongoDB filter: it finds what `holds` says, and nothing that a user types becomes an operator."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.search.entries import updated_entry, updated_span
from fhir_server.search.expression import (
    AXES,
    EVERYTHING,
    NOTHING,
    And,
    Begins,
    Contains,
    EndsWith,
    Entries,
    Exactly,
    ForPatient,
    Group,
    Grouped,
    Has,
    HasPrefix,
    Near,
    Not,
    OfType,
    Or,
    Present,
    Span,
    Spans,
    StartsWith,
    WithId,
)
from fhir_server.search.holding import Subject, holds
from fhir_server.search.types.sortable import sortable_date, sortable_number
from fhir_server.search.types.string import index_prefix
from fhir_server.store.documents import Prepared, document
from fhir_server.store.filter import condition
from fhir_server.store.selection import selection
from fhir_server.store.writing import to_the_millisecond

TYPES = ("Patient", "Observation", "Group")
CODES = ("code", "name", "a", "a-b", "date", "value")
text = st.text(st.sampled_from("ab$.*\\^|é佐\n\U0010ffff\ud7ff "), max_size=4)
word = st.text(st.sampled_from("ab$.*\\é佐藤\n"), min_size=1, max_size=7)
parameter = st.sampled_from(CODES)
number = st.sampled_from([-math.inf, -2.5, -0.0, 0.0, 1.0, 1.5, 3.0, math.inf]) | st.integers(-3, 3).map(float)
instant = st.integers(-3, 3)
unit = st.sampled_from(["mg", "http://u|mg"])
patient = st.sampled_from([f"Patient/{n}" for n in range(4)])


def ordered(bounds):
    return st.tuples(bounds, bounds).map(sorted)


spans = ordered(instant).map(lambda b: Span("date", *b)) | st.builds(
    lambda bounds, units: Span("value", *bounds, tuple(units)), ordered(number), st.lists(unit, max_size=2)
)


in_base_units = ordered(number).map(lambda bounds: Span("value:g", *bounds))
points = st.tuples(*(st.sampled_from([-2.0, 0.0, 0.1, 1.5]) for _ in AXES))


def bounds(span):
    if ":" in span.parameter:  # what has a value in base units has one as it is written
        return ("value<", "value>")
    write = sortable_date if span.parameter == "date" else sortable_number
    return (f"{span.parameter}<{write(span.low)}", f"{span.parameter}>{write(span.high)}")


@st.composite
def found(draw):
    tokens = draw(st.lists(st.builds("{}={}".format, parameter, text), max_size=4))
    words = draw(st.lists(st.tuples(parameter, word), max_size=3))
    written = draw(st.lists(st.builds("{}={}".format, parameter, text), max_size=2))
    some = tuple(draw(st.lists(spans | in_base_units, max_size=3)))
    told = draw(st.lists(word, max_size=2))
    place = draw(st.none() | points)
    at = () if place is None else tuple(Span(f"near:{axis}", metres, metres) for axis, metres in zip(AXES, place, strict=True))
    prefixes = [f"{code}:{each[:length]}" for code, each in words for length in (1, 2, 3, 5) if length <= len(each)]
    groups = st.builds(
        lambda code, tokens, some: Group(code, (*tokens, *(b for span in some for b in bounds(span))), tuple(some)),
        parameter,
        st.lists(st.builds("{}={}".format, parameter, text), max_size=2),
        st.lists(spans, max_size=2),
    )
    patients = draw(st.lists(patient, max_size=2, unique=True))
    return Entries(
        entries=(
            *tokens,
            *prefixes,
            *(bound for span in some for bound in bounds(span)),
            *(("code:",) if told else ()),
            *(("near:",) if place else ()),
        ),
        words=(*(f"{code}:{each}" for code, each in words), *written, *(f"code:text:{each}" for each in told)),
        spans=(*some, *at),
        groups=tuple(draw(st.lists(groups, max_size=2))),
        patient=None if not patients else patients[0] if len(patients) == 1 else "*",
        patients=tuple(patients) if len(patients) > 1 else (),
        date=draw(st.integers(-5, 5)),
    )


prefix = st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"])
asked_spans = st.builds(lambda p, b: Spans("date", p, *b), prefix, ordered(instant)) | st.builds(
    lambda p, b, u: Spans("value", p, *b, u), prefix, ordered(number), st.none() | unit
)
begins = st.builds(lambda moment: Begins("date", sortable_date(moment)), instant)
in_groups = begins | st.builds(Has, parameter, text) | st.builds(HasPrefix, parameter, text) | st.builds(Present, parameter) | asked_spans
leaves = st.one_of(
    in_groups,
    st.builds(StartsWith, parameter | st.just("code:text"), word),
    st.builds(lambda p, b: Spans("value:g", p, *b), prefix, ordered(number)),
    st.builds(lambda at, reach: Near("near", *at, reach), points, st.sampled_from([0.0, 0.2, 2.5, 9.0])),
    st.builds(Exactly, parameter, text),
    st.builds(Contains, parameter, word),
    st.builds(EndsWith, parameter, word),
    st.builds(ForPatient, patient),
    st.builds(OfType, st.lists(st.sampled_from(TYPES), max_size=2).map(tuple)),
    st.builds(WithId, st.lists(st.integers(0, 5).map(str), max_size=3).map(tuple)),
    st.builds(
        Grouped,
        parameter,
        st.lists(in_groups | st.lists(in_groups, min_size=1, max_size=2).map(lambda p: Or(tuple(p))), max_size=2).map(tuple),
    ),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)
subjects = st.lists(st.tuples(st.sampled_from(TYPES), found()), min_size=1, max_size=6)


@given(
    resources=subjects, asked=st.lists(expressions, min_size=4, max_size=8), types=st.lists(st.sampled_from(TYPES), min_size=1, unique=True)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_filter_finds_exactly_what_holds(worker_database, resources, asked, types):
    from datetime import UTC, datetime

    client, name = worker_database
    collection = client[name]["filtered"]
    collection.delete_many({})
    collection.create_index([("t", 1), ("e", 1), ("o", 1)], name="by_entry")
    collection.create_index([("p", 1), ("t", 1), ("c", 1), ("o", 1)], name="by_patient", partialFilterExpression={"p": {"$exists": True}})
    now = to_the_millisecond(datetime(2026, 1, 1, tzinfo=UTC))
    subjects = {}
    for number, (type, entries) in enumerate(resources):
        id = str(number)
        collection.insert_one(document(Prepared(type, id, {}, entries), b"{}", version=1, updated=now, method="PUT", place=number))
        subjects[f"{type}/{id}"] = Subject(type, id, entries)
    for expression in asked:
        expected = {key for key, subject in subjects.items() if subject.type in types and holds(expression, subject)}
        plain = collection.find({"$and": [{"t": {"$in": types}}, condition(expression, types)]}, {"_id": 1})
        assert {each["_id"] for each in plain} == expected, expression
        chosen = selection(expression, types)
        arranged = [each["_id"] for each in collection.find(chosen.filter, {"_id": 1}, sort=[("o", -1)], hint=chosen.hint)]
        assert arranged == sorted(expected, key=lambda key: -int(key.partition("/")[2])), (expression, chosen)


@pytest.mark.parametrize("text", ["佐", "佐藤", "サトウ", "サトウタロウ", "abcdefgh"])
def test_a_beginning_is_found_by_equality_in_the_index(text):
    (way, *_) = [way for way in selection(StartsWith("name", text), ("Patient",)).filter["$and"] if "e" in way]
    assert way == {"e": "name:" + index_prefix(text)}


def test_the_last_update_is_a_range_of_the_index():
    from fhir_server.store.filter import index_range

    for prefix in ("eq", "gt", "lt", "ge", "le", "sa", "eb", "ap"):
        (limits,) = index_range(Spans("_lastUpdated", prefix, 5, 9)).values()
        for moment in range(15):
            entry, span = updated_entry(moment), updated_span(moment)
            if holds(Spans("_lastUpdated", prefix, 5, 9), Subject("Patient", "a", Entries(spans=(span,)))):
                assert limits["$gte"] <= entry
                assert entry < limits["$lt"] if "$lt" in limits else entry <= limits["$lte"]


@pytest.mark.parametrize("typed", ["$where", "{$gt: ''}", "a.b", "^.*", "\\", "(", "$", ""])
def test_what_a_user_types_is_only_ever_a_value(typed):
    asked = And((Has("code", typed), Exactly("name", typed), Contains("name", typed), StartsWith("name", typed or "x"), WithId((typed,))))

    def operators(filter):
        if isinstance(filter, dict):
            for key, value in filter.items():
                yield key
                yield from operators(value)
        elif isinstance(filter, list):
            for value in filter:
                yield from operators(value)

    known = {"$and", "$or", "$in", "$regex", "$gte", "$lt", "$elemMatch", "e", "x", "t", "_id"}
    assert set(operators(selection(asked, ("Patient",)).filter)) <= known


def test_a_beginning_is_a_range_whatever_its_last_character():
    from fhir_server.store.filter import index_range

    for last, end in (("a", "b"), ("\ud7ff", "\ue000")):
        assert index_range(HasPrefix("code", last)) == {"$elemMatch": {"$gte": f"code={last}", "$lt": f"code={end}"}}
    assert index_range(HasPrefix("code", "\U0010ffff")) == {"$elemMatch": {"$gte": "code=\U0010ffff", "$lt": "code>"}}


def test_everything_and_nothing_are_filters_too():
    assert condition(EVERYTHING, TYPES) == {}
    assert condition(NOTHING, TYPES) == {"_id": {"$in": []}}
