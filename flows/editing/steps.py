"""Operations on steps: insert, move, duplicate, update, remove, paste."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flows.document import FlowDocument, StepNode
from flows.editing.rules import checked
from flows.editing.several import move_several
from flows.editing.tree import (
    IllegalEdit,
    Slot,
    check_slot,
    find_step,
    fresh,
    slot_of,
    steps_in,
    with_step,
    with_steps,
)
from flows.steps.table import STEP_KINDS


def insert(document: FlowDocument, *, slot: Slot, node: StepNode) -> FlowDocument:
    """Put a new step into a slot."""
    return put(document, slot, (node,))


def paste(document: FlowDocument, *, slot: Slot, nodes: Sequence[StepNode]) -> FlowDocument:
    """Put copies of steps into a slot, under new ids."""
    if not nodes:
        raise IllegalEdit("There is nothing to paste: copy a step first.")
    return put(document, slot, tuple(fresh(node) for node in nodes))


def duplicate(document: FlowDocument, *, step_id: uuid.UUID) -> FlowDocument:
    """Put a copy of a step, with its branches, right after it."""
    node = find_step(document, step_id)
    place = slot_of(document, step_id)
    return put(document, Slot(place.branch, place.index + 1), (fresh(node),))


def move(document: FlowDocument, *, step_id: uuid.UUID, slot: Slot) -> FlowDocument:
    """Move a step, with its branches, to a slot of the document as it is now."""
    return move_several(document, step_ids=[step_id], slot=slot)


def move_by(document: FlowDocument, *, step_id: uuid.UUID, by: int) -> FlowDocument:
    """Move a step up (-1) or down (+1) among its neighbours."""
    place = slot_of(document, step_id)
    target = place.index + by
    if not 0 <= target < len(steps_in(document, place.branch)):
        raise IllegalEdit("The step is at that end already.")
    return move(document, step_id=step_id, slot=Slot(place.branch, target + (by > 0)))


def update(
    document: FlowDocument, *, step_id: uuid.UUID, title: str, note: str, settings: dict[str, Any]
) -> FlowDocument:
    """Change what a step says and does."""
    change = {"title": title, "note": note, "settings": settings}

    def changed(node: StepNode) -> StepNode:
        return STEP_KINDS[node.kind].adopt(node, node.model_copy(update=change))

    return checked(with_step(document, step_id, changed))


def remove(document: FlowDocument, *, step_id: uuid.UUID, keep: uuid.UUID | None = None) -> FlowDocument:
    """Take a step out with its branches; `keep` names the branch whose steps stay, in line, in its place."""
    node = find_step(document, step_id)
    kept = next((branch.steps for branch in node.branches if branch.id == keep), None)
    if keep is not None and kept is None:
        raise IllegalEdit("That branch is no longer in the flow.")
    place = slot_of(document, step_id)
    after = place.index + 1
    return checked(
        with_steps(
            document, place.branch, lambda steps: (*steps[: place.index], *(kept or ()), *steps[after:])
        )
    )


def put(document: FlowDocument, slot: Slot, nodes: Sequence[StepNode]) -> FlowDocument:
    """Put steps into a slot, as they are."""
    check_slot(document, slot)
    return checked(
        with_steps(document, slot.branch, lambda steps: (*steps[: slot.index], *nodes, *steps[slot.index :]))
    )
