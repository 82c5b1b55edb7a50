"""Dynamic and combined selections: create and change. Static ones and deletion are crm.operations.clubs'."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from crm.criteria.memberships import MOST_NESTED, parts_of, selections_in
from crm.criteria.references import references
from crm.criteria.schema import Criteria
from crm.criteria.validate import problems
from crm.models import Selection
from crm.operations.clubs import check_free
from crm.operations.usage import write_uses


class BadSelection(ValueError):
    """The selection cannot be judged; `problems` say why, in the user's words."""

    def __init__(self, *found: str) -> None:
        super().__init__(" ".join(found))
        self.problems = found


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides who is in it: criteria, or two selections (A and B) and how they are combined."""

    criteria: Criteria | None = None
    left_id: int | None = None
    right_id: int | None = None
    combine: str = ""

    def parts(self) -> set[int]:
        """Return the ids of the selections that it names."""
        named = selections_in(self.criteria) if self.criteria is not None else set()
        return named | {side for side in (self.left_id, self.right_id) if side is not None}


@transaction.atomic
def create_selection(*, name: str, description: str, rule: Rule, actor: User, now: dt.datetime) -> Selection:
    """Create a dynamic or combined selection, owned by who makes it. Raises NameTaken, BadSelection."""
    check_free(Selection, name)
    _check(rule, selection_id=None)
    selection = Selection(name=name, description=description, owner=actor, created_at=now)
    _fill(selection, rule)
    selection.save()
    _note_uses(selection, rule)
    return selection


@transaction.atomic
def change_selection(*, selection_id: int, name: str, description: str, rule: Rule) -> Selection:
    """Change a dynamic or combined selection; its kind stays. Whoever uses it is judged by the new rule from now on.

    Raises NameTaken, BadSelection.
    """
    selection = Selection.objects.select_for_update().get(pk=selection_id)
    if selection.is_static or (selection.kind == Selection.Kind.DYNAMIC) != (rule.criteria is not None):
        raise BadSelection("The kind of a selection stays as it is.")
    check_free(Selection, name, but=selection_id)
    _check(rule, selection_id=selection_id)
    selection.name, selection.description = name, description
    _fill(selection, rule)
    selection.save()
    _note_uses(selection, rule)
    return selection


def _fill(selection: Selection, rule: Rule) -> None:
    dynamic = rule.criteria is not None
    selection.kind = Selection.Kind.DYNAMIC if dynamic else Selection.Kind.COMBINED
    selection.criteria = rule.criteria.model_dump(mode="json") if rule.criteria is not None else None
    selection.left_id, selection.right_id = rule.left_id, rule.right_id
    selection.combine = rule.combine


def _check(rule: Rule, *, selection_id: int | None) -> None:
    found = list(_rule_problems(rule))
    if not found:
        found = list(_nesting_problems(rule.parts(), selection_id))
    if found:
        raise BadSelection(*found)


def _rule_problems(rule: Rule) -> Iterator[str]:
    if rule.criteria is not None:
        if rule.criteria.is_empty:
            yield "Say who is in it."
        yield from problems(rule.criteria)
        return
    known = set(Selection.objects.filter(pk__in=rule.parts()).values_list("pk", flat=True))
    if {rule.left_id, rule.right_id} - known:
        yield "Choose two selections."
    elif rule.left_id == rule.right_id:
        yield "Choose two different selections."
    if rule.combine not in Selection.Combine.values:
        yield "Say how they are combined."


def _nesting_problems(parts: set[int], selection_id: int | None) -> Iterator[str]:
    """Look at everything that selections are made of, with the new rule in its place. One query."""
    moving = Selection.objects.exclude(kind=Selection.Kind.STATIC).exclude(pk=selection_id or 0)
    graph = {selection.pk: parts_of(selection) for selection in moving}
    graph[selection_id or 0] = parts
    if _leads_to(graph, parts, selection_id or 0):
        yield "The selection would lead back to itself."
    elif max(_depths(graph).values()) > MOST_NESTED:
        yield f"Selections may be made of selections at most {MOST_NESTED} deep."


def _leads_to(graph: Mapping[int, set[int]], start: set[int], goal: int) -> bool:
    ahead, seen = set(start), set[int]()
    while ahead:
        if goal in ahead:
            return True
        seen |= ahead
        ahead = set[int]().union(*(graph.get(one, set()) for one in ahead)) - seen
    return False


def _depths(graph: Mapping[int, set[int]]) -> dict[int, int]:
    """Return how many judged selections each goes through, itself included; there is no circle in the graph."""
    depths: dict[int, int] = {}

    def depth(one: int) -> int:
        if one not in depths:
            depths[one] = 1 + max((depth(part) for part in graph[one] if part in graph), default=0)
        return depths[one]

    for one in graph:
        depth(one)
    return depths


def _note_uses(selection: Selection, rule: Rule) -> None:
    named = list(references(rule.criteria)) if rule.criteria is not None else []
    write_uses(
        user_kind="selection",
        user_id=selection.pk,
        user_name=selection.name,
        page="crm:selection",
        place="Selection",
        references=[*named, *(("selection", side) for side in sorted(rule.parts()))],
    )
