"""The period of a report: days of the tenant's, read out of the URL, with the period before it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

ALL: Final = "all"
CUSTOM: Final = "custom"
CHOICES: Final = (
    ("7", "Last 7 days"),
    ("30", "Last 30 days"),
    ("90", "Last 90 days"),
    ("month", "This month"),
    ("last_month", "Last month"),
    (ALL, "All time"),
    (CUSTOM, "Chosen days"),
)
_DAY = dt.timedelta(days=1)
# No report goes further back: a year that somebody mistyped would be a chart of a hundred thousand days.
_FIRST = dt.date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`, both included; `first` is None for all time. `compares`: with the period before."""

    choice: str
    first: dt.date | None
    last: dt.date
    compares: bool = False
    problem: str = ""

    @property
    def days(self) -> int:
        """How many days it has; 0 for all time."""
        return (self.last - self.first).days + 1 if self.first else 0

    @property
    def before(self) -> Period | None:
        """The period of the same length right before it; a month has the month before. None for all time."""
        if self.first is None:
            return None
        last = self.first - _DAY
        first = last.replace(day=1) if self.choice == "last_month" else self.first - self.days * _DAY
        return Period(CUSTOM, first, last)

    @property
    def words(self) -> str:
        """The days in words: 1 November to 28 November 2026."""
        if self.first is None:
            return f"until {_day(self.last)}"
        return _day(self.first) if self.first == self.last else f"{_day(self.first)} to {_day(self.last)}"

    @property
    def people(self) -> str:
        """What narrows the list of participants to this period, beside `when`; empty for all time."""
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat()}) if self.first else ""

    @property
    def query(self) -> str:
        """What asks for this period again."""
        asked = {"period": self.choice}
        if self.choice == CUSTOM and self.first:
            asked |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return urlencode(asked | ({"compare": "1"} if self.compares else {}))


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"


def asked_period(data: Mapping[str, str], *, today: dt.date) -> Period:
    """Read the period that a URL asks for; anything that makes no sense is the last 30 days, and says so."""
    choice = data.get("period", "30")
    compares = data.get("compare") == "1"
    if choice == CUSTOM:
        first, last = _date(data.get("from", "")), _date(data.get("to", ""))
        if first is None or last is None or first > last:
            return Period("30", today - 29 * _DAY, today, compares, "Choose a first and a last day.")
        return Period(CUSTOM, first, last, compares)
    if choice == ALL:
        return Period(ALL, None, today)
    if choice == "month":
        return Period(choice, today.replace(day=1), today, compares)
    if choice == "last_month":
        last = today.replace(day=1) - _DAY
        return Period(choice, last.replace(day=1), last, compares)
    days = int(choice) if choice in {"7", "30", "90"} else 30
    return Period(str(days), today - (days - 1) * _DAY, today, compares)


def _date(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST <= day <= dt.date(2200, 1, 1) else None
