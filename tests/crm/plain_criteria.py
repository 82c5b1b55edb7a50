"""Criteria read as a person reads them, over plain Python values: what the SQL must agree with."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.criteria.schema import Criteria, Line


def plain(text: str) -> str:
    """Read a text as people compare it: no case, no width, no difference in how an accent is written."""
    folded_text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded_text.split())


def reads(line: Line, have: Any, today: dt.date, zone: ZoneInfo) -> bool:  # noqa: PLR0911 (one return a type)
    """Judge one line over one value."""
    op, values = line.operator, list(line.values)
    if op.startswith(("not_", "is_not")):
        positive = "is" if op == "is_not" else op.removeprefix("not_")
        return not reads(line.model_copy(update={"operator": positive}), have, today, zone)
    empty = have is None or have in ("", set())
    if op in {"is_empty", "is_set"}:
        return empty == (op == "is_empty")
    if op in {"yes", "no"}:
        return bool(have) == (op == "yes")
    if op == "ne":
        return empty or have != Decimal(str(values[0]))
    if empty:
        return False
    if op in {"one_of", "all_of"}:
        wanted, own = (
            {str(v) for v in values},
            {str(v) for v in have} if isinstance(have, set) else {str(have)},
        )
        return wanted <= own if op == "all_of" else bool(wanted & own)
    if isinstance(have, str):
        mine, want = plain(have), plain(str(values[0]))
        return {
            "is": mine == want,
            "begins_with": mine.startswith(want),
            "ends_with": mine.endswith(want),
            "contains": want in mine,
        }[op]
    if isinstance(have, Decimal):
        low, high = Decimal(str(values[0])), Decimal(str(values[-1]))
        return {
            "eq": have == low, "gt": have > low, "lt": have < low, "ge": have >= low, "le": have <= low,
            "between": low <= have <= high,
        }[op]  # fmt: skip
    day = have.astimezone(zone).date() if isinstance(have, dt.datetime) else have
    return reads_day(op, values, day, today)


def reads_day(op: str, values: list[Any], day: dt.date, today: dt.date) -> bool:
    """Judge one line over a day."""
    if op in {"today", "before_today", "after_today"}:
        return {"today": day == today, "before_today": day < today, "after_today": day > today}[op]
    if op == "anniversary_in":
        then = today + dt.timedelta(days=int(values[0]))
        try:
            return day.replace(year=then.year) == then
        except ValueError:  # 29 February in another year
            return (then.month, then.day) == (2, 28)
    if op in {"last_days", "next_days", "days_ago", "days_ahead"}:
        ago, span = (today - day).days, int(values[0])
        return {
            "last_days": 0 <= ago <= span, "next_days": 0 <= -ago <= span, "days_ago": ago > span,
            "days_ahead": -ago > span,
        }[op]  # fmt: skip
    if op == "in_period":
        return reads_period(str(values[0]), int(values[1]), str(values[2]), day, today)
    given = [dt.date.fromisoformat(str(value)) for value in values]
    return {
        "on": day == given[0], "before": day < given[0], "after": day > given[0],
        "between": given[0] <= day <= given[-1],
    }[op]  # fmt: skip


def reads_period(which: str, count: int, unit: str, day: dt.date, today: dt.date) -> bool:
    """Count units from today's to the day's."""

    def number(d: dt.date) -> int:
        # The calendar's first day was a Monday.
        weeks = (d.toordinal() - 1) // 7
        quarters = d.year * 4 + (d.month - 1) // 3
        months = d.year * 12 + d.month
        units = {"day": d.toordinal(), "week": weeks, "month": months, "quarter": quarters, "year": d.year}
        return units[unit]

    away = number(day) - number(today)
    return {"this": away == 0, "next": 0 < away <= count, "last": -count <= away < 0}[which]


def tree_reads(criteria: Criteria, have: Mapping[str, Any], today: dt.date, zone: ZoneInfo) -> bool:
    """Judge a tree: any group, of which all lines."""
    return any(
        all(
            reads(part, have[part.field], today, zone)
            if isinstance(part, Line)
            else tree_reads(part, have, today, zone)
            for part in group.lines
        )
        for group in criteria.groups
    )
