"""Days and periods that date operators speak of, in the flow's timezone. Pure.

Weeks begin on Monday. "This" is the unit that today is in; "next 3 weeks" are the three whole weeks after it,
"last 3 weeks" the three before it. An anniversary of 29 February is 28 February in other years.
"""

from __future__ import annotations

import calendar
import datetime as dt
from zoneinfo import ZoneInfo


def today_in(now: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the day that it is in the zone."""
    return now.astimezone(zone).date()


def day_starts(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the instant at which the day begins in the zone; the calendar's first day may begin before it.

    Where a gap swallows midnight, the offset before it is taken: that is the gap's own instant.
    """
    try:
        return dt.datetime.combine(day, dt.time(), zone).astimezone(dt.UTC)
    except OverflowError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)


def period(today: dt.date, which: str, count: int, unit: str) -> tuple[dt.date, dt.date]:
    """Return the first day of a period and the first day after it, kept within the calendar."""
    start = _unit_start(today, unit)
    if which == "this":
        return start, _shift(start, 1, unit)
    if which == "next":
        return _shift(start, 1, unit), _shift(start, 1 + count, unit)
    return _shift(start, -count, unit), start


def anniversary_days(today: dt.date, days: int) -> list[int]:
    """Return the days of the year (month * 100 + day) whose anniversary is that many days from today."""
    day = today + dt.timedelta(days=days)
    codes = [day.month * 100 + day.day]
    if codes == [228] and not calendar.isleap(day.year):
        codes.append(229)
    return codes


def _unit_start(day: dt.date, unit: str) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=day.month - (day.month - 1) % 3, day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def _shift(start: dt.date, count: int, unit: str) -> dt.date:
    if unit in {"day", "week"}:
        return start + dt.timedelta(days=count * (7 if unit == "week" else 1))
    months = start.year * 12 + start.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = divmod(months, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        return dt.date.min if year < dt.MINYEAR else dt.date.max
    return start.replace(year=year, month=month + 1)
