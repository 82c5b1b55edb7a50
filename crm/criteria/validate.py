"""What is wrong with criteria, in the user's words. Never raises: unfinished criteria may always be saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

from core.text import norm
from crm.criteria.choices import names_of, source_of
from crm.criteria.field import Field
from crm.criteria.fields import fields_by_key
from crm.criteria.money import own_currency
from crm.criteria.operators import (
    MOST_DAYS,
    PERIODS,
    UNITS,
    Operator,
    Slot,
    operator_named,
    read_count,
    read_date,
    read_days,
    read_id,
    read_number,
    read_span,
    when_named,
)
from crm.criteria.schema import Criteria, Line, Value
from crm.criteria.sql import lines_of
from crm.currencies import CURRENCIES
from crm.places import COUNTRIES, LANGUAGES

MOST_LINES = 200
MOST_DEPTH = 5
MOST_TEXT = 500

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """What is wrong at one place: the path is group, line, group, line … from the root."""

    path: Path
    message: str


def problems(criteria: Criteria) -> list[str]:
    """Return what is wrong, in order; empty means that the criteria can be judged.

    At most seven queries: the tenant's own fields, and which of the chosen values exist. Inside checked_together,
    none for what was named there.
    """
    known = _together.get().get(criteria)
    return list(known) if known is not None else [problem.message for problem in line_problems(criteria)]


_together: ContextVar[Mapping[Criteria, Sequence[str]]] = ContextVar(
    "criteria_checked_together", default=MappingProxyType({})
)


@contextmanager
def checked_together(many: Iterable[Criteria]) -> Iterator[None]:
    """Check many criteria with the queries of one: problems() asked inside knows their answers."""
    distinct = list(dict.fromkeys(many))
    lines = [line for criteria in distinct for line in lines_of(criteria)]
    fields = fields_by_key(line.field for line in lines)
    names = _names(lines, fields)
    found = {one: [p.message for p in _line_problems(one, fields, names)] for one in distinct}
    token = _together.set(found)
    try:
        yield
    finally:
        _together.reset(token)


def line_problems(criteria: Criteria) -> list[LineProblem]:
    """Return what is wrong, each with its place."""
    lines = list(lines_of(criteria))
    fields = fields_by_key(line.field for line in lines)
    return _line_problems(criteria, fields, _names(lines, fields))


def _line_problems(
    criteria: Criteria, fields: Mapping[str, Field], names: Mapping[str, Mapping[int, str]]
) -> list[LineProblem]:
    count = sum(1 for _ in lines_of(criteria))
    if count > MOST_LINES:
        return [LineProblem((), f"There are {count} lines; {MOST_LINES} are the most.")]
    if _depth(criteria) > MOST_DEPTH:
        return [LineProblem((), f"Groups are nested deeper than {MOST_DEPTH}.")]
    return list(_problems(criteria, (), fields, names))


def _depth(criteria: Criteria) -> int:
    inner = [_depth(part) for group in criteria.groups for part in group.lines if isinstance(part, Criteria)]
    return 1 + max(inner, default=0)


def _names(lines: Sequence[Line], fields: Mapping[str, Field]) -> dict[str, dict[int, str]]:
    wanted: dict[str, list[int]] = {}
    for line in lines:
        field = fields.get(line.field)
        if field and (source := source_of(field)):
            named = line.which if field.rows else line.values
            wanted.setdefault(source, []).extend(found for v in named if (found := read_id(v)))
    return names_of(wanted)


def _problems(
    criteria: Criteria, path: Path, fields: Mapping[str, Field], names: Mapping[str, Mapping[int, str]]
) -> Iterator[LineProblem]:
    for i, group in enumerate(criteria.groups):
        if not group.lines:
            yield LineProblem((*path, i), "A group has no lines.")
        for j, part in enumerate(group.lines):
            here = (*path, i, j)
            if isinstance(part, Criteria):
                yield from _problems(part, here, fields, names)
            elif message := line_problem(part, fields, names):
                yield LineProblem(here, message)


def line_problem(
    line: Line, fields: Mapping[str, Field], names: Mapping[str, Mapping[int, str]]
) -> str | None:
    """Return what is wrong with one line, or None."""
    if not line.field:
        return "A line has no field."
    field = fields.get(line.field)
    if field is None:
        return f"The field {line.field!r} does not exist any more."
    operator = operator_named(field.type, line.operator)
    if operator is None:
        return f"{field.label}: choose how to compare."
    message = _values_problem(field, operator, line.values, names) or _narrowing_problem(field, line, names)
    return f"{field.label} {operator.label}: {message}" if message else None


def _values_problem(
    field: Field, operator: Operator, values: Sequence[Value], names: Mapping[str, Mapping[int, str]]
) -> str | None:
    if operator.slots == ("choices",):
        return _choices_problem(field, values, names)
    return _slots_problem(operator, values)


def _slots_problem(operator: Operator, values: Sequence[Value]) -> str | None:
    if len(values) != len(operator.slots):
        return "a value is missing." if len(values) < len(operator.slots) else "there are too many values."
    for slot, value in zip(operator.slots, values, strict=True):
        if message := _slot_problem(slot, value):
            return message
    if operator.name == "between":
        reader = read_number if operator.slots[0] == "number" else read_date
        low, high = (reader(value) for value in values)
        if low is not None and high is not None and low > high:  # type: ignore[operator]  # both of one type
            return "the first value is after the second."
    return None


def _narrowing_problem(field: Field, line: Line, names: Mapping[str, Mapping[int, str]]) -> str | None:
    """What is wrong with the things, the currency and the period that a line narrows its rows to."""
    if field.asks_which and line.which and (message := _choices_problem(field, line.which, names)):
        return message
    if line.which and not field.asks_which:
        return "nothing can be chosen here."
    return _currency_problem(field, line) or _period_problem(field, line)


def _currency_problem(field: Field, line: Line) -> str | None:
    if not field.asks_currency:
        return "a currency cannot be chosen here." if line.currency else None
    if not line.currency:
        return f"choose the currency: until then only amounts in {own_currency()} are added up."
    return None if line.currency in CURRENCIES else f"“{line.currency}” is no currency."


def _period_problem(field: Field, line: Line) -> str | None:
    if (line.days is not None or line.when) and not field.asks_days:
        return "days cannot be chosen here."
    if line.days is not None and not read_days(line.days):
        return f"“{line.days}” is not a number of days from 1 to {MOST_DAYS:,}."
    if not line.when:
        return None
    operator = when_named(line.when)
    return "choose a period." if operator is None else _slots_problem(operator, line.when_values)


def _choices_problem(
    field: Field, values: Sequence[Value], names: Mapping[str, Mapping[int, str]]
) -> str | None:
    if not values:
        return "nothing is chosen."
    source = source_of(field)
    if not source:
        known: Mapping[str, str] = COUNTRIES if field.choices == "country" else LANGUAGES
        bad = [str(value) for value in values if str(value) not in known]
        return f"{bad[0]!r} is no {field.choices}." if bad else None
    if any((read_id(value) or 0) not in names[source] for value in values):
        return "a chosen value does not exist any more."
    return None


def _slot_problem(slot: Slot, value: Value) -> str | None:
    text = str(value).strip()
    if not text:
        return "a value is missing."
    if slot == "text":
        if not norm(text):
            return "a value is missing."
        return f"the text is longer than {MOST_TEXT} characters." if len(text) > MOST_TEXT else None
    reader, message = _SLOT_CHECKS[slot]
    return None if reader(text) is not None else message.format(text)


def _word(words: Sequence[str]) -> Callable[[Value], object]:
    return lambda value: value if value in words else None


_SLOT_CHECKS: dict[Slot, tuple[Callable[[Value], object], str]] = {
    "number": (read_number, "“{}” is not a number."),
    "date": (read_date, "“{}” is not a date."),
    "period": (_word(PERIODS), "choose this, next or last."),
    "unit": (_word(UNITS), "choose day, week, month, quarter or year."),
    "count": (read_count, "“{}” is not a number from 0 to 1,000."),
    "times": (read_count, "“{}” is not a number from 0 to 1,000."),
    "days": (read_span, f"“{{}}” is not a number of days from 0 to {MOST_DAYS:,}."),
}
