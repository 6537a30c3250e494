"""The secretariat's clock, and ages."""

from datetime import date, datetime, timedelta

import pytest

from fhir_server.network.consent_form.deciding import age, birthday
from fhir_server.network.consent_form.hours import due, elapsed
from tests.network.consent_form.world import TOKYO

HOURS = timedelta(hours=1)


def moment(text):
    return datetime.fromisoformat(f"2026-04-{text}").replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("01 09:00", "01 17:00", 8),  # Wednesday
        ("01 07:00", "01 10:00", 1),
        ("01 16:00", "02 10:00", 2),
        ("03 16:00", "06 10:00", 2),  # over the weekend
        ("04 10:00", "05 16:00", 0),  # Saturday, Sunday
        ("01 18:00", "01 20:00", 0),
        ("01 12:00", "01 12:00", 0),
        ("01 12:00", "01 11:00", 0),
    ],
)
def test_f074_office_time_is_weekdays_from_nine_to_five(start, end, hours):
    assert elapsed(moment(start), moment(end), TOKYO) == hours * HOURS


def test_f074_a_holiday_is_no_weekday():
    assert elapsed(moment("01 09:00"), moment("02 17:00"), TOKYO, {date(2026, 4, 1)}) == 8 * HOURS


@pytest.mark.parametrize(
    ("start", "end"), [("01 09:00", "01 13:00"), ("01 15:00", "02 11:00"), ("03 16:59", "06 12:59"), ("04 03:00", "06 13:00")]
)
def test_f074_what_is_promised_for_four_hours_is_due(start, end):
    assert due(moment(start), 4 * HOURS, TOKYO) == moment(end)


def test_l19_somebody_is_as_old_as_her_last_birthday():
    assert age(date(2010, 4, 2), date(2026, 4, 1)) == 15
    assert age(date(2010, 4, 1), date(2026, 4, 1)) == 16
    assert birthday(date(2012, 2, 29), 15) == date(2027, 3, 1)
    assert birthday(date(2012, 2, 29), 16) == date(2028, 2, 29)
