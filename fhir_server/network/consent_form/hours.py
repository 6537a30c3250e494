"""The secretariat's clock: weekdays 9:00 to 17:00 in Japan.

NETWORK.md F074
"""

from collections.abc import Container
from datetime import date, datetime, time, timedelta, tzinfo

OPENS, CLOSES = time(9), time(17)
_DAY = timedelta(days=1)


def elapsed(start: datetime, end: datetime, zone: tzinfo, holidays: Container[date] = ()) -> timedelta:
    """Give how much of the time between two moments was office time."""
    begun, ended = start.astimezone(zone), end.astimezone(zone)
    total, day = timedelta(), begun.date()
    while day <= ended.date():
        if _works(day, holidays):
            opens, closes = datetime.combine(day, OPENS, zone), datetime.combine(day, CLOSES, zone)
            total += max(timedelta(), min(closes, ended) - max(opens, begun))
        day += _DAY
    return total


def due(start: datetime, allowed: timedelta, zone: tzinfo, holidays: Container[date] = ()) -> datetime:
    """Give the moment at which so much office time has passed."""
    left, moment = allowed, start.astimezone(zone)
    while True:
        closes = datetime.combine(moment.date(), CLOSES, zone)
        opens = max(moment, datetime.combine(moment.date(), OPENS, zone))
        if _works(moment.date(), holidays) and opens < closes:
            if opens + left <= closes:
                return opens + left
            left -= closes - opens
        moment = datetime.combine(moment.date() + _DAY, OPENS, zone)


def _works(day: date, holidays: Container[date]) -> bool:
    return day.weekday() < 5 and day not in holidays
