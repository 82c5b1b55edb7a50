"""Criteria in words, for cards, logs and "why": `Category is one of Prospect and Job title contains "chef"`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from crm.criteria.choices import code_name, names_of, source_of
from crm.criteria.field import Field
from crm.criteria.fields import fields_by_key
from crm.criteria.money import own_currency
from crm.criteria.operators import Operator, operator_named, read_date, read_id, when_named
from crm.criteria.schema import Criteria, Line, Value
from crm.criteria.sql import lines_of

Names = Mapping[str, Mapping[int, str]]


def describe(criteria: Criteria) -> str:
    """Return criteria as one sentence without a full stop; "everyone" when empty. At most seven queries."""
    return describe_all([criteria])[0]


def describe_all(many: Sequence[Criteria | Line]) -> list[str]:
    """Return several criteria in words with no more queries than for one."""
    lines = [line for part in many for line in (lines_of(part) if isinstance(part, Criteria) else [part])]
    fields = fields_by_key(line.field for line in lines)
    wanted: dict[str, list[int]] = {}
    for line in lines:
        field = fields.get(line.field)
        if field and (source := source_of(field)):
            named = line.which if field.rows else line.values
            wanted.setdefault(source, []).extend(found for v in named if (found := read_id(v)))
    names = names_of(wanted)
    return [_part(part, fields, names, outer=True) for part in many]


def _part(part: Criteria | Line, fields: Mapping[str, Field], names: Names, *, outer: bool = False) -> str:
    if isinstance(part, Line):
        return describe_line(part, fields, names)
    groups = [
        " and ".join(_part(inner, fields, names) for inner in group.lines)
        for group in part.groups
        if group.lines
    ]
    if not groups:
        return "everyone"
    text = ", or ".join(groups)
    return text if outer or (len(groups) == 1 and len(part.groups[0].lines) == 1) else f"({text})"


def describe_line(line: Line, fields: Mapping[str, Field], names: Names) -> str:
    """Return one line in words."""
    field = fields.get(line.field)
    if field is None:
        return "a field that is gone" if line.field else "…"
    operator = operator_named(field.type, line.operator)
    if operator is None:
        return f"{field.label} …"
    label = _membership_label(field, operator) or operator.label
    money = f" in {line.currency or own_currency()}" if field.asks_currency else ""
    text = (
        f"{field.label}{_which(line, field, names)}{money} {_compared(field, operator, label, line, names)}"
    )
    return f"{text}{_when(line) if field.asks_days else ''}"


def _compared(field: Field, operator: Operator, label: str, line: Line, names: Names) -> str:
    values = _values(field, operator, line.values, names)
    return _at_its_place(label, values) if "…" in label else f"{label} {values}".rstrip()


def _at_its_place(label: str, days: str) -> str:
    text = label.replace("…", days)
    return text.replace(" 1 days", " 1 day") if days == "1" else text


def _when(line: Line) -> str:
    """Return the period that counted rows are of, with a blank before it; nothing where they may be of any time."""
    if line.days is not None:
        return f" in the last {line.days} {'day' if str(line.days) == '1' else 'days'}"
    operator = when_named(line.when)
    if operator is None:
        return ""
    return f" {_compared_when(operator, line.when_values)}"


def _compared_when(operator: Operator, values: Sequence[Value]) -> str:
    label = operator.label.removeprefix("is ")
    if operator.name == "in_period":
        return f"{label} {_period(values)}"
    shown = (
        " and ".join(_shown(slot, value) for slot, value in zip(operator.slots, values, strict=False)) or "…"
    )
    if not operator.slots:
        return label
    return _at_its_place(label, shown) if "…" in label else f"{label} {shown}"


def _which(line: Line, field: Field, names: Names) -> str:
    if not (field.asks_which and line.which):
        return ""
    return f" ({', '.join(value_name(field, value, names) for value in line.which)})"


def _membership_label(field: Field, operator: Operator) -> str | None:
    if not field.is_multiple or operator.slots != ("choices",):
        return None
    return {"one_of": "is any of", "not_one_of": "is none of", "all_of": "has all of"}[operator.name]


def _values(field: Field, operator: Operator, values: Sequence[Value], names: Names) -> str:
    if operator.slots == ("choices",):
        return ", ".join(value_name(field, value, names) for value in values) or "…"
    if operator.name == "in_period":
        return _period(values)
    if operator.slots == ("times",) and values:
        return f"{values[0]} {'time' if str(values[0]) == '1' else 'times'}"
    shown = [_shown(slot, value) for slot, value in zip(operator.slots, values, strict=False)]
    return " and ".join(shown) if shown or not operator.slots else "…"


def _period(values: Sequence[Value]) -> str:
    if len(values) != 3:
        return "…"
    which, count, unit = (str(value) for value in values)
    if which == "this" or count == "1":
        return f"{which} {unit}"
    return f"the {which} {count} {unit}s"


def value_name(field: Field, value: Value, names: Names) -> str:
    """Return the name of a list field's value."""
    source = source_of(field)
    if not source:
        return code_name(field, str(value))
    return names[source].get(read_id(value) or 0, "a value that is gone")


def _shown(slot: str, value: Value) -> str:
    if slot == "text":
        return f"“{value}”"
    if slot == "date" and isinstance(day := read_date(value), dt.date):
        return f"{day.day} {day:%B %Y}"
    return str(value)
