"""A wait for an action without a maximum: whoever never does it stays for ever."""

from __future__ import annotations

from collections.abc import Iterator

from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument
from flows.steps.base import CheckContext


class EndlessWait(Check):
    """See the module."""

    name = "endless_wait"
    label = "A wait without a maximum"
    description = "Whoever never does what is waited for stays in the flow for ever."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each such wait."""
        for node in document.walk():
            if node.kind == "wait_for_action" and node.settings.get("limited") is False:
                yield self.at_step(node, "Without a maximum wait people may stay here for ever", "limited")
