"""All that a resource can be found by."""

import gzip
from typing import Any

import pytest

from fhir_server.search.entries import ABOUT, CONTAINED
from fhir_server.search.expression import (
    EQUALS,
    TEXT,
    And,
    Containing,
    Entries,
    Exactly,
    Grouped,
    Has,
    HasPrefix,
    OfType,
    Present,
    Spans,
    StartsWith,
    WithId,
)
from fhir_server.search.holding import Subject, holds
from fhir_server.search.types.string import index_prefix
from profiles.json import decode
from tests.search.judge import found_by, parameters
from tests.shared import SHARED, needs_shared

GLUCOSE = {
    "resourceType": "Observation",
    "id": "glucose",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "2345-7"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2024-05-10T09:30:00+09:00",
    "valueQuantity": {"value": 105, "unit": "mg/dL"},
}


def test_the_entries_of_a_laboratory_result():
    stored = found_by(GLUCOSE)
    assert {"status=final", "code=2345-7", "code=http://loinc.org|2345-7", "subject=Patient/p1", "patient=Patient/p1"} <= set(
        stored.entries
    )
    assert stored.patient == "Patient/p1"
    assert stored.date == 1_715_301_000_000
    assert len(stored.entries) == len(set(stored.entries))
    assert not any(entry.startswith(("_id", "_lastUpdated")) for entry in stored.entries)


@pytest.mark.parametrize(
    ("effective", "date"),
    [
        ({"effectivePeriod": {"start": "1970-01-01T09:00:00+09:00"}}, 0),
        ({"effectivePeriod": {"end": "1970-01-01T09:00:01+09:00"}}, 1999),
        ({"effectivePeriod": {"start": "1970-01-01T09:00:01+09:00", "end": "1970-01-02"}}, 1000),
        ({"effectiveTiming": {"event": ["1970-01-01T09:00:01+09:00"]}}, 1000),
        ({}, 0),
    ],
)
def test_the_main_date_is_when_it_began(effective, date):
    assert found_by({"resourceType": "Observation", **effective}).date == date


def test_a_bad_date_of_old_times_is_left_out():
    assert found_by({"resourceType": "Observation", "effectiveDateTime": "2024-02-31"}).spans == ()


def examples() -> list[Any]:
    """The official examples, one parameter for each type."""
    return sorted((SHARED / "data/fhir-r4-examples").glob("*.ndjson.gz")) if SHARED else []


@needs_shared
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name.partition(".")[0])
def test_an_official_example_is_found_by_all_that_it_is_stored_under(path):
    with gzip.open(path) as lines:
        for line in lines:
            resource = decode(line)
            stored = found_by(resource)
            subject = Subject(resource["resourceType"], resource.get("id", ""), stored)
            assert holds(OfType((resource["resourceType"],)), subject)
            _found_by_entries(stored, subject)
            _found_by_words(stored, subject)
            _found_by_groups(stored, subject)
            _found_by_contained(stored, subject)


def _found_by_groups(stored: Entries, subject: Subject) -> None:
    for group in stored.groups:
        parts = [_judged(*_parted(entry)) for entry in group.entries] + [
            Spans(span.parameter, "eq", span.low, span.high) for span in group.spans
        ]
        assert holds(Grouped(group.parameter, tuple(parts)), subject)
        also = parameters().of(subject.type)[group.parameter].also
        for entry in group.entries:
            position, _, token = entry.partition(EQUALS)
            if also is not None and int(position.partition(TEXT)[0]) == also[0]:
                assert any(f"{code}={token}" in stored.entries for code in also[1])
        assert not holds(Grouped(group.parameter, (*parts, Has("0", "another"))), subject)


def _found_by_contained(stored: Entries, subject: Subject) -> None:
    for inner in stored.contained:
        assert holds(And((Has(CONTAINED, inner.type), Containing(inner.type, WithId((inner.id,))))), subject)
        assert not holds(Containing(inner.type, WithId(("another",))), subject)
        _found_by_entries(inner.entries, Subject(inner.type, inner.id, inner.entries))


def _judged(code: str, separator: str, text: str) -> Has | StartsWith:
    return Has(code, text) if separator == EQUALS else StartsWith(code, text)


def _found_by_entries(stored: Entries, subject: Subject) -> None:
    codes = {*parameters().of(subject.type), CONTAINED, ABOUT}
    for entry in stored.entries:
        code, separator, value = _parted(entry)
        assert code in codes
        if separator == TEXT and (facet := value.partition(EQUALS)[0]) in ("identifier", "of-type"):  # code:identifier=system|value
            code, separator, value = f"{code}:{facet}", EQUALS, value.partition(EQUALS)[2]
        assert holds(Present(code), subject)
        if separator == EQUALS:
            assert holds(Has(code, value), subject)
            assert holds(HasPrefix(code, value[:3]), subject)
    for span in stored.spans:
        assert holds(Spans(span.parameter, "eq", span.low, span.high, span.units[0] if span.units else None), subject)
        assert holds(Present(span.parameter.partition(":")[0]), subject)


def _found_by_words(stored: Entries, subject: Subject) -> None:
    for word in stored.words:
        code, separator, text = _parted(word)
        if separator == EQUALS:
            assert holds(Exactly(code, text), subject)
        elif text.startswith("text:"):  # beside a code
            assert holds(StartsWith(f"{code}:text", text.removeprefix("text:")), subject)
            assert holds(Present(code), subject)
        elif separator == TEXT:
            assert holds(StartsWith(code, text[:7]), subject)
            assert f"{code}:{index_prefix(text[:7])}" in stored.entries


def _parted(entry: str) -> tuple[str, str, str]:
    at = next(position for position, character in enumerate(entry) if character in ":<=>")
    return entry[:at], entry[at], entry[at + 1 :]
