"""The branches of a split as they were judged at one visit: which was taken, and the values that each looked at."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm.criteria.fields import fields_by_key
from crm.criteria.seen import line_key
from crm.criteria.sql import lines_of
from flows.document import Branch, FlowDocument, StepNode
from flows.steps.split.base import LOOKED_AT
from participants.models import Visit

# By branch: the key under which a visit keeps a value, and the label of the field.
Looked = Mapping[uuid.UUID, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class BranchJudged:
    """One branch of a split as it was judged: its criteria in words, whether it won, (field, value) as it saw them."""

    name: str
    criteria: str
    result: str
    seen: Sequence[tuple[str, str]] = ()


def looked_by_branch(document: FlowDocument) -> Looked:
    """Return what the criteria of all branches look at. At most three queries, whatever their number."""
    lines = {
        branch.id: {line_key(line): line.field for line in lines_of(branch.criteria)}
        for node in document.walk()
        for branch in node.branches
        if branch.criteria is not None
    }
    fields = fields_by_key(key for found in lines.values() for key in found.values())
    return {
        branch_id: [
            (key, fields[name].label if name in fields else "A field that is gone")
            for key, name in found.items()
        ]
        for branch_id, found in lines.items()
    }


def judged_branches(
    visit: Visit, node: StepNode, words: Mapping[uuid.UUID, str], looked: Looked
) -> list[BranchJudged]:
    """Tell a split's branches in their order: those before the winner did not hold."""
    winner = _winner(visit, node) if node.branches and visit.ended != "" else None
    if winner is None:
        return []
    kept = (visit.values or {}).get(LOOKED_AT) or {}
    judged = []
    for index, branch in enumerate(node.branches):
        result = "taken" if index == winner else ("did not hold" if index < winner else "not asked")
        seen = [(label, kept[key] or "empty") for key, label in looked.get(branch.id, ()) if key in kept]
        judged.append(
            BranchJudged(branch.name or "Everyone else", words.get(branch.id, "all others"), result, seen)
        )
    return judged


def _winner(visit: Visit, node: StepNode) -> int | None:
    def is_it(branch: Branch) -> bool:
        if visit.branch_id is not None:
            return branch.id == visit.branch_id
        return bool(visit.values) and (branch.name or "Everyone else") == (visit.values or {}).get("branch")

    return next((index for index, branch in enumerate(node.branches) if is_it(branch)), None)
