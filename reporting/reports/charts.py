"""Bars of a chart as numbers that a template draws: days are put together so that they can be told apart. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reporting.reports.period import Period

# What a chart draws in: the template's view box.
WIDTH: Final = 600
HEIGHT: Final = 120
_MOST_DAYS, _MOST_WEEKS = 62, 53 * 2
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bar:
    """A day, week or month: how many, from when to when, and its place in the view box."""

    first: dt.date
    last: dt.date
    number: int
    x: float
    width: float
    height: float

    @property
    def y(self) -> float:
        """Its upper edge."""
        return HEIGHT - self.height

    @property
    def words(self) -> str:
        """Its days."""
        one = f"{self.first.day} {self.first:%b %Y}"
        return one if self.first == self.last else f"{one} to {self.last.day} {self.last:%b %Y}"

    @property
    def people(self) -> str:
        """What narrows the list of participants to these days."""
        return f"from={self.first.isoformat()}&to={self.last.isoformat()}"


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side, with the period before as a line above them ("" where nothing is compared)."""

    bars: Sequence[Bar]
    top: int
    total: int
    line: str = ""

    @property
    def grain(self) -> str:
        """What one bar is."""
        days = (self.bars[0].last - self.bars[0].first).days if self.bars else 0
        return "day" if days == 0 else "week" if days < 8 else "month"


Days = Mapping[dt.date, Mapping[str, int]]


def spans(period: Period, days: Days) -> list[tuple[dt.date, dt.date]]:
    """Return the stretches that bars stand for: days, else weeks from Monday, else months."""
    first = period.first or min(days, default=period.last)
    length = (period.last - first).days + 1
    found, begin = [], first
    while begin <= period.last:
        end = _end(begin, length)
        found.append((begin, min(end, period.last)))
        begin = end + _DAY
    return found


def _end(begin: dt.date, length: int) -> dt.date:
    if length <= _MOST_DAYS:
        return begin
    if length <= _MOST_WEEKS * 7:
        return begin + (6 - begin.weekday()) * _DAY
    return (begin.replace(day=1) + 31 * _DAY).replace(day=1) - _DAY


def chart(
    stretches: Sequence[tuple[dt.date, dt.date]],
    days: Days,
    measure: Callable[[Mapping[str, int]], int],
    *,
    before: Days | None = None,
    shift: int = 0,
) -> Chart:
    """Return a measure's bars; `before` are the days of the period before, `shift` days earlier."""
    numbers = [_sum(days, first, last, measure) for first, last in stretches]
    back = shift * _DAY
    earlier = (
        [_sum(before, first - back, last - back, measure) for first, last in stretches] if before else []
    )
    top = max([*numbers, *earlier, 1])
    step = WIDTH / max(len(stretches), 1)
    gap = min(step * 0.25, 6)
    bars = [
        Bar(first, last, n, round(at * step + gap / 2, 2), round(step - gap, 2), _height(n, top))
        for at, ((first, last), n) in enumerate(zip(stretches, numbers, strict=True))
    ]
    points = [f"{(at + 0.5) * step:.2f},{HEIGHT - _height(n, top):.2f}" for at, n in enumerate(earlier)]
    return Chart(bars, top, sum(numbers), " ".join(points))


def _sum(days: Days, first: dt.date, last: dt.date, measure: Callable[[Mapping[str, int]], int]) -> int:
    span = range((last - first).days + 1)
    return sum(measure(days[day]) for n in span if (day := first + n * _DAY) in days)


def _height(number: int, top: int) -> float:
    """A bar of a few among many is still seen."""
    return round(max(HEIGHT * number / top, 2.0), 2) if number > 0 else 0.0
