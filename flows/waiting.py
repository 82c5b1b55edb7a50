"""When a wait ends. Pure functions over the flow's timezone and the tenant's holidays.

Minutes and hours are elapsed time; days, weeks and workdays keep the clock time of the arrival.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

from core.localtime import is_workday, moment, shifted

Unit = Literal["minutes", "hours", "days", "weeks", "workdays"]
_DAY = dt.timedelta(days=1)
# A tenant whose every day is a holiday must not hang a worker.
_LONGEST = 40_000


def after(
    arrival: dt.datetime, amount: int, unit: Unit, zone: ZoneInfo, holidays: frozenset[dt.date]
) -> dt.datetime:
    """Return the end of a wait of `amount` units that began at `arrival`."""
    if unit == "minutes":
        return arrival + dt.timedelta(minutes=amount)
    if unit == "hours":
        return arrival + dt.timedelta(hours=amount)
    if amount == 0:
        return arrival
    local = arrival.astimezone(zone)
    if unit == "workdays":
        day = nth_workday(local.date(), amount, holidays)
    else:
        day = shifted(local.date(), amount * (7 if unit == "weeks" else 1))
    return moment(day, local.time(), zone)


def nth_workday(start: dt.date, amount: int, holidays: frozenset[dt.date]) -> dt.date:
    """Return the `amount`-th workday after a day; that day itself is not counted."""
    day, left = start, amount
    for _ in range(_LONGEST):
        day += _DAY
        left -= is_workday(day, holidays)
        if left == 0:
            return day
    raise ValueError("There are not that many workdays.")


def until(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the moment of a date and time as the flow's clocks show it."""
    return moment(local.date(), local.time(), zone)


def around(day: dt.date, offset_days: int, clock: dt.time, zone: ZoneInfo) -> dt.datetime:
    """Return the moment `offset_days` before (negative) or after a date, at a time of day."""
    return moment(shifted(day, offset_days), clock, zone)
