"""Membership of selections of every kind as SQL: the one door. A dynamic selection is its criteria, a combined one two
selections and a rule, both as they stand now.

A selection that leads back to itself is refused when it is saved (crm.operations.selections) and again here, so that
two saves at once can end in a plain error and never in a loop.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from crm.criteria import dates
from crm.criteria.operators import read_id
from crm.criteria.schema import Criteria, Line
from crm.models import Selection

if TYPE_CHECKING:
    from crm.criteria.sql import CompiledCriteria

FIELD: Final = "contact.selections"
# Selections of selections of selections: deeper ones nobody understands, and the statement grows with each.
MOST_NESTED: Final = 6
Kind, Combine = Selection.Kind, Selection.Combine


@dataclass(frozen=True, slots=True)
class Clock:
    """Today, for the operators that are relative to it; `within` are the selections that are being judged."""

    now: dt.datetime
    zone: ZoneInfo
    within: tuple[int, ...] = ()

    @property
    def today(self) -> dt.date:
        """The day in the zone."""
        return dates.today_in(self.now, self.zone)


class Nested(ValueError):
    """A selection that leads back to itself, or through too many others."""


Compiler = Callable[[Criteria, Clock], "CompiledCriteria"]


def moving(ids: Iterable[int]) -> dict[int, Selection]:
    """Return those selections that have no members of their own; one query."""
    wanted = sorted(set(ids))
    found = Selection.objects.filter(pk__in=wanted).exclude(kind=Kind.STATIC) if wanted else ()
    return {selection.pk: selection for selection in found}


def membership_of(
    selection: Selection,
    clock: Clock,
    compile_: Compiler,
    static: Callable[[Sequence[int]], CompiledCriteria],
) -> CompiledCriteria:
    """Return membership of a dynamic or combined selection; `static` compiles that of one with members of its own."""
    if selection.pk in clock.within or len(clock.within) >= MOST_NESTED:
        raise Nested(f"The selection {selection.name} leads back to itself, or through too many others.")
    inner = replace(clock, within=(*clock.within, selection.pk))
    if selection.kind == Kind.DYNAMIC:
        held = compile_(Criteria.model_validate(selection.criteria), inner)
        return replace(held, sql=f"({held.sql})")
    sides = [selection.left_id or 0, selection.right_id or 0]
    others = moving(sides)
    a, b = (
        membership_of(others[side], inner, compile_, static) if side in others else static([side])
        for side in sides
    )
    pattern = {
        Combine.ONLY_A: "({a} AND NOT {b})",
        Combine.ONLY_B: "({b} AND NOT {a})",
        Combine.BOTH: "({a} AND {b})",
        Combine.EITHER: "({a} OR {b})",
        # Neither side is ever NULL.
        Combine.EXACTLY_ONE: "(({a}) <> ({b}))",
    }[Combine(selection.combine)]
    params = [*b.params, *a.params] if selection.combine == Combine.ONLY_B else [*a.params, *b.params]
    return replace(a, sql=pattern.format(a=a.sql, b=b.sql), params=params)


def selections_in(criteria: Criteria) -> set[int]:
    """Return the ids of the selections that criteria name, also in nested groups."""
    from crm.criteria.sql import lines_of

    return {
        found
        for line in lines_of(criteria)
        if line.field == FIELD
        for value in line.values
        if (found := read_id(value))
    }


def parts_of(selection: Selection) -> set[int]:
    """Return the ids of the selections that a selection is made of."""
    if selection.kind == Kind.COMBINED:
        return {side for side in (selection.left_id, selection.right_id) if side is not None}
    if selection.kind == Kind.DYNAMIC:
        return selections_in(Criteria.model_validate(selection.criteria))
    return set()


def every_line(criteria: Criteria) -> Iterator[Line]:
    """Yield the lines of criteria, and those of the dynamic selections that they name, at any depth: what events and
    days may change the answer. A query a level, none without a line about selections."""
    from crm.criteria.sql import lines_of

    yield from lines_of(criteria)
    seen: set[int] = set()
    ahead = selections_in(criteria)
    while ahead:
        seen |= ahead
        found = moving(ahead)
        ahead = set()
        for selection in found.values():
            if selection.kind == Kind.DYNAMIC:
                yield from lines_of(Criteria.model_validate(selection.criteria))
            else:
                # Static sides change by membership, as a line about them says.
                yield Line(field=FIELD, operator="one_of")
            ahead |= parts_of(selection)
        ahead -= seen
