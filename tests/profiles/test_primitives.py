"""Primitive types have formats, dates mean spans."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.primitives import CHECKS, MAX_STRING, date_span, valid

VALID = {
    "base64Binary": ["AAAA", "QUI=", "QQ==", "QU\nJD", " AAAA "],
    "boolean": [True, False],
    "canonical": ["http://example.org/a|1.0", "#inside"],
    "code": ["final", "a b", "血清"],
    "date": ["2024", "2024-02", "2024-02-29", "0001-01-01", "9999-12-31"],
    "dateTime": ["2024", "2024-02", "2024-02-29", "2024-02-29T23:59:59Z", "2016-12-31T23:59:60Z", "2024-01-01T00:00:00.123456+14:00"],
    "decimal": [0, 1, -7, Decimal("1.00"), Decimal("1E+2"), Decimal("0E-10"), 10**30],
    "id": ["a", "A-1.b", "x" * 64],
    "instant": ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59.1+09:00"],
    "integer": [0, -(2**31), 2**31 - 1],
    "markdown": ["# 見出し\n\n* a"],
    "oid": ["urn:oid:1.2.392.100495.20.3.51.11310000001"],
    "positiveInt": [1, 2**31 - 1],
    "string": ["a", "  leading", "全角　空白", "tab\tand\r\nlines", "x" * MAX_STRING],
    "time": ["00:00:00", "23:59:60", "12:30:00.5"],
    "unsignedInt": [0, 5],
    "uri": ["urn:x", "a", "http://例え.jp/"],
    "url": ["http://example.org"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">a</div>'],
}

INVALID = {
    "base64Binary": ["", " ", "A", "AAA", "=AAA", "A===", "AA-_", 1],
    "boolean": ["true", 1, 0, None],
    "canonical": ["", "a b"],
    "code": ["", " a", "a ", "a  b", "\u3000a", 1],
    "date": [
        "",
        "24",
        "0000",
        "2024-13",
        "2024-00",
        "2024-02-30",
        "2023-02-29",
        "2024-04-31",
        "2024-1-1",
        "2024-01-01T00:00:00Z",
        "２０２４",
        2024,
        "2024\n",
    ],
    "dateTime": [
        "2024-02-30T00:00:00Z",
        "2024-02-28T00:00:00",
        "2024-02-28T00:00Z",
        "2024-02-28T24:00:00Z",
        "2024-02-28T10:00:00+15:00",
        "2024-02T10:00:00Z",
    ],
    "decimal": ["1", True, None, Decimal("NaN"), Decimal("Infinity"), Decimal("1E+400"), Decimal("1E-400"), 10**400],
    "id": ["", "x" * 65, "a_b", "a/b", "ａ", "a\n", 1],
    "instant": ["2024", "2024-02-29", "2024-02-29T23:59:59", "2023-02-29T23:59:59Z", "2024-02-29T23:59:59z"],
    "integer": [2**31, -(2**31) - 1, Decimal("1.0"), "1", True],
    "markdown": ["", "\x00", 1],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1"],
    "positiveInt": [0, -1, 2**31],
    "string": ["", "a\x00b", "a\x0bb", "x" * (MAX_STRING + 1), 1, None, ["a"], {}],
    "time": ["24:00:00", "12:30", "12:30:00Z", "1:00:00"],
    "unsignedInt": [-1, Decimal("0.5")],
    "uri": ["", " ", "a b", 1],
    "url": ["", "http://a b"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"],
    "xhtml": ["", 1],
}


@pytest.mark.parametrize(
    ("type", "value"), [(type, value) for type, values in VALID.items() for value in values], ids=lambda x: str(x)[:30]
)
def test_a_value_of_the_type_is_taken(type, value):
    assert valid(type, value)


@pytest.mark.parametrize(
    ("type", "value"), [(type, value) for type, values in INVALID.items() for value in values], ids=lambda x: str(x)[:30]
)
def test_a_value_that_is_not_of_the_type_is_refused(type, value):
    assert not valid(type, value)


def test_every_primitive_type_is_checked():
    assert VALID.keys() == INVALID.keys() == CHECKS.keys()


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", "2023-12-31T15:00:00+00:00", "2024-12-31T14:59:59.999+00:00"),
        ("2024-05", "2024-05-01T00:00:00+09:00", "2024-05-31T23:59:59.999+09:00"),
        ("2024-02-29", "2024-02-29T00:00:00+09:00", "2024-02-29T23:59:59.999+09:00"),
        ("2024-02-29T10:30:00+09:00", "2024-02-29T01:30:00+00:00", "2024-02-29T01:30:00.999+00:00"),
        ("2024-02-29T10:30:00.5Z", "2024-02-29T10:30:00.500+00:00", "2024-02-29T10:30:00.599+00:00"),
        ("2024-02-29T10:30:00.1234Z", "2024-02-29T10:30:00.123+00:00", "2024-02-29T10:30:00.123+00:00"),
        ("2024-02-29T10:30:00-02:30", "2024-02-29T13:00:00+00:00", "2024-02-29T13:00:00.999+00:00"),
        ("2024-02-29T10:30", "2024-02-29T10:30:00+09:00", "2024-02-29T10:30:59.999+09:00"),
        ("2024-02-29T10:30:00", "2024-02-29T10:30:00+09:00", "2024-02-29T10:30:00.999+09:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", "2016-12-31T23:59:59.999+00:00"),
    ],
)
def test_a_date_is_as_long_as_it_is_vague(text, low, high):
    assert date_span(text) == (ms(low), ms(high))


def test_a_year_has_the_length_of_a_year_up_to_both_ends_of_the_calendar():
    day = 24 * 60 * 60 * 1000
    for year, days in (("0001", 365), ("2024", 366), ("9999", 365)):
        low, high = date_span(year)
        assert high - low + 1 == days * day


def test_a_day_with_a_change_of_clocks_has_its_own_length():
    low, high = date_span("2024-03-31", ZoneInfo("Europe/Berlin"))
    assert high - low + 1 == 23 * 60 * 60 * 1000


@pytest.mark.parametrize(
    "text", ["", "x", "2024-02-30", "2024-13", "2024-01-01T25:00", "20240101", "2024-01-01 10:00", "2024-01-01T10", "0000"]
)
def test_what_is_no_date_has_no_span(text):
    with pytest.raises(ValueError, match="no"):
        date_span(text)


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    st.integers(0, 9),
    st.sampled_from(["", "Z", "+09:00", "-11:30"]),
)
def test_a_longer_date_lies_inside_the_shorter_one(moment, digits, zone):
    fraction = f".{moment.microsecond:06d}000"[: digits + 1] if digits else ""
    whole = moment.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    spans = [date_span(whole[:length]) for length in (4, 7, 10)]
    timed = [date_span(whole[:16] + zone), date_span(whole + zone), date_span(whole + fraction + zone)]
    for outer, inner in [*pairwise(spans), *pairwise(timed)]:
        assert outer[0] <= inner[0] <= inner[1] <= outer[1]
    if not zone:
        assert spans[2][0] <= timed[0][0] <= timed[0][1] <= spans[2][1]


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_span_begins_at_the_moment_that_python_reads(moment):
    exact = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    low, high = date_span(exact.isoformat(timespec="milliseconds"))
    assert low == high == (exact - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
