"""How long something takes, at the earliest and at the latest, and how that is said. Pure; flows.reached adds it up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flows.waiting import Unit

_DAY = dt.timedelta(days=1)
_HOUR = dt.timedelta(hours=1)
_NONE = dt.timedelta()
# A file may say what no form lets through.
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Lasting:
    """From the earliest to the latest; a latest of None: no end is known (a date, a wait without maximum)."""

    earliest: dt.timedelta = _NONE
    latest: dt.timedelta | None = _NONE

    def __add__(self, other: Lasting) -> Lasting:
        open_end = self.latest is None or other.latest is None
        latest = None if open_end else (self.latest or _NONE) + (other.latest or _NONE)
        return Lasting(self.earliest + other.earliest, latest)

    def __or__(self, other: Lasting) -> Lasting:
        open_end = self.latest is None or other.latest is None
        latest = None if open_end else max(self.latest or _NONE, other.latest or _NONE)
        return Lasting(min(self.earliest, other.earliest), latest)

    @property
    def words(self) -> str:
        """`Day 5`, `Day 2–5`, `Up to day 7`, `Day 3 or later`; empty at once after entering."""
        first, last = self.earliest, self.latest
        if last is None:
            return _big(f"{_point(first)} or later") if first else "Any time later"
        if first == last:
            return _big(_point(first)) if first else ""
        if not first:
            return f"Up to {_point(last, up=True)}"
        if first >= _DAY:
            return f"Day {first // _DAY:,}–{-(-last // _DAY):,}"
        return f"{_point(first)} to {_point(last, up=True)}"


AT_ONCE = Lasting()


def span(amount: int, unit: Unit) -> Lasting:
    """Return how long a wait of so many units is; workdays by the weekday on which it begins."""
    amount = max(0, min(amount, _MOST))
    if unit == "workdays":
        return _workdays(amount)
    exact = dt.timedelta(**{unit: amount})
    return Lasting(exact, exact)


def at_most(amount: int, unit: Unit) -> Lasting:
    """Return a wait that something may end before its maximum."""
    return Lasting(_NONE, span(amount, unit).latest)


def _workdays(amount: int) -> Lasting:
    if not amount:
        return AT_ONCE
    # Days of the calendar from each weekday (0 Monday): a weekend counts as its Friday, whose days are over then.
    ends = [amount + 2 * ((min(day, 4) + amount) // 5) - max(day - 4, 0) for day in range(7)]
    return Lasting(min(ends) * _DAY, max(ends) * _DAY)


def _point(at: dt.timedelta, *, up: bool = False) -> str:
    if at < _HOUR:
        return f"{at // dt.timedelta(minutes=1)} min"
    if at < _DAY:
        minutes = at % _HOUR // dt.timedelta(minutes=1)
        return f"{at // _HOUR} h" + (f" {minutes} min" if minutes else "")
    days, rest = divmod(at, _DAY)
    if up:
        return f"day {days + bool(rest):,}"
    return f"day {days:,}" + (f" + {_point(rest)}" if rest else "")


def _big(words: str) -> str:
    return words[0].upper() + words[1:]
