"""Clock times of a place as moments: what to do with the hour that is missing or comes twice.

A time inside a DST gap becomes the first moment after the gap; one that occurs twice means the first.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

# Near its ends the calendar has days that are none in another zone: what lies beyond is taken for these.
FIRST_DAY, LAST_DAY = dt.date(1, 1, 3), dt.date(9999, 12, 29)


def shifted(day: dt.date, days: int) -> dt.date:
    """Return the day so many days later (earlier where negative), kept within the calendar."""
    number = min(max(day.toordinal() + days, FIRST_DAY.toordinal()), LAST_DAY.toordinal())
    return dt.date.fromordinal(number)


def moment(day: dt.date, clock: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Return the moment (in UTC) when the clocks of the zone show this time on this day."""
    wanted = dt.datetime.combine(shifted(day, 0), clock.replace(tzinfo=None, fold=0), tzinfo=zone)
    first = wanted.astimezone(dt.UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None):
        return first
    return _first_after_gap(wanted.replace(fold=1).astimezone(dt.UTC), first, zone)


def span(first: dt.date | None, last: dt.date, zone: ZoneInfo) -> tuple[dt.datetime | None, dt.datetime]:
    """Return the first moment of a day (None: ever) and the first moment after another."""
    begin = moment(first, dt.time(), zone) if first else None
    return begin, moment(shifted(last, 1), dt.time(), zone)


def _first_after_gap(before: dt.datetime, after: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the transition between two moments: changes of clocks happen at whole seconds."""
    low, high = int(before.timestamp()), int(after.timestamp()) + 1
    old = before.astimezone(zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if dt.datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return dt.datetime.fromtimestamp(high, dt.UTC)


def is_workday(day: dt.date, holidays: frozenset[dt.date]) -> bool:
    """Monday to Friday without the holidays."""
    return day.weekday() < 5 and day not in holidays
