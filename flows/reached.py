"""How long after entering a step is reached: the waits above it, added up. Pure, over a document; the canvas shows it.

What a step itself takes is its kind's to say (`StepKind.lasts`). Timeframes, the frequency cap, holidays and pauses are
not counted: they differ from day to day.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.document import FlowDocument, StepNode
from flows.lasting import AT_ONCE, Lasting
from flows.steps.table import STEP_KINDS
from flows.validation import is_valid_settings


@dataclass(slots=True)
class Reached:
    """When each step is reached, and the finish; what nobody reaches is missing."""

    steps: dict[uuid.UUID, Lasting] = field(default_factory=dict)
    finish: Lasting | None = None

    def words(self, step_id: uuid.UUID) -> str:
        """Return the hint of a step; empty at once after entering, and where nobody comes."""
        at = self.steps.get(step_id)
        return at.words if at is not None else ""


def reached(document: FlowDocument) -> Reached:
    """Add up the waits of a document."""
    found = Reached()
    found.finish = _along(document.steps, AT_ONCE, found.steps)
    return found


def _along(steps: Sequence[StepNode], at: Lasting | None, found: dict[uuid.UUID, Lasting]) -> Lasting | None:
    """Walk a list that is reached at `at`; return when its end is reached, None where nobody gets there."""
    for node in steps:
        if at is None:
            return None
        found[node.id] = at
        lasts = STEP_KINDS[node.kind].lasts(node) if is_valid_settings(node) else AT_ONCE
        at = at + lasts if lasts is not None else None
        if node.branches and at is not None:
            at = _joined(node, at, found)
    return at


def _joined(node: StepNode, at: Lasting, found: dict[uuid.UUID, Lasting]) -> Lasting | None:
    joined: Lasting | None = None
    for branch in node.branches:
        end = _along(branch.steps, at, found)
        if end is not None and branch.exit is None:
            joined = end if joined is None else joined | end
    return joined
