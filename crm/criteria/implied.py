"""Whether criteria hold wherever others do, told by their lines alone: no database, no reckoning with ranges."""

from __future__ import annotations

from core.text import norm
from crm.criteria.operators import read_id, read_number
from crm.criteria.schema import Criteria, Group, Line, Value
from crm.criteria.sql import lines_of

_CHOICES = frozenset({"one_of", "not_one_of", "all_of"})


def implies(one: Criteria, other: Criteria) -> bool:
    """Say whether whoever matches `one` surely matches `other`: each group of one has every line of one of the other's.

    Unfinished or empty criteria imply nothing and are implied by nothing.
    """
    if any(not line.field or not line.operator for side in (one, other) for line in lines_of(side)):
        return False
    mine, theirs = _groups(one), _groups(other)
    return bool(mine and theirs) and all(any(least <= group for least in theirs) for group in mine)


def _groups(criteria: Criteria) -> frozenset[frozenset[object]]:
    return frozenset(_lines(group) for group in criteria.groups if group.lines)


def _lines(group: Group) -> frozenset[object]:
    return frozenset(_line(part) if isinstance(part, Line) else _groups(part) for part in group.lines)


def _line(line: Line) -> object:
    """Return a line as it compares: choices without order, text without case, numbers without their spelling."""
    if line.operator in _CHOICES:
        values: object = frozenset(_choice(value) for value in line.values)
    else:
        values = tuple(_value(value) for value in line.values)
    when = line.when, tuple(_value(value) for value in line.when_values), line.currency
    return line.field, line.operator, values, frozenset(_choice(v) for v in line.which), str(line.days), when


def _choice(value: Value) -> object:
    return read_id(value) or str(value)


def _value(value: Value) -> object:
    number = read_number(value)
    return norm(str(value)) if number is None else number
