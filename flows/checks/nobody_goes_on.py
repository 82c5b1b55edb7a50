"""A split all of whose branches end in *Exit flow*: whatever comes after it is never reached."""

from __future__ import annotations

from collections.abc import Iterator

from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument
from flows.steps.base import CheckContext


class NobodyGoesOn(Check):
    """See the module."""

    name = "nobody_goes_on"
    label = "A split that nobody leaves"
    description = "Every branch ends in Exit flow, so what follows the split is never reached."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each such split."""
        for node in document.walk():
            if node.branches and all(branch.exit is not None for branch in node.branches):
                yield self.at_step(node, "Every branch ends in Exit flow, so nobody goes on after this split")
