"""Criteria as one boolean SQL expression over `c` (contact) and `co` (company). Values are bound, never written in.

The expression is TRUE or FALSE, never NULL; it names the clock nowhere, so a rehearsal's `now` holds. What looks
into other tables is a plain EXISTS by tenant_id with leakproof operators: the planner may then turn it round (a semi
join from the rows of the value) for a whole audience, or probe its index for one contact, and row-level security
keeps the indexes. Text that is not an index probe (contains, text as it was typed) is a scan of one tenant: about
0.25 s a million contacts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from core.text import norm, norm_email
from crm.criteria import dates
from crm.criteria.field import Field, Rows
from crm.criteria.fields import UnknownField, fields_by_key
from crm.criteria.fold import folded
from crm.criteria.memberships import FIELD, Clock, Nested, membership_of, moving
from crm.criteria.money import own_currency
from crm.criteria.operators import (
    Operator,
    operator_named,
    read_count,
    read_days,
    read_id,
    read_number,
    read_span,
    when_named,
)
from crm.criteria.schema import Criteria, Line, Value
from crm.criteria.spans import BadCriteria as BadCriteria
from crm.criteria.spans import Span, read, span_of
from crm.models import Selection

FROM = "crm_contact c LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id"


@dataclass(frozen=True, slots=True)
class CompiledCriteria:
    """A boolean SQL expression with its parameters in order."""

    sql: str
    params: list[Any]


def compile_criteria(criteria: Criteria, *, now: dt.datetime, zone: ZoneInfo) -> CompiledCriteria:
    """Return criteria as SQL. At most three queries (the tenant's own fields), none for built-in fields; lines about
    selections ask for their kinds, and dynamic ones bring their own criteria.

    Raises UnknownField for a field that is gone and BadCriteria for values that are none.
    """
    return compile_within(criteria, Clock(now, zone))


def compile_within(criteria: Criteria, clock: Clock) -> CompiledCriteria:
    """Return criteria as SQL, knowing within which selections they stand."""
    fields = fields_by_key(line.field for line in lines_of(criteria))
    return _any_group(criteria, fields, clock)


def lines_of(criteria: Criteria) -> Iterator[Line]:
    """Yield every line, nested ones too, in order."""
    for group in criteria.groups:
        for part in group.lines:
            if isinstance(part, Line):
                yield part
            else:
                yield from lines_of(part)


def compile_part(part: Line | Criteria, fields: Mapping[str, Field], clock: Clock) -> CompiledCriteria:
    """Return one line, or nested criteria, as SQL."""
    if isinstance(part, Criteria):
        return _any_group(part, fields, clock)
    field = fields.get(part.field)
    if field is None:
        raise UnknownField(f"There is no field {part.field!r}.")
    operator = operator_named(field.type, part.operator)
    if operator is None:
        raise BadCriteria(f"{field.label}: there is no operator {part.operator!r}.")
    return _compile_line(field, operator, part, clock)


def _any_group(criteria: Criteria, fields: Mapping[str, Field], clock: Clock) -> CompiledCriteria:
    groups = [
        _joined([compile_part(part, fields, clock) for part in group.lines], " AND ")
        for group in criteria.groups
        if group.lines
    ]
    return _joined(groups, " OR ") if groups else CompiledCriteria("TRUE", [])


def _joined(parts: Sequence[CompiledCriteria], word: str) -> CompiledCriteria:
    if len(parts) == 1:
        return parts[0]
    text = word.join(part.sql for part in parts)
    return CompiledCriteria(f"({text})", [param for part in parts for param in part.params])


def _compile_line(field: Field, operator: Operator, line: Line, clock: Clock) -> CompiledCriteria:
    if operator.slots != ("choices",) and len(line.values) != len(operator.slots):
        raise BadCriteria(f"{field.label} {operator.label}: {len(operator.slots)} values are wanted.")
    positive = operator.negates or operator.name
    if field.shape == "rows":
        held = _of_rows(field, positive, line, clock)
    elif field.stored is not None:
        held = _of_stored(field, positive, line.values, clock)
    else:
        held = _never_null(field, _SHAPES[field.type](field, positive, line.values, clock))
    return CompiledCriteria(f"NOT {held.sql}", held.params) if operator.negates else held


_COLUMN = re.compile(r"(c|co)\.\w+")


def _never_null(field: Field, compiled: CompiledCriteria) -> CompiledCriteria:
    """A comparison with NULL is FALSE. For a column in a way that leaves its index usable, which coalesce does not."""
    if field.key == FIELD:
        return compiled
    if compiled.sql.startswith(("EXISTS (", "NOT EXISTS (", "coalesce(")) or compiled.sql.endswith(
        " IS NULL"
    ):
        return compiled
    if _COLUMN.fullmatch(field.sql):
        return CompiledCriteria(f"({compiled.sql} AND {field.sql} IS NOT NULL)", compiled.params)
    return CompiledCriteria(f"coalesce({compiled.sql}, FALSE)", compiled.params)


def _of_stored(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    """A value with a row of its own: is there a row that holds it?"""
    if field.stored is None:
        raise TypeError(f"{field.key} has no rows of its own.")
    rows, column = field.stored
    inner = replace(field, sql=column, params=(), stored=None)
    if name == "is_empty":
        full = f"{column} <> ''" if field.type == "text" else f"{column} IS NOT NULL"
        return CompiledCriteria(f"NOT EXISTS (SELECT 1 {rows} AND {full})", [*field.params])
    held = _SHAPES[field.type](inner, name, values, clock)
    return CompiledCriteria(f"EXISTS (SELECT 1 {rows} AND {held.sql})", [*field.params, *held.params])


# --- rows that are counted, summed or looked for --------------------------------------------------------------------


def _of_rows(field: Field, name: str, line: Line, clock: Clock) -> CompiledCriteria:
    made = with_rows(field, line, clock)
    if made.rows is None:
        raise TypeError(f"{field.key} has no rows.")
    if made.rows.make == "count":
        times = _read(field, read_count, line.values[0], "a number of times")
        return _count(made.rows, name, times)
    return _never_null(made, _SHAPES[field.type](made, name, line.values, clock))


def with_rows(field: Field, line: Line, clock: Clock) -> Field:
    """Return the field with its rows narrowed to what the line says, and its value made of them."""
    if field.rows is None:
        raise TypeError(f"{field.key} has no rows.")
    rows = _narrowed(field, field.rows, line, clock)
    if rows.make == "any":
        return replace(
            field, shape="bool", sql=f"EXISTS (SELECT 1 {rows.sql})", params=rows.params, rows=rows
        )
    if rows.make == "count":
        return replace(field, sql=f"(SELECT count(*) {rows.sql})", params=rows.params, rows=rows)
    value = f"coalesce(sum({rows.value}), 0)" if rows.make == "sum" else f"max({rows.value})"
    shape = {"date": "moment"}.get(field.type, field.type)
    return replace(field, shape=shape, sql=f"(SELECT {value} {rows.sql})", params=rows.params, rows=rows)


def _narrowed(field: Field, rows: Rows, line: Line, clock: Clock) -> Rows:
    sql, params = rows.sql, [*rows.params]
    if line.which and rows.which:
        chosen = sorted({_read(field, read_id, value, "a choice") for value in line.which})
        # One thing by "=": an array has no statistics of its own.
        sql += (
            f" AND {rows.which} = %s::bigint"
            if len(chosen) == 1
            else f" AND {rows.which} = ANY(%s::bigint[])"
        )
        params.append(chosen[0] if len(chosen) == 1 else chosen)
    if rows.currency:
        # One that was saved before a currency was asked for adds up those of the account's own.
        sql += f" AND {rows.currency} = %s::text"
        params.append(line.currency or own_currency())
    if rows.at:
        for span in _spans(field, line, clock):
            more, bound = _within(rows, span, clock)
            sql += more
            params += bound
    return replace(rows, sql=sql, params=tuple(params))


def _spans(field: Field, line: Line, clock: Clock) -> Iterator[Span]:
    """Yield the days that a line looks at."""
    if line.days is not None:
        days = _read(field, read_days, line.days, "a number of days")
        yield clock.today - dt.timedelta(days=days), None
    if line.when:
        operator = when_named(line.when)
        if operator is None or len(line.when_values) != len(operator.slots):
            raise BadCriteria(f"{field.label}: there is no period {line.when!r}.")
        yield span_of(field.label, line.when, line.when_values, clock.today)


def _within(rows: Rows, span: Span, clock: Clock) -> tuple[str, list[Any]]:
    """Return conditions for rows of these days; the partitions' day is one of UTC, and days of the zone overlap two."""
    sql = ""
    params: list[Any] = []
    for day, moment, date in ((span[0], ">=", ">="), (span[1], "<", "<=")):
        if day is not None:
            bound = dates.day_starts(day, clock.zone)
            sql += f" AND {rows.at} {moment} %s::timestamptz"
            params.append(bound)
            if rows.day:
                sql += f" AND {rows.day} {date} %s::date"
                params.append(bound.date())
    return sql, params


def _count(rows: Rows, name: str, times: int) -> CompiledCriteria:
    if name == "exactly":
        enough, more = _at_least(rows, times), _at_least(rows, times + 1)
        return CompiledCriteria(f"({enough.sql} AND NOT {more.sql})", [*enough.params, *more.params])
    return _at_least(rows, times)


def _at_least(rows: Rows, times: int) -> CompiledCriteria:
    if times == 0:
        return CompiledCriteria("TRUE", [])
    if times == 1:
        return CompiledCriteria(f"EXISTS (SELECT 1 {rows.sql})", [*rows.params])
    # Stops at the row that decides it.
    return CompiledCriteria(f"EXISTS (SELECT 1 {rows.sql} OFFSET %s::bigint)", [*rows.params, times - 1])


# --- by type ------------------------------------------------------------------------------------------------------


def _text(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    if name == "is_empty":
        return CompiledCriteria(f"coalesce({field.sql}, '') = ''", [*field.params])
    given = str(values[0])
    given = norm_email(given) if field.shape == "email" else norm(given)
    column = folded(field.sql) if field.shape == "row" else field.sql
    if not given:
        raise BadCriteria(f"{field.label}: a text is missing.")
    params = [*field.params, given]
    if name == "ends_with":
        return CompiledCriteria(f"right({column}, length(%s::text)) = %s::text", [*params, given])
    pattern = {"is": "{} = %s::text", "begins_with": "{} ^@ %s::text", "contains": "strpos({}, %s::text) > 0"}
    if field.shape == "email" and name == "begins_with":
        # The index of addresses leaves out the empty ones; that a beginning rules these out is news to the planner.
        return CompiledCriteria(f"({column} <> '' AND {column} ^@ %s::text)", params)
    return CompiledCriteria(pattern[name].format(column), params)


_COMPARISONS = {"eq": "=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}


def _number(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    if name == "is_empty":
        return _is_null(field)
    numbers = [_read(field, read_number, value, "a number") for value in values]
    if name == "between":
        return CompiledCriteria(f"{field.sql} BETWEEN %s::numeric AND %s::numeric", [*field.params, *numbers])
    return CompiledCriteria(f"{field.sql} {_COMPARISONS[name]} %s::numeric", [*field.params, *numbers])


def _date(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    if name == "is_empty":
        return _is_null(field)
    if name == "anniversary_in":
        return _anniversary(field, _read(field, read_span, values[0], "a number of days"), clock)
    first, last = span_of(field.label, name, values, clock.today)
    parts, params = [], []
    # A moment is compared with the instants at which days begin in the zone, so its index stays usable.
    cast = "timestamptz" if field.shape == "moment" else "date"
    for bound, comparison in ((first, ">="), (last, "<")):
        if bound is not None:
            parts.append(f"{field.sql} {comparison} %s::{cast}")
            params += [
                *field.params,
                dates.day_starts(bound, clock.zone) if field.shape == "moment" else bound,
            ]
    return CompiledCriteria(f"({' AND '.join(parts)})", params)


def _anniversary(field: Field, days: int, clock: Clock) -> CompiledCriteria:
    codes = dates.anniversary_days(clock.today, days)
    column, params = field.sql, [*field.params]
    if field.shape == "moment":
        column, params = f"({field.sql} AT TIME ZONE %s::text)", [*params, clock.zone.key]
    code = f"(extract(month FROM {column}) * 100 + extract(day FROM {column}))::int"
    return CompiledCriteria(f"{code} = ANY(%s::int[])", [*params, *params, codes])


def _bool(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    return CompiledCriteria(field.sql, [*field.params])


def _list(field: Field, name: str, values: Sequence[Value], clock: Clock) -> CompiledCriteria:
    if name == "is_empty":
        return _list_is_empty(field)
    if not values:
        raise BadCriteria(f"{field.label}: nothing is chosen.")
    cast = "text" if field.shape == "code" else "bigint"
    chosen: list[Any] = (
        sorted({str(value) for value in values})
        if cast == "text"
        else sorted({_read(field, read_id, value, "a choice") for value in values})
    )
    if field.key == FIELD:
        return _in_selections(field, chosen, every=name == "all_of", clock=clock)
    return _chosen(field, name, chosen, cast)


def compile_selection(selection: Selection, *, now: dt.datetime, zone: ZoneInfo) -> CompiledCriteria:
    """Return membership of a dynamic or combined selection as SQL, also of one that is not saved yet."""
    field = fields_by_key([FIELD])[FIELD]
    try:
        return membership_of(selection, Clock(now, zone), compile_within, lambda ids: _static(field, ids))
    except Nested as problem:
        raise BadCriteria(str(problem)) from problem


def _static(field: Field, ids: Sequence[int]) -> CompiledCriteria:
    return _chosen(field, "one_of", sorted(ids), "bigint")


def _in_selections(field: Field, chosen: list[int], *, every: bool, clock: Clock) -> CompiledCriteria:
    """Membership of one of these (of every one): static ones together, each of the others by what it is made of."""
    others = moving(chosen)
    own = [number for number in chosen if number not in others]
    name = "all_of" if every and len(own) > 1 else "one_of"
    parts = [_chosen(field, name, own, "bigint")] if own else []
    try:
        parts += [
            membership_of(one, clock, compile_within, lambda ids: _static(field, ids))
            for one in others.values()
        ]
    except Nested as problem:
        raise BadCriteria(str(problem)) from problem
    return _joined(parts, " AND " if every else " OR ")


def _chosen(field: Field, name: str, chosen: list[Any], cast: str) -> CompiledCriteria:
    if field.is_multiple:
        if name == "one_of":
            sql = f"EXISTS (SELECT 1 {field.sql} AND {field.member} = ANY(%s::bigint[]))"
            return CompiledCriteria(sql, [*field.params, chosen])
        sql = f"(SELECT count(*) {field.sql} AND {field.member} = ANY(%s::bigint[])) = %s::bigint"
        return CompiledCriteria(sql, [*field.params, chosen, len(chosen)])
    if name == "all_of" and len(chosen) > 1:
        return CompiledCriteria("FALSE", [])
    return CompiledCriteria(f"{field.sql} = ANY(%s::{cast}[])", [*field.params, chosen])


def _list_is_empty(field: Field) -> CompiledCriteria:
    if field.is_multiple:
        return CompiledCriteria(f"NOT EXISTS (SELECT 1 {field.sql})", [*field.params])
    if field.shape == "code":
        return CompiledCriteria(f"coalesce({field.sql}, '') = ''", [*field.params])
    return _is_null(field)


def _is_null(field: Field) -> CompiledCriteria:
    return CompiledCriteria(f"({field.sql}) IS NULL", [*field.params])


def _read(field: Field, reader: Callable[[Value], Any], value: Value, what: str) -> Any:
    return read(field.label, reader, value, what)


_SHAPES: dict[str, Callable[[Field, str, Sequence[Value], Clock], CompiledCriteria]] = {
    "text": _text,
    "number": _number,
    "date": _date,
    "bool": _bool,
    "list": _list,
}
