"""A form that is closed, where the flow listens for its submission: nobody can send it."""

from __future__ import annotations

from collections.abc import Iterator

from flows.checks.actions import actions_of
from flows.checks.base import Check, FlowProblem, step_title
from flows.document import FlowDocument, StepNode
from flows.references import part
from flows.steps.base import CheckContext
from flows.triggers.table import TRIGGER_KINDS


class ClosedForm(Check):
    """See the module. A warning: it may be opened later, and what was sent before may still be processed."""

    name = "closed_form"
    label = "A closed form"
    description = "A trigger, wait, split or success criterion on a form that nobody can send."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each place that listens to a closed form."""
        told = set()
        for form, where, title, place in _listens(document):
            name = ctx.name("form", form)
            if name is None or ctx.name("open_form", form) is not None or (form, where) in told:
                continue
            told.add((form, where))
            yield FlowProblem(where, title, f"“{name}” is closed: nobody can send it", place, self.is_warning)


def _listens(document: FlowDocument) -> Iterator[tuple[int, str, str, str]]:
    """Yield (form, part, title, place) of everything that a submission moves."""
    for trigger in document.triggers:
        if trigger.kind == "form_submitted" and isinstance(form := trigger.settings.get("form"), int):
            title = f"Trigger: {TRIGGER_KINDS[trigger.kind].label}"
            yield form, part("trigger", trigger.id), title, "form"
    for criterion in document.success:
        if criterion.kind == "form_submitted" and isinstance(form := criterion.settings.get("form"), int):
            yield form, part("success", criterion.id), "Success criteria", "form"
    for node in document.walk():
        yield from ((form, part("step", node.id), step_title(node), place) for form, place in _of(node))


def _of(node: StepNode) -> Iterator[tuple[int, str]]:
    if node.kind == "split" and node.settings.get("based_on") == "form_data":
        form = node.settings.get("form")
        if isinstance(form, int):
            yield form, "form"
    for action, place in actions_of(node):
        if action.kind == "form" and action.id is not None:
            yield action.id, place
