"""When somebody has time: working hours, away, busy, and the free slots between. Pure: no database, no clock.

Hours are clock times in the user's own timezone; lengths are elapsed time. A clock time inside a DST gap is the first
moment after it, one that comes twice the first (core.localtime). Slots begin at whole quarters of an hour.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from zoneinfo import ZoneInfo

from core.localtime import is_workday, moment

Unit = Literal["hours", "days", "weeks", "workdays"]
Span = tuple[dt.datetime, dt.datetime]
Hours = Mapping[int, tuple[dt.time, dt.time]]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DEFAULT_HOURS: Hours = dict.fromkeys(range(5), (dt.time(8), dt.time(16)))
QUARTER = 15 * 60
# Nobody plans further: a user without a free slot until then has none.
HORIZON_DAYS = 730
# A tenant whose every day is a holiday must not hang a worker.
_LONGEST = 40_000
_DAY = dt.timedelta(days=1)


@dataclass(slots=True)
class FreeTime:
    """What is known of one user's time: `away` are first and last days, `busy` moments of other meetings."""

    zone: ZoneInfo
    hours: Hours = field(default_factory=lambda: DEFAULT_HOURS)
    holidays: frozenset[dt.date] = frozenset()
    away: Sequence[tuple[dt.date, dt.date]] = ()
    busy: Sequence[Span] = ()

    def window(self, day: dt.date) -> Span | None:
        """Return when the working day begins and ends; None on a day off."""
        given = self.hours.get(day.weekday())
        if given is None or day in self.holidays or self.is_away(day):
            return None
        return moment(day, given[0], self.zone), moment(day, given[1], self.zone)

    def is_away(self, day: dt.date) -> bool:
        """Say whether the user is away on a day."""
        return any(first <= day <= last for first, last in self.away)

    def slots(self, *, not_before: dt.datetime, length: dt.timedelta) -> Iterator[dt.datetime]:
        """Yield the beginnings of free slots, each behind the one before; ends at the horizon."""
        busy = merged(self.busy)
        position = 0
        first_day = not_before.astimezone(self.zone).date()
        for day in (first_day + number * _DAY for number in range(HORIZON_DAYS)):
            window = self.window(day)
            if window is None:
                continue
            at = next_quarter(max(window[0], not_before))
            while at + length <= window[1]:
                while position < len(busy) and busy[position][1] <= at:
                    position += 1
                if position < len(busy) and busy[position][0] < at + length:
                    at = next_quarter(busy[position][1])
                    continue
                yield at
                at = next_quarter(at + length)


def merged(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def next_quarter(at: dt.datetime) -> dt.datetime:
    """Return the first whole quarter of an hour from a moment on (every zone is whole quarters off UTC)."""
    seconds = at.timestamp()
    return dt.datetime.fromtimestamp(-(-seconds // QUARTER) * QUARTER, dt.UTC)


def day_after(day: dt.date, amount: int, unit: Unit, holidays: frozenset[dt.date]) -> dt.date:
    """Return the day `amount` days, weeks or workdays after a day that is not counted itself; 0 is that day."""
    if unit != "workdays":
        return day + amount * (7 * _DAY if unit == "weeks" else _DAY)
    left = amount
    for _ in range(_LONGEST):
        if left <= 0:
            return day
        day += _DAY
        left -= is_workday(day, holidays)
    raise ValueError("There are not that many workdays.")


def first_moment(
    now: dt.datetime, amount: int, unit: Unit, zone: ZoneInfo, holidays: frozenset[dt.date]
) -> dt.datetime:
    """Return from when on a slot "after n …" may be: hours are elapsed, others begin with that day in the zone."""
    if unit == "hours":
        return now + dt.timedelta(hours=amount)
    if amount <= 0:
        return now
    return moment(day_after(now.astimezone(zone).date(), amount, unit, holidays), dt.time(0), zone)


def read_hours(given: Mapping[str, Any] | None) -> Hours | None:
    """Return hours as rows keep them ({"0": ["08:00", "16:00"]}); None where there are none of one's own."""
    if given is None:
        return None
    return {
        int(day): (dt.time.fromisoformat(span[0]), dt.time.fromisoformat(span[1]))
        for day, span in given.items()
    }


def hours_json(hours: Hours) -> dict[str, list[str]]:
    """Return hours as rows keep them."""
    return {str(day): [f"{start:%H:%M}", f"{end:%H:%M}"] for day, (start, end) in sorted(hours.items())}
