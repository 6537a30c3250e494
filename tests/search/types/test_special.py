"""Texts and places."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.expression import Tells
from fhir_server.search.types.special import tells
from tests.search.judge import answers, found_by, query, refusal

TAKAMATSU = {"resourceType": "Location", "position": {"latitude": 34.3401, "longitude": 134.0434}}
FIJI = {"resourceType": "Location", "position": {"latitude": -17.0, "longitude": 179.99}}


@pytest.mark.parametrize(
    "search",
    [
        "34.3401|134.0434|1|m", "34.3503|134.0468|2|km", "34.3503|134.0468|2000|m", "34.3503|134.0468|2", "34.3503|134.0468|2|", "34.30|134.00",
        "34.6937|135.5023|145|km", "34.3503|134.0468|1|[mi_i]", "-34.3401|-45.9566|20016|km", "0|0|999999",
    ],
)  # fmt: skip
def test_a_place_within_the_distance_is_near(search):
    assert answers(f"Location?near={search}", TAKAMATSU)


@pytest.mark.parametrize("search", ["34.3503|134.0468|1|km", "34.6937|135.5023|130|km", "35.6895|139.6917", "-34.3401|-45.9566|20000|km"])
def test_a_place_beyond_it_is_not(search):
    assert not answers(f"Location?near={search}", TAKAMATSU)


def test_the_date_line_parts_no_neighbours():
    assert answers("Location?near=-17.0|-179.99|3|km", FIJI)
    assert not answers("Location?near=-17.0|-179.99|2|km", FIJI)


def test_a_location_without_a_position_is_near_nothing_and_missing():
    assert not answers("Location?near=0|0|999999", {"resourceType": "Location"})
    assert answers("Location?near:missing=true", {"resourceType": "Location"})
    assert answers("Location?near:missing=false", TAKAMATSU)


@pytest.mark.parametrize(
    "value",
    [
        "34.34",
        "34.34|",
        "north|east",
        "91|0",
        "0|181",
        "34|134|-1|km",
        "34|134|1|kg",
        "34|134|1|mile",
        "34|134|1|km|x",
        "1e1|2",
        "34|134|five",
    ],
)
def test_what_is_no_place_is_refused(value):
    assert refusal(f"Location?near={value}").issues[0].code == "value"


@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-89, 89), st.floats(-180, 180))
def test_distances_are_those_of_the_great_circle(north, east, to_north, to_east):
    a, b, c, d = map(math.radians, (north, east, to_north, to_east))
    haversine = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    metres = 2 * 6_371_008.8 * math.asin(min(1, math.sqrt(haversine)))
    place = {"resourceType": "Location", "position": {"latitude": to_north, "longitude": to_east}}
    asked = f"Location?near={north:.12f}|{east:.12f}"
    assert answers(f"{asked}|{metres + 5:.3f}|m", place)
    if metres > 10:
        assert not answers(f"{asked}|{metres - 5:.3f}|m", place)


REPORT = {
    "resourceType": "DiagnosticReport",
    "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>２型<b>糖尿病</b> &amp; 高血圧</div>"},
    "conclusion": "HbA1c は改善傾向。\nﾒﾄﾎﾙﾐﾝ継続",
    "conclusionCode": [{"coding": [{"display": "Type 2 diabetes"}]}],
}


@pytest.mark.parametrize(
    ("parameter", "words", "expected"),
    [
        ("_text", "糖尿病", True), ("_text", "高血圧 2型", True), ("_text", "HbA1c", False), ("_text", "xhtml", False), ("_text", "糖尿病 肥満", False),
        ("_content", "糖尿病", True), ("_content", "hba1c メトホルミン", True), ("_content", "改善", True), ("_content", "DIABETES", True),
        ("_content", "xhtml", False), ("_content", "肥満", False), ("_content", "conclusion", False),
    ],
)  # fmt: skip
def test_every_word_has_to_be_in_the_text(parameter, words, expected):
    (_, asked) = query(f"DiagnosticReport?{parameter}={words}").expression.parts
    assert isinstance(asked, Tells)
    assert tells(asked, REPORT) is expected


@pytest.mark.parametrize("search", ["_text= ", "_content=" + " ".join("abcdefghijklmnopq"), "_text=\u3000"])
def test_a_text_is_asked_for_by_a_few_words(search):
    assert refusal(f"Patient?{search}").status == 400


@pytest.mark.parametrize("search", ["_text:contains=a", "_content:exact=a", "_text:missing=true", "_id:not=1"])
def test_special_parameters_have_no_modifiers(search):
    assert refusal(f"Patient?{search}").issues[0].code == "not-supported"


def test_texts_are_not_stored():
    assert not [entry for entry in found_by(REPORT).entries if entry.startswith("_")]
    assert refusal("Patient?_sort=_content").issues[0].code == "not-supported"
