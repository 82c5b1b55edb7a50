"""Which lines of criteria exclude each other: two that must both hold, about the same field, and never can.

Pure but for the tenant's own fields. Pairs are enough: ranges of which any two overlap all overlap. What depends on
today's date is compared with its like and with emptiness alone; a nested set of one group counts as its lines, and one
of several excludes what every one of its groups excludes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from core.text import norm, norm_email
from crm.criteria.field import Field
from crm.criteria.fields import fields_by_key
from crm.criteria.operators import operator_named, read_count, read_date, read_id, read_number
from crm.criteria.schema import Criteria, Group, Line, Value
from crm.criteria.sql import lines_of

Pair = tuple[Criteria | Line, Criteria | Line]


def contradictions(many: Sequence[Criteria]) -> list[list[Pair]]:
    """Return, for each of the criteria, the pairs of lines that exclude each other, at most one for each group; of a
    line (or several) and nested criteria where every group of these is excluded.

    At most three queries, whatever is given. Unfinished lines exclude nothing.
    """
    fields = fields_by_key(line.field for criteria in many for line in lines_of(criteria))
    return [list(_pairs(criteria, fields)) for criteria in many]


def _pairs(criteria: Criteria, fields: dict[str, Field]) -> Iterator[Pair]:
    for group in criteria.groups:
        lines = list(_together(group))
        found: Pair | None = next((pair for pair in combinations(lines, 2) if _exclude(*pair, fields)), None)
        found = found or next(_excluded_wholly(group, lines, fields), None)
        if found is not None:
            yield found
            continue
        for part in group.lines:
            if isinstance(part, Criteria):
                yield from _pairs(part, fields)


def _together(group: Group) -> Iterator[Line]:
    """Yield the lines that must all hold."""
    for part in group.lines:
        if isinstance(part, Line):
            yield part
        elif len(full := [inner for inner in part.groups if inner.lines]) == 1:
            yield from _together(full[0])


def _excluded_wholly(group: Group, lines: Sequence[Line], fields: dict[str, Field]) -> Iterator[Pair]:
    """Yield nested criteria none of whose groups can hold beside the lines, with what excludes them."""
    for nested in _alternatives(group):
        groups = [list(_together(inner)) for inner in nested.groups if inner.lines]
        by_line = [
            [line for line in lines if any(_exclude(line, theirs, fields) for theirs in inner)]
            for inner in groups
        ]
        if all(by_line):
            alone = next((line for line in by_line[0] if all(line in found for found in by_line)), None)
            together = tuple(dict.fromkeys(found[0] for found in by_line))
            yield alone or Criteria(groups=(Group(lines=together),)), nested


def _alternatives(group: Group) -> Iterator[Criteria]:
    """Yield the nested criteria of several groups, of which one must hold."""
    for part in group.lines:
        if isinstance(part, Line):
            continue
        full = [inner for inner in part.groups if inner.lines]
        if len(full) > 1:
            yield part
        elif full:
            yield from _alternatives(full[0])


def _exclude(one: Line, other: Line, fields: dict[str, Field]) -> bool:
    field = fields.get(one.field)
    if field is None or one.field != other.field:
        return False
    # Rows that are narrowed differently are different questions.
    if field.rows and _narrowing(one) != _narrowing(other):
        return False
    if any(not _is_whole(line, field) for line in (one, other)):
        return False
    judge = _BY_TYPE[field.type]
    return judge(field, one, other) or judge(field, other, one)


def _narrowing(line: Line) -> object:
    return set(line.which), line.days, line.when, line.when_values, line.currency


def _is_whole(line: Line, field: Field) -> bool:
    operator = operator_named(field.type, line.operator)
    if operator is None:
        return False
    if operator.slots == ("choices",):
        return bool(line.values)
    return len(line.values) == len(operator.slots) and all(str(value).strip() for value in line.values)


# --- text ---------------------------------------------------------------------------------------------------------

_FULL = frozenset({"is", "begins_with", "ends_with", "contains", "is_set"})
_HOLDS: dict[str, Callable[[str, str], bool]] = {
    "is": lambda text, value: text == value,
    "begins_with": str.startswith,
    "ends_with": str.endswith,
    "contains": lambda text, value: value in text,
}


def _text(field: Field, one: Line, other: Line) -> bool:
    if one.operator == "is_empty":
        return other.operator in _FULL
    operator = operator_named("text", other.operator)
    name = (operator.negates or operator.name) if operator else ""
    if one.operator not in _HOLDS or name not in _HOLDS:
        return False
    negated = name != other.operator
    read = norm_email if field.shape == "email" else norm
    mine, theirs = read(str(one.values[0])), read(str(other.values[0]))
    if one.operator == "is":
        return _HOLDS[name](mine, theirs) is negated
    if not negated:
        same_end = one.operator == name in {"begins_with", "ends_with"}
        return same_end and not (_HOLDS[name](mine, theirs) or _HOLDS[name](theirs, mine))
    # What begins (ends) with a longer text begins with its beginning, and contains whatever that contains.
    return name in {one.operator, "contains"} and _HOLDS[name](mine, theirs)


# --- numbers, dates, counts ---------------------------------------------------------------------------------------

_Point = Decimal | dt.date | int


@dataclass(frozen=True, slots=True)
class _Range:
    """From low to high; None is without end, `open_` ends do not belong to it."""

    low: _Point | None = None
    high: _Point | None = None
    open_low: bool = False
    open_high: bool = False

    def misses(self, other: _Range) -> bool:
        """Whether nothing lies in both."""
        return _after(self, other) or _after(other, self)


def _after(one: _Range, other: _Range) -> bool:
    """Whether one begins behind the end of the other."""
    if one.low is None or other.high is None:
        return False
    if one.low == other.high:
        return one.open_low or other.open_high
    return bool(one.low > other.high)  # type: ignore[operator]  # both of one field, so of one type


# How each operator makes a range of its first and its last value.
_RANGES: dict[str, Callable[[_Point, _Point], _Range]] = {
    **dict.fromkeys(("eq", "on", "exactly", "between"), _Range),
    **dict.fromkeys(("gt", "after"), lambda first, _: _Range(low=first, open_low=True)),
    **dict.fromkeys(("ge", "at_least"), lambda first, _: _Range(low=first)),
    **dict.fromkeys(("lt", "before", "fewer"), lambda first, _: _Range(high=first, open_high=True)),
    "le": lambda first, _: _Range(high=first),
}


def _range(line: Line, read: Callable[[Value], _Point | None]) -> _Range | None:
    points = [point for value in line.values if (point := read(value)) is not None]
    if line.operator not in _RANGES or len(points) != len(line.values):
        return None
    return _RANGES[line.operator](points[0], points[-1])


def _is_empty_against(one: Line, other: Line) -> bool:
    return one.operator == "is_empty" and other.operator not in {"is_empty", "ne", "not_one_of"}


def _number(field: Field, one: Line, other: Line) -> bool:
    if _is_empty_against(one, other):
        return True
    if other.operator == "ne":
        return one.operator == "eq" and read_number(one.values[0]) == read_number(other.values[0])
    return _ranges_miss(one, other, read_number)


_TODAY = {
    "before_today": _Range(high=0, open_high=True),
    "today": _Range(0, 0),
    "after_today": _Range(low=0, open_low=True),
}


def _date(field: Field, one: Line, other: Line) -> bool:
    if _is_empty_against(one, other):
        return True
    if one.operator in _TODAY and other.operator in _TODAY:
        return _TODAY[one.operator].misses(_TODAY[other.operator])
    return _ranges_miss(one, other, read_date)


def _count(field: Field, one: Line, other: Line) -> bool:
    if one.operator == "fewer" and read_count(one.values[0]) == 0:
        return True
    mine, theirs = _range(one, read_count), _range(other, read_count)
    if mine is None or theirs is None:
        return False
    # Whole numbers: fewer than 2 ends at 1.
    return _whole(mine).misses(_whole(theirs))


def _whole(span: _Range) -> _Range:
    if span.open_high and isinstance(span.high, int):
        return _Range(span.low, span.high - 1)
    return span


def _ranges_miss(one: Line, other: Line, read: Callable[[Value], _Point | None]) -> bool:
    mine, theirs = _range(one, read), _range(other, read)
    return mine is not None and theirs is not None and mine.misses(theirs)


# --- yes or no, lists ---------------------------------------------------------------------------------------------


def _bool(field: Field, one: Line, other: Line) -> bool:
    return {one.operator, other.operator} == {"yes", "no"}


def _list(field: Field, one: Line, other: Line) -> bool:
    if _is_empty_against(one, other):
        return True
    if one.operator not in {"one_of", "all_of"} or other.operator not in {"one_of", "all_of", "not_one_of"}:
        return False
    mine, theirs = _choices(one), _choices(other)
    if other.operator == "not_one_of":
        return bool(mine & theirs) if one.operator == "all_of" else mine <= theirs
    # Only a field of one value cannot be both.
    return not field.is_multiple and field.rows is None and not mine & theirs


def _choices(line: Line) -> set[object]:
    return {read_id(value) or str(value) for value in line.values}


_BY_TYPE: dict[str, Callable[[Field, Line, Line], bool]] = {
    "text": _text,
    "number": _number,
    "date": _date,
    "bool": _bool,
    "list": _list,
    "count": _count,
}
