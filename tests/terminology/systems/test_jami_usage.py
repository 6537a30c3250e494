"""Usage codes of 16 digits are read, and half-understood ones are not."""

import pytest

from terminology.systems import jami_usage


@pytest.mark.parametrize(
    ("code", "repeat"),
    [
        ("1013044400000000", {"frequency": 3, "period": 1, "periodUnit": "d", "when": ["PCM", "PCD", "PCV"]}),  # 毎食後
        ("1011000400000000", {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["PCM"]}),  # 朝食後
        ("1012010100000000", {"frequency": 2, "period": 1, "periodUnit": "d", "when": ["ACM", "ACV"]}),  # 朝夕食前
        ("1011100000000000", {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]}),  # 就寝前
        ("1011000090000000", {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["WAKE"]}),  # 起床時
        ("1014144400000000", {"frequency": 4, "period": 1, "periodUnit": "d", "when": ["PCM", "PCD", "PCV", "HS"]}),
        ("1013055500000000", {"frequency": 3, "period": 1, "periodUnit": "d", "when": ["PCM", "PCD", "PCV"], "offset": 120}),
        ("1024000000000000", {"frequency": 1, "period": 6, "periodUnit": "h"}),  # 6時間毎
    ],
)
def test_a_usage_code_says_when_the_medicine_is_taken(code, repeat):
    usage = jami_usage.parse(code)
    assert usage is not None
    assert usage.repeat() == repeat
    assert not usage.as_needed


def test_a_code_for_pain_is_taken_as_needed_and_has_no_timing():
    usage = jami_usage.parse("1050110000000000")
    assert usage is not None
    assert usage.as_needed
    assert jami_usage.EVENTS[usage.event or ""] == "疼痛時"
    assert usage.repeat() is None


@pytest.mark.parametrize(
    "code", ["", "0000000000000000", "101304440000000", "10130444000000000", "1O13044400000000", "１０１３０４４４００００００００"]
)
def test_what_is_no_usage_code_is_not_read(code):
    assert jami_usage.parse(code) is None


@pytest.mark.parametrize(
    "code",
    [
        "1000000000000000",  # says only 内服
        "1013744400000000",  # an unknown digit for bedtime
        "1013044400000001",  # digits beyond the ninth
        "1012044400000000",  # twice a day, three meals
        "1013045400000000",  # one offset cannot hold for all three
        "1025000000000000",  # no whole hours
        "1031000000000000",  # an unknown kind of timing
    ],
)
def test_a_code_that_is_not_wholly_understood_gives_no_timing_but_its_route(code):
    usage = jami_usage.parse(code)
    assert usage is not None
    assert not usage.understood
    assert usage.repeat() is None
    assert (usage.basic, usage.detail) == ("1", "10")
