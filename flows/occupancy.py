"""Who stands where, and what that forbids. Participants live above flows, so what is known of them comes by dotted
paths: settings.FLOWS_OCCUPANCY (flow_id -> {step id: active participants}), FLOWS_INSIDE (flow_id -> Inside),
FLOWS_EXCLUDED (flow_id, selections -> how many inside are members), FLOWS_RESETTLE (what a save does to them)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from flows.document import FlowDocument, StepNode
from flows.editing.tree import IllegalEdit, branch_path, find_step, lists, subtree
from flows.steps.table import STEP_KINDS


class PeopleInside(IllegalEdit):
    """The edit would strand participants; `steps` is where they stand, `step_id` the first of those."""

    def __init__(self, message: str, *steps: uuid.UUID) -> None:
        super().__init__(message)
        self.steps = steps

    @property
    def step_id(self) -> uuid.UUID:
        """Where the first of them stand."""
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Inside:
    """The active participants of a flow: how many stand on each step, how many of those have begun to wait there, and
    how many are before the first step."""

    at: Mapping[uuid.UUID, int] = field(default_factory=dict)
    waiting: Mapping[uuid.UUID, int] = field(default_factory=dict)
    before: int = 0

    @property
    def number(self) -> int:
        """All of them."""
        return self.before + sum(self.at.values())


class Resettle(Protocol):
    """What a save does to those inside, under the flow's gate: whoever stands on a removed step goes on at once;
    whoever waits at a re-timed one is reckoned anew from arrival. `retimed` says which of them listen to events.
    With `success` everyone is judged by the new success criteria. Who is held at a step of `anew` (its timeframe or its
    settings are others now) is tried anew at once."""

    def __call__(
        self,
        *,
        flow_id: int,
        revision: int,
        removed: Sequence[uuid.UUID],
        retimed: Mapping[uuid.UUID, bool],
        anew: Sequence[uuid.UUID],
        success: bool,
        now: dt.datetime,
    ) -> None: ...


def step_occupancy(flow_id: int) -> Mapping[uuid.UUID, int]:
    """Return how many active participants stand on each step; steps with none are missing."""
    count: Callable[[int], Mapping[uuid.UUID, int]] = import_string(settings.FLOWS_OCCUPANCY)
    return count(flow_id)


def people_inside(flow_id: int) -> Inside:
    """Return where the active participants are; one aggregate over them."""
    ask: Callable[[int], Inside] = import_string(settings.FLOWS_INSIDE)
    return ask(flow_id)


def excluded_inside(flow_id: int, selections: Collection[int]) -> int:
    """Return how many active participants are members of any of these selections."""
    ask: Callable[[int, Collection[int]], int] = import_string(settings.FLOWS_EXCLUDED)
    return ask(flow_id, selections) if selections else 0


def resettler() -> Resettle:
    """Return what resettles participants after a save."""
    found: Resettle = import_string(settings.FLOWS_RESETTLE)
    return found


def holds_people(node: StepNode, occupancy: Mapping[uuid.UUID, int]) -> bool:
    """Say whether a wait or split may not be moved: somebody is in it, or in what would move with it."""
    return any(occupancy.get(inner.id) and _keeps(inner) for inner in subtree(node)) or (
        STEP_KINDS[node.kind].has_branches and any(occupancy.get(inner.id) for inner in subtree(node))
    )


def occupied(node: StepNode, occupancy: Mapping[uuid.UUID, int]) -> list[uuid.UUID]:
    """Return the steps of a node, itself and in its branches, on which somebody stands."""
    return [inner.id for inner in subtree(node) if occupancy.get(inner.id)]


def check_move(document: FlowDocument, step_id: uuid.UUID, occupancy: Mapping[uuid.UUID, int]) -> None:
    """Raise PeopleInside where a step that is to move holds people."""
    node = find_step(document, step_id)
    if holds_people(node, occupancy):
        raise PeopleInside(
            f"“{node.title}” has participants in it, so it cannot be moved or removed.",
            *occupied(node, occupancy),
        )


def check_change(old: FlowDocument, new: FlowDocument, occupancy: Mapping[uuid.UUID, int]) -> None:
    """Raise PeopleInside where a change takes away a wait, split or branch that has participants in it.

    Someone on another kind of step that goes (an email waiting for its timeframe) goes on with what follows.
    """
    if not occupancy:
        return
    before, after = _splits(old), _splits(new)
    for node in old.walk():
        if not occupancy.get(node.id):
            continue
        path = branch_path(old, node.id) or ()
        if any(after.get(branch) != before[branch] for branch in path):
            gone = any(branch not in after for branch in path)
            raise PeopleInside(
                f"The branch around “{node.title}” has participants in it, so it cannot be "
                f"{'removed' if gone else 'moved to another split'}.",
                node.id,
            )
        if _keeps(node) and branch_path(new, node.id) != path:
            raise PeopleInside(
                f"“{node.title}” has participants in it, so it cannot be moved or removed.", node.id
            )
    _check_order(old, new, occupancy)


def _splits(document: FlowDocument) -> dict[uuid.UUID, uuid.UUID]:
    """Return the split of each branch."""
    return {branch.id: node.id for node in document.walk() for branch in node.branches}


def _check_order(old: FlowDocument, new: FlowDocument, occupancy: Mapping[uuid.UUID, int]) -> None:
    """Of the waits and splits of one list that have people in them none may go past another. That a single one
    changed place among the rest cannot be told from the rest moving around it, which is allowed."""
    after = dict(lists(new))
    for branch, steps in lists(old):
        held = {node.id: node for node in steps if holds_people(node, occupancy)}
        kept = [node.id for node in after.get(branch, ()) if node.id in held]
        for was, now in zip([one for one in held if one in kept], kept, strict=True):
            if was != now:
                raise PeopleInside(
                    f"“{held[now].title}” has participants in it, so it cannot be moved or removed.",
                    *occupied(held[now], occupancy),
                )


def _keeps(node: StepNode) -> bool:
    kind = STEP_KINDS[node.kind]
    return kind.is_wait or kind.has_branches
