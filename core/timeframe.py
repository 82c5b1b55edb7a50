"""When messages may go: on these weekdays, between two times of day. Pure: no database, no clock.

A window belongs to the day it began: one that runs over midnight keeps that day's weekday and holiday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from core.localtime import moment

_DAY = dt.timedelta(days=1)
# Longer than any run of holidays that a tenant could mean.
_HORIZON = 800
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class NeverOpens(ValueError):
    """No day is in the timeframe."""


class Timeframe(Protocol):
    """What a timeframe says; flows.document.Timeframe and Window do."""

    @property
    def weekdays(self) -> tuple[int, ...]: ...
    @property
    def start(self) -> dt.time: ...
    @property
    def to(self) -> dt.time: ...
    @property
    def workdays_only(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Window:
    """A timeframe as rows keep it."""

    weekdays: tuple[int, ...]
    start: dt.time
    to: dt.time
    workdays_only: bool

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        """Return the timeframe of a JSON dump (times as ISO text)."""
        return cls(
            tuple(given["weekdays"]),
            dt.time.fromisoformat(given["start"]),
            dt.time.fromisoformat(given["to"]),
            bool(given["workdays_only"]),
        )


def is_open(
    timeframe: Timeframe | None, at: dt.datetime, zone: ZoneInfo, holidays: frozenset[dt.date]
) -> bool:
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
    return not (timeframe.workdays_only and day in holidays)


def window(timeframe: Timeframe, day: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """Return when the window of a day opens and closes; equal times mean the whole day from that time on."""
    last = day if timeframe.start < timeframe.to else day + _DAY
    return moment(day, timeframe.start, zone), moment(last, timeframe.to, zone)


def timeframe_words(timeframe: Timeframe | None) -> str:
    """Return when messages may go: Mon–Fri, 08:00–17:00, without holidays."""
    if timeframe is None:
        return "at any time"
    days = sorted(timeframe.weekdays)
    if days == list(range(7)):
        words = "every day"
    elif days == list(range(5)):
        words = "Mon–Fri"
    else:
        words = ", ".join(_DAYS[day] for day in days)
    words += f", {timeframe.start:%H:%M}–{timeframe.to:%H:%M}"
    return f"{words}, without holidays" if timeframe.workdays_only else words
