"""An email that several steps send, of this flow or of another: lawful, but a change for one is a change for all, and
people may get it twice."""

from __future__ import annotations

from collections.abc import Iterator

from flows.checks.base import Check, FlowProblem, step_title
from flows.document import FlowDocument, StepNode
from flows.steps.base import CheckContext


class ContentTwice(Check):
    """See the module."""

    name = "content_twice"
    label = "Content in use twice"
    description = "An email that several steps send, of this flow or of another."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield every step but the first that sends an email, and the first where another flow sends it too."""
        first: dict[object, StepNode] = {}
        for node in document.walk():
            email = node.settings.get("email") if node.kind == "send_email" else None
            if not isinstance(email, int):
                continue
            if email in first:
                name = ctx.name("email", email) or "This email"
                message = f"“{name}” is sent by “{step_title(first[email])}” as well"
                yield self.at_step(node, message, "email")
            elif elsewhere := ctx.name("email_elsewhere", email):
                name = ctx.name("email", email) or "This email"
                yield self.at_step(node, f"“{name}” is sent by {elsewhere} as well", "email")
            first.setdefault(email, node)
