"""Walking and rebuilding the tree of steps: where something is, and the same tree with one list changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flows.document import Branch, FlowDocument, StepNode

Steps = tuple[StepNode, ...]

MAX_STEPS = 400
MAX_BRANCHES = 20
MAX_DEPTH = 8
MAX_NOTES = 200


class IllegalEdit(Exception):
    """The edit would break a rule of the document; nothing was changed. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place between steps: before `index` in a branch, or in the flow itself (branch None)."""

    branch: uuid.UUID | None
    index: int


def find_step(document: FlowDocument, step_id: uuid.UUID) -> StepNode:
    """Return a step; raise IllegalEdit where it is gone."""
    node = document.step(step_id)
    if node is None:
        raise IllegalEdit("That step is no longer in the flow.")
    return node


def find_branch(document: FlowDocument, branch_id: uuid.UUID) -> tuple[StepNode, int]:
    """Return the split that a branch belongs to, and its position; raise IllegalEdit where it is gone."""
    for node in document.walk():
        for position, branch in enumerate(node.branches):
            if branch.id == branch_id:
                return node, position
    raise IllegalEdit("That branch is no longer in the flow.")


def steps_in(document: FlowDocument, branch_id: uuid.UUID | None) -> Steps:
    """Return the list of steps of a branch, or of the flow itself."""
    if branch_id is None:
        return document.steps
    node, position = find_branch(document, branch_id)
    return node.branches[position].steps


def check_slot(document: FlowDocument, slot: Slot) -> None:
    """Raise IllegalEdit for a place that is not, or no longer, in the flow."""
    if not 0 <= slot.index <= len(steps_in(document, slot.branch)):
        raise IllegalEdit("That place is no longer in the flow.")


def slot_of(document: FlowDocument, step_id: uuid.UUID) -> Slot:
    """Return where a step is: the slot right before it."""
    for branch_id, steps in lists(document):
        for index, node in enumerate(steps):
            if node.id == step_id:
                return Slot(branch_id, index)
    raise IllegalEdit("That step is no longer in the flow.")


def lists(document: FlowDocument) -> Iterator[tuple[uuid.UUID | None, Steps]]:
    """Yield every list of steps with the branch it belongs to."""
    yield None, document.steps
    for node in document.walk():
        for branch in node.branches:
            yield branch.id, branch.steps


def subtree(node: StepNode) -> Iterator[StepNode]:
    """Yield a step and everything in its branches."""
    yield node
    for branch in node.branches:
        for child in branch.steps:
            yield from subtree(child)


def branch_path(document: FlowDocument, step_id: uuid.UUID) -> tuple[uuid.UUID, ...] | None:
    """Return the branches from the outermost to the one that holds a step; None where the step is not there."""
    return _path(document.steps, step_id, ())


def _path(steps: Steps, step_id: uuid.UUID, above: tuple[uuid.UUID, ...]) -> tuple[uuid.UUID, ...] | None:
    for node in steps:
        if node.id == step_id:
            return above
        for branch in node.branches:
            found = _path(branch.steps, step_id, (*above, branch.id))
            if found is not None:
                return found
    return None


def with_steps(
    document: FlowDocument, branch_id: uuid.UUID | None, change: Callable[[Steps], Steps]
) -> FlowDocument:
    """Return the document with one list of steps changed."""
    if branch_id is None:
        return document.model_copy(update={"steps": change(document.steps)})
    return with_branch(document, branch_id, lambda b: b.model_copy(update={"steps": change(b.steps)}))


def with_branch(
    document: FlowDocument, branch_id: uuid.UUID, change: Callable[[Branch], Branch]
) -> FlowDocument:
    """Return the document with one branch changed."""
    split, position = find_branch(document, branch_id)
    branches = list(split.branches)
    branches[position] = change(branches[position])
    return with_step(document, split.id, lambda node: node.model_copy(update={"branches": tuple(branches)}))


def with_step(
    document: FlowDocument, step_id: uuid.UUID, change: Callable[[StepNode], StepNode]
) -> FlowDocument:
    """Return the document with one step changed."""
    find_step(document, step_id)
    return document.model_copy(update={"steps": _changed(document.steps, step_id, change)})


def _changed(steps: Steps, step_id: uuid.UUID, change: Callable[[StepNode], StepNode]) -> Steps:
    return tuple(
        change(node)
        if node.id == step_id
        else node.model_copy(
            update={
                "branches": tuple(
                    b.model_copy(update={"steps": _changed(b.steps, step_id, change)}) for b in node.branches
                )
            }
        )
        if node.branches
        else node
        for node in steps
    )


def fresh(node: StepNode) -> StepNode:
    """Return a copy of a step and its branches under new ids."""
    return node.model_copy(
        update={"id": uuid.uuid4(), "branches": tuple(fresh_branch(branch) for branch in node.branches)}
    )


def fresh_branch(branch: Branch) -> Branch:
    """Return a copy of a branch and its steps under new ids."""
    return branch.model_copy(
        update={"id": uuid.uuid4(), "steps": tuple(fresh(node) for node in branch.steps)}
    )


def fresh_document(document: FlowDocument) -> FlowDocument:
    """Return a copy of a whole document under new ids (copy of a flow); its notes stay at their steps."""
    steps = tuple(fresh(node) for node in document.steps)
    copied = document.model_copy(
        update={
            "steps": steps,
            "triggers": tuple(t.model_copy(update={"id": uuid.uuid4()}) for t in document.triggers),
            "success": tuple(c.model_copy(update={"id": uuid.uuid4()}) for c in document.success),
        }
    )
    new_id = {old.id: new.id for old, new in zip(document.walk(), copied.walk(), strict=True)}
    notes = tuple(
        note.model_copy(update={"id": uuid.uuid4(), "step": new_id.get(note.step) if note.step else None})
        for note in document.notes
    )
    return copied.model_copy(update={"notes": notes})
