"""What every document must be, finished or not: the invariant that each operation keeps."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Container

from flows.document import FlowDocument, StepNode
from flows.editing.tree import MAX_BRANCHES, MAX_DEPTH, MAX_NOTES, MAX_STEPS, IllegalEdit
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS

_FEWEST_BRANCHES = 2


def checked(document: FlowDocument) -> FlowDocument:
    """Return the document, without the notes of steps that are gone; raise IllegalEdit where a rule is broken."""
    nodes = list(document.walk())
    if len(nodes) > MAX_STEPS:
        raise IllegalEdit(f"A flow can have {MAX_STEPS} steps at most.")
    if len(document.notes) > MAX_NOTES:
        raise IllegalEdit(f"A flow can have {MAX_NOTES} notes at most.")
    ids = [node.id for node in nodes]
    ids.extend(trigger.id for trigger in document.triggers)
    ids.extend(criterion.id for criterion in document.success)
    ids.extend(branch.id for node in nodes for branch in node.branches)
    ids.extend(note.id for note in document.notes)
    if any(count > 1 for count in Counter(ids).values()):
        raise IllegalEdit("Two parts of the flow have the same id.")
    for node in nodes:
        _check_node(node)
    if _depth(document.steps) > MAX_DEPTH:
        raise IllegalEdit(f"Splits can be nested {MAX_DEPTH} deep at most.")
    if any(trigger.kind not in TRIGGER_KINDS for trigger in document.triggers):
        raise IllegalEdit("There is no such trigger.")
    if any(criterion.kind not in SUCCESS_KINDS for criterion in document.success):
        raise IllegalEdit("There is no such success criterion.")
    return _without_lost_notes(document, {node.id for node in nodes})


def _without_lost_notes(document: FlowDocument, there: Container[uuid.UUID]) -> FlowDocument:
    kept = tuple(note for note in document.notes if note.step is None or note.step in there)
    return document if len(kept) == len(document.notes) else document.model_copy(update={"notes": kept})


def _check_node(node: StepNode) -> None:
    if node.kind not in STEP_KINDS:
        raise IllegalEdit("There is no such kind of step.")
    if not STEP_KINDS[node.kind].has_branches:
        if node.branches:
            raise IllegalEdit("Only a split has branches.")
        return
    if not _FEWEST_BRANCHES <= len(node.branches) <= MAX_BRANCHES:
        raise IllegalEdit(f"A split has one branch and everyone else at least, and {MAX_BRANCHES} at most.")
    if node.branches[-1].criteria is not None:
        raise IllegalEdit("Everyone else comes last and has no criteria.")


def _depth(steps: tuple[StepNode, ...]) -> int:
    return max((1 + _depth(branch.steps) for node in steps for branch in node.branches), default=0)
