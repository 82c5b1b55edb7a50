"""A branch that asks for what one left of it takes already: the leftmost that holds wins, so nobody comes to it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument
from flows.steps.base import CheckContext
from flows.steps.split import basis_of


class ShadowedBranch(Check):
    """See the module."""

    name = "shadowed_branch"
    label = "A branch nobody reaches"
    description = "A branch equal to one left of it, or holding every condition of it and more."
    is_warning = False

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each such branch once, with the leftmost that takes its people."""
        for node in document.walk():
            if not node.branches:
                continue
            try:
                basis = basis_of(node)
            except ValueError:
                # Settings that cannot be read: the split says so itself.
                continue
            told = set()
            for left, right in combinations(node.branches[:-1], 2):
                if right.id not in told and left.id not in told and basis.takes_all(node, left, right):
                    told.add(right.id)
                    message = (
                        f"“{right.name}”: nobody comes here, because “{left.name}”, left of it, "
                        "takes everyone it asks for"
                    )
                    yield self.at_step(node, message, str(right.id))
