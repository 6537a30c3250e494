"""FHIR JSON survives a round trip to the last digit, and what is not JSON fails in one way."""

import json as standard
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.json import MAX_DEPTH, JsonError, decode, encode

DECIMALS = st.from_regex(r"-?(?:0|[1-9][0-9]{0,25})(?:\.[0-9]{1,12}(?:[eE][+-]?[0-9]{1,2})?|[eE][+-]?[0-9]{1,2})", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | DECIMALS.map(Decimal) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=25,
)


def same(one, other) -> bool:
    """Equal to the last digit and in the same order: 1.0 and 1.00 are not, 1 and 1E0 are."""
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return one == other and Decimal(one).as_tuple()[1:] == Decimal(other).as_tuple()[1:]
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(JSON)
def test_what_is_encoded_is_decoded_exactly(value):
    assert same(decode(encode(value)), value)


@given(DECIMALS)
def test_a_number_keeps_every_digit(text):
    number = decode(text.encode())
    assert number.as_tuple() == Decimal(text).as_tuple()
    assert same(decode(encode(number)), number)


@pytest.mark.parametrize("text", ["1.00", "0.0", "-0.10", "1E+2", "24.0", "1E-7", "0E-10", "123456789012345678901234567890.1"])
def test_a_decimal_comes_back_as_it_was_written(text):
    assert encode(decode(text.encode())) == text.encode()


def test_the_order_of_keys_and_japanese_text_survive():
    text = '{"z":"佐藤　花子","a":{"い":[1,2.50,null,true]},"m":"😀"}'.encode()
    assert encode(decode(text)) == text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":}',
        b"{'a':1}",
        b"[1,]",
        b"NaN",
        b"[Infinity]",
        b"[0123]",
        b"{} {}",
        b"\xef\xbb\xbf{}",
        b'"\xff\xfe"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\ud800 secret"',
        b'"\\udc00secret"',
        b'"a\x01b"',
        b"1e99999999999999999999",
        b"1" * 10_000,
        b"[" * 100_000,
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":1}',
        b'[{"x":{"a":1,"b":2,"a":"secret"}}]',
        b'{"a":1,"a":2,"b":"\\u0022"}',
        b'{"a":1,"a":2,"b":"\\u0022\\u0022"}',
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    ],
)
def test_what_is_not_json_fails_without_repeating_it(data):
    with pytest.raises(JsonError) as caught:
        decode(data)
    assert caught.value.diagnostics
    assert "secret" not in caught.value.diagnostics


@given(JSON)
def test_escapes_do_not_look_like_names_given_twice(value):
    assert decode(ascii_json(value)) is not None or value is None


def ascii_json(value):
    """JSON as other libraries write it: every character escaped that can be, quotes as \\u0022."""
    text = standard.dumps(value, ensure_ascii=True, default=float)
    return re.sub(r'(\\\\)|\\"', lambda found: found[1] or "\\u0022", text).encode()


def test_depth_up_to_the_limit_is_read():
    data = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert encode(decode(data)) == data
    assert len(decode(b"[" + b",".join([b"[]"] * 1000) + b"]")) == 1000


@given(st.binary(max_size=200))
def test_any_bytes_are_json_or_fail_as_json(data):
    try:
        decode(data)
    except JsonError as error:
        assert error.diagnostics


def test_what_has_no_json_fails_to_be_written():
    endless: list[object] = []
    endless.append(endless)
    for value in (endless, "\ud800"):
        with pytest.raises(JsonError):
            encode(value)
