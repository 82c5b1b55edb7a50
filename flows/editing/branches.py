"""Operations on the branches of a split: add, change, move, copy, remove, end in exit. Everyone else stays last."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from crm.criteria.schema import Criteria
from flows.document import Branch, ExitSettings, FlowDocument, StepNode
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit, find_branch, find_step, fresh_branch, with_branch, with_step

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
    split, position = find_branch(document, branch_id)
    target, last = position + by, len(split.branches) - 1
    if last in {position, target}:
        raise IllegalEdit("Everyone else comes last.")
    if target < 0 or target > last:
        raise IllegalEdit("The branch is at that end already.")
    branches = list(split.branches)
    branches.insert(target, branches.pop(position))
    return _rebuilt(document, split.id, lambda _: tuple(branches))


def copy_branch(document: FlowDocument, *, branch_id: uuid.UUID) -> FlowDocument:
    """Put a copy of a branch, with its steps, to the right of it. Everyone else cannot be copied."""
    split, position = find_branch(document, branch_id)
    if position == len(split.branches) - 1:
        raise IllegalEdit("Everyone else cannot be copied.")
    original = split.branches[position]
    copy = fresh_branch(original.model_copy(update={"name": f"{original.name} (copy)"}))
    after = position + 1
    return _rebuilt(document, split.id, lambda all_: (*all_[:after], copy, *all_[after:]))


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
