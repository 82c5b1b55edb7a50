"""Operations on several steps at once. Which steps: in the order of the document, and a split stands for all in it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator

from flows.document import FlowDocument, StepNode
from flows.editing.rules import checked
from flows.editing.tree import (
    IllegalEdit,
    Slot,
    Steps,
    check_slot,
    find_step,
    slot_of,
    steps_in,
    subtree,
    with_steps,
)


def chosen(document: FlowDocument, *, step_ids: Collection[uuid.UUID]) -> Steps:
    """Return the chosen steps, top to bottom; what is in a chosen split goes with it and is not named again."""
    for step_id in step_ids:
        find_step(document, step_id)
    if not step_ids:
        raise IllegalEdit("No step is selected.")
    return tuple(_topmost(document.steps, frozenset(step_ids)))


def move_several(document: FlowDocument, *, step_ids: Collection[uuid.UUID], slot: Slot) -> FlowDocument:
    """Move steps, with their branches, to a slot of the document as it is now; there they stand in line."""
    nodes = chosen(document, step_ids=step_ids)
    if any(
        branch.id == slot.branch for node in nodes for inner in subtree(node) for branch in inner.branches
    ):
        raise IllegalEdit("A split cannot be moved into one of its own branches.")
    check_slot(document, slot)
    moving = {node.id for node in nodes}
    before = sum(node.id in moving for node in steps_in(document, slot.branch)[: slot.index])
    index = slot.index - before
    return checked(
        with_steps(
            _without(document, nodes),
            slot.branch,
            lambda steps: (*steps[:index], *nodes, *steps[index:]),
        )
    )


def remove_several(document: FlowDocument, *, step_ids: Collection[uuid.UUID]) -> FlowDocument:
    """Take steps out, splits with everything in them."""
    return checked(_without(document, chosen(document, step_ids=step_ids)))


def slot_after(document: FlowDocument, *, step_ids: Collection[uuid.UUID]) -> Slot:
    """Return the place right after the last of the chosen steps: there their copies go."""
    place = slot_of(document, chosen(document, step_ids=step_ids)[-1].id)
    return Slot(place.branch, place.index + 1)


def _topmost(steps: Steps, ids: frozenset[uuid.UUID]) -> Iterator[StepNode]:
    for node in steps:
        if node.id in ids:
            yield node
            continue
        for branch in node.branches:
            yield from _topmost(branch.steps, ids)


def _without(document: FlowDocument, nodes: Steps) -> FlowDocument:
    gone = {node.id for node in nodes}
    for branch in {slot_of(document, node.id).branch for node in nodes}:
        document = with_steps(
            document, branch, lambda steps: tuple(node for node in steps if node.id not in gone)
        )
    return document
