"""The operators of each type of field: what they are called, which values they take, what may stand in them.

Pure: no database. A negation holds exactly where its operator does not, so an empty field "is not" anything.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from crm.criteria.field import FieldType
from crm.criteria.schema import Value

# What a value is: `period` and `unit` are the words of "in next 3 weeks".
Slot = Literal["text", "number", "date", "choice", "choices", "period", "count", "unit", "days", "times"]
PERIODS = ("this", "next", "last")
UNITS = ("day", "week", "month", "quarter", "year")
MOST_UNITS = 1000
MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator of one type. `negates` names the operator that it is the complement of; a value stands at the … of
    the label, or after it."""

    name: str
    label: str
    slots: tuple[Slot, ...] = ()
    negates: str = ""


TEXT = (
    Operator("is", "is", ("text",)),
    Operator("is_not", "is not", ("text",), negates="is"),
    Operator("begins_with", "begins with", ("text",)),
    Operator("not_begins_with", "does not begin with", ("text",), negates="begins_with"),
    Operator("ends_with", "ends with", ("text",)),
    Operator("not_ends_with", "does not end with", ("text",), negates="ends_with"),
    Operator("contains", "contains", ("text",)),
    Operator("not_contains", "does not contain", ("text",), negates="contains"),
    Operator("is_empty", "is empty"),
    Operator("is_set", "is set", negates="is_empty"),
)
NUMBER = (
    Operator("eq", "=", ("number",)),
    Operator("ne", "≠", ("number",), negates="eq"),
    Operator("gt", ">", ("number",)),
    Operator("lt", "<", ("number",)),
    Operator("ge", "≥", ("number",)),
    Operator("le", "≤", ("number",)),
    Operator("between", "is between", ("number", "number")),
    Operator("is_empty", "is empty"),
    Operator("is_set", "is set", negates="is_empty"),
)
DATE = (
    Operator("on", "is on", ("date",)),
    Operator("before", "is before", ("date",)),
    Operator("after", "is after", ("date",)),
    Operator("between", "is between", ("date", "date")),
    Operator("today", "is today"),
    Operator("before_today", "is before today"),
    Operator("after_today", "is after today"),
    Operator("in_period", "is in", ("period", "count", "unit")),
    Operator("last_days", "is in the last … days", ("days",)),
    Operator("next_days", "is in the next … days", ("days",)),
    Operator("days_ago", "is more than … days ago", ("days",)),
    Operator("days_ahead", "is more than … days ahead", ("days",)),
    Operator("anniversary_in", "has its anniversary in … days", ("days",)),
    Operator("is_empty", "is empty"),
    Operator("is_set", "is set", negates="is_empty"),
)
BOOL = (Operator("yes", "is yes"), Operator("no", "is no", negates="yes"))
LIST = (
    Operator("one_of", "is one of", ("choices",)),
    Operator("not_one_of", "is not one of", ("choices",), negates="one_of"),
    Operator("all_of", "has all of", ("choices",)),
    Operator("is_empty", "is empty"),
    Operator("is_set", "is set", negates="is_empty"),
)
COUNT = (
    Operator("at_least", "at least", ("times",)),
    Operator("exactly", "exactly", ("times",)),
    Operator("fewer", "fewer than", ("times",), negates="at_least"),
)
OPERATORS: dict[FieldType, tuple[Operator, ...]] = {
    "text": TEXT,
    "number": NUMBER,
    "date": DATE,
    "bool": BOOL,
    "list": LIST,
    "count": COUNT,
}
RELATIVE = frozenset(
    {
        "today",
        "before_today",
        "after_today",
        "in_period",
        "last_days",
        "next_days",
        "days_ago",
        "days_ahead",
        "anniversary_in",
    }
)
# When the rows that a line counts or sums may be from; "in the last … days" is a line's `days`.
WHEN = ("today", "in_period", "days_ago", "on", "before", "after", "between")


def operator_named(field_type: FieldType, name: str) -> Operator | None:
    """Return the operator of a type, or None."""
    return next((operator for operator in OPERATORS[field_type] if operator.name == name), None)


def when_named(name: str) -> Operator | None:
    """Return the operator of dates that may say when counted rows are from, or None."""
    return operator_named("date", name) if name in WHEN else None


def read_number(value: Value) -> Decimal | None:
    """Return a value as a number, or None where it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal(10) ** 15 else None


def read_date(value: Value) -> dt.date | None:
    """Return a value (ISO text) as a date, or None where it is none."""
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def read_count(value: Value) -> int | None:
    """Return a value as a whole number from 0 to MOST_UNITS, or None where it is none."""
    number = read_number(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= MOST_UNITS:
        return None
    return int(number)


def read_span(value: Value) -> int | None:
    """Return a value as a number of days from today, from 0 to MOST_DAYS, or None where it is none."""
    number = read_number(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= MOST_DAYS:
        return None
    return int(number)


def read_days(value: Value) -> int | None:
    """Return the number of last days that a line looks at, from 1 to MOST_DAYS, or None where it is none."""
    number = read_number(value)
    if number is None or number != number.to_integral_value() or not 1 <= number <= MOST_DAYS:
        return None
    return int(number)


def read_id(value: Value) -> int | None:
    """Return a value as an id, or None where it is none."""
    number = read_number(value)
    if number is None or number != number.to_integral_value() or number < 1:
        return None
    return int(number)
