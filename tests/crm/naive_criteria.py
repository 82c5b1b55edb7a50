"""Criteria as one would read them aloud, contact by contact: what the SQL must agree with."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.criteria.schema import Line
from tests.crm.conftest import NOW

OSLO = ZoneInfo("Europe/Oslo")
TODAY = NOW.astimezone(OSLO).date()


def holds(line: Line, person: dict[str, Any]) -> bool:  # noqa: PLR0911 (one return a type)
    """Judge one line as a person would."""
    have = person[line.field]
    if line.operator.startswith("not_") or line.operator in {"is_not", "ne", "no", "is_set"}:
        opposite = {"is_not": "is", "ne": "eq", "no": "yes", "is_set": "is_empty"}
        name = opposite.get(line.operator, line.operator.removeprefix("not_"))
        return not holds(line.model_copy(update={"operator": name}), person)
    if line.operator == "is_empty":
        return have in (None, "", set())
    if line.operator == "yes":
        return bool(have)
    if isinstance(have, set):
        chosen = {int(value) for value in line.values}
        return chosen <= have if line.operator == "all_of" else bool(chosen & have)
    if line.operator in {"one_of", "all_of"}:
        chosen_texts = {str(value) for value in line.values}
        return have is not None and (
            chosen_texts == {str(have)} if line.operator == "all_of" else str(have) in chosen_texts
        )
    if isinstance(have, str):
        return _holds_text(line.operator, have, str(line.values[0]))
    if isinstance(have, Decimal):
        return _holds_number(line.operator, have, [Decimal(str(value)) for value in line.values])
    return have is not None and _holds_date(line.operator, have, line.values)


def _holds_text(operator: str, have: str, want: str) -> bool:
    have, want = have.casefold(), want.casefold()
    if "@" in have:
        have = have.replace("exämple", "xn--exmple-cua")
    return {
        "is": have == want,
        "begins_with": have.startswith(want),
        "ends_with": have.endswith(want),
        "contains": want in have,
    }[operator]


def _holds_number(operator: str, have: Decimal, want: list[Decimal]) -> bool:
    return {
        "eq": have == want[0],
        "gt": have > want[0],
        "lt": have < want[0],
        "ge": have >= want[0],
        "le": have <= want[0],
        "between": want[0] <= have <= want[-1],
    }[operator]


def _holds_date(operator: str, have: dt.date, values: tuple[Any, ...]) -> bool:
    if operator in {"today", "before_today", "after_today"}:
        return {"today": have == TODAY, "before_today": have < TODAY, "after_today": have > TODAY}[operator]
    if operator == "anniversary_in":
        day = TODAY + dt.timedelta(days=int(values[0]))
        month_day = (2, 28) if (have.month, have.day) == (2, 29) and day.year % 4 else (have.month, have.day)
        return month_day == (day.month, day.day)
    if operator == "in_period":
        return _in_period(have, *values)
    days = [dt.date.fromisoformat(value) for value in values]
    return {
        "on": have == days[0],
        "before": have < days[0],
        "after": have > days[0],
        "between": days[0] <= have <= days[-1],
    }[operator]


def _in_period(have: dt.date, which: str, count: int, unit: str) -> bool:
    def number(day: dt.date) -> int:
        return {
            "day": day.toordinal(),
            "week": (day.toordinal() - 1) // 7,
            "month": day.year * 12 + day.month,
            "year": day.year,
        }[unit]

    ahead = number(have) - number(TODAY)
    return {"this": ahead == 0, "next": 1 <= ahead <= count, "last": -count <= ahead <= -1}[which]
