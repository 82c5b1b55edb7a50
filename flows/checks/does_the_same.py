"""Where a form or registered link that a flow listens to does by itself what a step of the flow does, or the opposite.

Warnings only: it may be meant so. The form or link acts when it is processed or clicked, the step when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from content.actions import ContactActions
from content.queries_form import actions_of_forms
from content.queries_link import actions_of_links
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument, StepNode
from flows.steps.base import CheckContext

_MEMBERS = {"add_to_selection": True, "remove_from_selection": False}


class DoesTheSame(Check):
    """See the module."""

    name = "does_the_same"
    label = "A form or link that does the same"
    description = "A form or link of the flow does by itself what a step does, or the opposite."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield the steps concerned. At most two queries; none without forms and links."""
        forms, links = (sorted(ctx.names.get(kind, ())) for kind in ("form", "link"))
        found = {("form", pk): one for pk, one in (actions_of_forms(forms) if forms else {}).items()}
        found |= {("link", pk): one for pk, one in (actions_of_links(links) if links else {}).items()}
        for node in document.walk() if found else ():
            for (kind, pk), actions in found.items():
                name = ctx.name(kind, pk) or kind
                yield from (self.at_step(node, f"“{name}” {text}") for text in _said_of(node, actions))


def _said_of(node: StepNode, actions: ContactActions) -> Iterator[str]:
    if node.kind in _MEMBERS:
        yield from _of_members(node.settings, actions, adds=_MEMBERS[node.kind])
    if node.kind == "update_contact":
        lines = node.settings.get("lines", ())
        fields = {line.get("field") for line in lines if isinstance(line, dict)}
        if fields & {change.field for change in actions.updates()}:
            yield "changes a field by itself that this step changes too"


def _of_members(settings: Mapping[str, object], actions: ContactActions, *, adds: bool) -> Iterator[str]:
    for what, added, removed in (
        ("selection", actions.add_to_selections, actions.remove_from_selections),
        ("project", actions.add_to_projects, actions.remove_from_projects),
    ):
        chosen = settings.get(what)
        if chosen in (added if adds else removed):
            yield f"{'adds to' if adds else 'removes from'} this {what} by itself already"
        if chosen in (removed if adds else added):
            yield f"does the opposite by itself: it {'removes from' if adds else 'adds to'} this {what}"
