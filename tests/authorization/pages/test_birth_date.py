"""Birth dates as people write them."""

from datetime import date

import pytest

from fhir_server.authorization.pages.birth_date import age, read, written

TODAY = date(2026, 4, 1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("S41/06/06", date(1966, 6, 6)),
        ("s41.6.6", date(1966, 6, 6)),
        ("S410606", date(1966, 6, 6)),
        ("昭和41年6月6日", date(1966, 6, 6)),
        ("昭41年6月6日", date(1966, 6, 6)),
        ("1966-06-06", date(1966, 6, 6)),
        ("1966/6/6", date(1966, 6, 6)),
        ("１９６６年６月６日", date(1966, 6, 6)),
        ("19660606", date(1966, 6, 6)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R1.5.1", date(2019, 5, 1)),
        ("H31/4/30", date(2019, 4, 30)),
        ("H1/1/8", date(1989, 1, 8)),
        ("S64/1/7", date(1989, 1, 7)),
        ("T15/12/24", date(1926, 12, 24)),
        ("M45/7/29", date(1912, 7, 29)),
        ("㍼41年6月6日", date(1966, 6, 6)),
        ("2026-04-01", TODAY),
        ("H31/5/1", None),
        ("S64/1/8", None),
        ("S41/02/30", None),
        ("2026-04-02", None),
        ("41/06/06", None),
        ("1700-01-01", None),
        ("S0/1/1", None),
        ("", None),
        ("1966", None),
        ("X41/06/06", None),
    ],
)
def test_a_birth_date_is_read_in_any_notation(text, day):
    assert read(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "ja", "en"),
    [
        ("1966-06-06", "1966年6月6日（昭和41年）", "1966-06-06 (S41/06/06)"),
        ("2019-05-01", "2019年5月1日（令和元年）", "2019-05-01 (R1/05/01)"),
        ("1966-06", "1966-06", "1966-06"),
        ("1966", "1966", "1966"),
        ("", "", ""),
        ("1800-01-01", "1800-01-01", "1800-01-01"),
        ("1966-02-30", "1966-02-30", "1966-02-30"),
        ("<b>", "<b>", "<b>"),
    ],
)
def test_a_birth_date_is_written_in_both_calendars(text, ja, en):
    assert written(text, "ja") == ja
    assert written(text, "en") == en


@pytest.mark.parametrize(("text", "years"), [("1966-04-01", 60), ("1966-04-02", 59), ("1966", None), ("2026-04-01", 0)])
def test_age_is_counted_in_full_years(text, years):
    assert age(text, TODAY) == years
