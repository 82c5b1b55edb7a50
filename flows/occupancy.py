"""Who stands where, and what that forbids. Participants live above flows, so the count comes by a dotted path
(settings.FLOWS_OCCUPANCY: a function flow_id -> {step id: active participants})."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

from django.conf import settings
from django.utils.module_loading import import_string

from flows.document import FlowDocument, StepNode
from flows.editing.tree import IllegalEdit, branch_path, find_step, subtree
from flows.steps.table import STEP_KINDS


class PeopleInside(IllegalEdit):
    """The edit would strand participants."""


def step_occupancy(flow_id: int) -> Mapping[uuid.UUID, int]:
    """Return how many active participants stand on each step; steps with none are missing."""
    count: Callable[[int], Mapping[uuid.UUID, int]] = import_string(settings.FLOWS_OCCUPANCY)
    return count(flow_id)


def holds_people(node: StepNode, occupancy: Mapping[uuid.UUID, int]) -> bool:
    """Say whether a wait or split may not be moved: somebody is in it, or in what would move with it."""
    return any(occupancy.get(inner.id) and _keeps(inner) for inner in subtree(node)) or (
        STEP_KINDS[node.kind].has_branches and any(occupancy.get(inner.id) for inner in subtree(node))
    )


def check_move(document: FlowDocument, step_id: uuid.UUID, occupancy: Mapping[uuid.UUID, int]) -> None:
    """Raise PeopleInside where a step that is to move holds people."""
    node = find_step(document, step_id)
    if holds_people(node, occupancy):
        raise PeopleInside(f"“{node.title}” has participants in it, so it cannot be moved or removed.")


def check_change(old: FlowDocument, new: FlowDocument, occupancy: Mapping[uuid.UUID, int]) -> None:
    """Raise PeopleInside where a change takes away a wait, split or branch that has participants in it.

    Someone on another kind of step that goes (an email waiting for its timeframe) goes on with what follows.
    """
    if not occupancy:
        return
    kept_branches = {branch.id for node in new.walk() for branch in node.branches}
    for node in old.walk():
        if not occupancy.get(node.id):
            continue
        path = branch_path(old, node.id) or ()
        if any(branch not in kept_branches for branch in path):
            raise PeopleInside(
                f"The branch around “{node.title}” has participants in it, so it cannot be removed."
            )
        if _keeps(node) and branch_path(new, node.id) != path:
            raise PeopleInside(f"“{node.title}” has participants in it, so it cannot be moved or removed.")


def _keeps(node: StepNode) -> bool:
    kind = STEP_KINDS[node.kind]
    return kind.is_wait or kind.has_branches
