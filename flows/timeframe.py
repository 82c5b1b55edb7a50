"""The timeframe of a flow's messages: is it open now, and when does it open next? Pure: no database, no clock.

A window belongs to the day it began: one that runs over midnight keeps that day's weekday and holiday.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from core.localtime import is_workday, moment
from flows.document import Timeframe

_DAY = dt.timedelta(days=1)
# Longer than any run of holidays that a tenant could mean.
_HORIZON = 800


class NeverOpens(ValueError):
    """No day is in the timeframe."""


def is_open(timeframe: Timeframe | None, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date]) -> bool:
    """Say whether a message may go at this moment."""
    return timeframe is None or next_open(timeframe, at, zone, holidays) == at


def next_open(
    timeframe: Timeframe | None, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date]
) -> dt.datetime:
    """Return the first moment from `at` on when a message may go; raise NeverOpens where there is none."""
    if timeframe is None:
        return at
    day = at.astimezone(zone).date() - _DAY
    for _ in range(_HORIZON):
        if counts(timeframe, day, holidays):
            opens, closes = window(timeframe, day, zone)
            if at < closes and opens < closes:
                return max(at, opens)
        day += _DAY
    raise NeverOpens("The timeframe has no day on which messages may go.")


def counts(timeframe: Timeframe, day: dt.date, holidays: frozenset[dt.date]) -> bool:
    """Say whether a window may begin on this day."""
    if day.weekday() not in timeframe.weekdays:
        return False
    return not timeframe.workdays_only or is_workday(day, holidays)


def window(timeframe: Timeframe, day: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return when the window of a day opens and closes; equal times mean the whole day from that time on."""
    last = day if timeframe.start < timeframe.to else day + _DAY
    return moment(day, timeframe.start, zone), moment(last, timeframe.to, zone)
