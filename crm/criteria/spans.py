"""Which days an operator of dates means, as the first that holds and the first that does not any more. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from crm.criteria import dates
from crm.criteria.operators import read_count, read_date, read_span
from crm.criteria.schema import Value

Span = tuple[dt.date | None, dt.date | None]
_DAY = dt.timedelta(days=1)


class BadCriteria(ValueError):
    """A line cannot be judged: an unknown operator, or a value that is none. See crm.criteria.validate."""


def read(label: str, reader: Callable[[Value], Any], value: Value, what: str) -> Any:
    """Return a value as it is read; raises BadCriteria where it is none."""
    found = reader(value)
    if found is None:
        raise BadCriteria(f"{label}: {value!r} is not {what}.")
    return found


def span_of(label: str, name: str, values: Sequence[Value], today: dt.date) -> Span:
    """Return the days of an operator (not of anniversaries or emptiness); None is open. Raises BadCriteria."""
    if name in _FROM_TODAY:
        days = read(label, read_span, values[0], "a number of days") if values else 0
        return _FROM_TODAY[name](today, days * _DAY)
    if name == "in_period":
        count = read(label, read_count, values[1] or 1, "a number")
        return dates.period(today, str(values[0]), count, str(values[2]))
    given = [read(label, read_date, value, "a date") for value in values]
    # Behind the last day of the calendar there is none.
    after = None if given[-1] == dt.date.max else given[-1] + _DAY
    return {
        "on": (given[0], after),
        "before": (None, given[0]),
        "after": (after, None) if after is not None else (dt.date.max, dt.date.max),
        "between": (given[0], after),
    }[name]


_FROM_TODAY: dict[str, Callable[[dt.date, dt.timedelta], Span]] = {
    "today": lambda today, _: (today, today + _DAY),
    "before_today": lambda today, _: (None, today),
    "after_today": lambda today, _: (today + _DAY, None),
    # The last 7 days are today and the seven days before it.
    "last_days": lambda today, span: (today - span, today + _DAY),
    "next_days": lambda today, span: (today, today + span + _DAY),
    "days_ago": lambda today, span: (None, today - span),
    "days_ahead": lambda today, span: (today + span + _DAY, None),
}
