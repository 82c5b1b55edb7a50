"""Operations on the branches of a split: add, change, move, copy, remove, end in exit. Everyone else stays last."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from crm.criteria.schema import Criteria
from flows.document import Branch, ExitSettings, FlowDocument, StepNode
from flows.editing.rules import checked
from flows.editing.tree import (
    IllegalEdit,
    find_branch,
    find_step,
    fresh_branch,
    subtree,
    with_branch,
    with_step,
)

Branches = tuple[Branch, ...]


def add_branch(
    document: FlowDocument, *, step_id: uuid.UUID, name: str = "", position: int | None = None
) -> FlowDocument:
    """Add a branch before `position`; without one, right before everyone else."""
    last = len(find_step(document, step_id).branches) - 1
    if last < 0:
        raise IllegalEdit("Only a split has branches.")
    place = last if position is None else position
    if not 0 <= place <= last:
        raise IllegalEdit("Everyone else comes last.")
    branch = Branch(name=name or f"Branch {last + 1}")
    return _rebuilt(document, step_id, lambda all_: (*all_[:place], branch, *all_[place:]))


def update_branch(
    document: FlowDocument,
    *,
    branch_id: uuid.UUID,
    name: str,
    criteria: Criteria | None,
    settings: dict[str, Any] | None = None,
) -> FlowDocument:
    """Rename a branch and set what it asks for: criteria, or settings of what the split is based on."""
    change = {"name": name, "criteria": criteria, "settings": settings or {}}
    return checked(with_branch(document, branch_id, lambda branch: branch.model_copy(update=change)))


def rename_branch(document: FlowDocument, *, branch_id: uuid.UUID, name: str) -> FlowDocument:
    """Rename a branch."""
    return checked(with_branch(document, branch_id, lambda branch: branch.model_copy(update={"name": name})))


def end_branch(document: FlowDocument, *, branch_id: uuid.UUID, exit_: ExitSettings | None) -> FlowDocument:
    """Let a branch end in *Exit flow*, or (None) join the flow again."""
    return checked(with_branch(document, branch_id, lambda branch: branch.model_copy(update={"exit": exit_})))


def move_branch(document: FlowDocument, *, branch_id: uuid.UUID, by: int) -> FlowDocument:
    """Move a branch left (-1) or right (+1)."""
    _, position = find_branch(document, branch_id)
    return place_branch(document, branch_id=branch_id, position=position + by)


def place_branch(document: FlowDocument, *, branch_id: uuid.UUID, position: int) -> FlowDocument:
    """Move a branch to a position among the branches of its split, counted from the left."""
    split, old = find_branch(document, branch_id)
    last = len(split.branches) - 1
    if last in {old, position}:
        raise IllegalEdit("Everyone else comes last.")
    if not 0 <= position < last:
        raise IllegalEdit("The branch is at that end already.")
    branches = list(split.branches)
    branches.insert(position, branches.pop(old))
    return _rebuilt(document, split.id, lambda _: tuple(branches))


def transfer_branch(
    document: FlowDocument, *, branch_id: uuid.UUID, step_id: uuid.UUID, position: int
) -> FlowDocument:
    """Move a branch with its steps into another split, before the branch at `position`."""
    split, old = find_branch(document, branch_id)
    target = find_step(document, step_id)
    if old == len(split.branches) - 1 or not 0 <= position < len(target.branches):
        raise IllegalEdit("Everyone else comes last.")
    branch = split.branches[old]
    if any(inner.id == step_id for node in branch.steps for inner in subtree(node)):
        raise IllegalEdit("A branch cannot be moved into itself.")
    moved = with_step(document, split.id, lambda n: n.model_copy(update={"branches": _but(n, branch_id)}))
    return _rebuilt(moved, step_id, lambda all_: (*all_[:position], branch, *all_[position:]))


def _but(node: StepNode, branch_id: uuid.UUID) -> Branches:
    return tuple(branch for branch in node.branches if branch.id != branch_id)


def copy_branch(document: FlowDocument, *, branch_id: uuid.UUID) -> FlowDocument:
    """Put a copy of a branch, with its steps, to the right of it. Everyone else cannot be copied."""
    return put_branch(document, after=branch_id, branch=copied(document, branch_id=branch_id))


def copied(document: FlowDocument, *, branch_id: uuid.UUID) -> Branch:
    """Return a copy of a branch under new ids, named as one; everyone else cannot be copied."""
    split, position = find_branch(document, branch_id)
    if position == len(split.branches) - 1:
        raise IllegalEdit("Everyone else cannot be copied.")
    original = split.branches[position]
    return fresh_branch(original.model_copy(update={"name": f"{original.name[:53]} (copy)"}))


def put_branch(document: FlowDocument, *, after: uuid.UUID, branch: Branch) -> FlowDocument:
    """Put a branch, as it is, to the right of another; everyone else stays last."""
    split, position = find_branch(document, after)
    if position == len(split.branches) - 1:
        raise IllegalEdit("Everyone else comes last.")
    return _rebuilt(document, split.id, lambda all_: (*all_[: position + 1], branch, *all_[position + 1 :]))


def paste_branch(document: FlowDocument, *, step_id: uuid.UUID, branch: Branch) -> FlowDocument:
    """Put a branch, as it is, into a split: right before everyone else."""
    if not find_step(document, step_id).branches:
        raise IllegalEdit("Only a split has branches.")
    return _rebuilt(document, step_id, lambda all_: (*all_[:-1], branch, all_[-1]))


def remove_branch(document: FlowDocument, *, branch_id: uuid.UUID) -> FlowDocument:
    """Take a branch out with its steps."""
    split, position = find_branch(document, branch_id)
    if position == len(split.branches) - 1:
        raise IllegalEdit("Everyone else cannot be removed.")
    return _rebuilt(document, split.id, lambda all_: (*all_[:position], *all_[position + 1 :]))


def _rebuilt(
    document: FlowDocument, step_id: uuid.UUID, change: Callable[[Branches], Branches]
) -> FlowDocument:
    def rebuilt(node: StepNode) -> StepNode:
        return node.model_copy(update={"branches": change(node.branches)})

    return checked(with_step(document, step_id, rebuilt))
