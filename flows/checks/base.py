"""What a check is, what it finds, and where it finds it. Knows documents and names, not who is looking at them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from crm.criteria.schema import Criteria
from flows.document import FlowDocument, StepNode
from flows.references import part
from flows.steps.base import CheckContext
from flows.steps.table import STEP_KINDS
from flows.triggers.table import TRIGGER_KINDS


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """A problem at a part of the flow; an error stops the start, a warning does not.

    `place` is the field, or the id of the branch, that is at fault; empty for the part as a whole. `other` is what
    has its part in it outside the flow: the name of its page's URL, its id, what it is called.
    """

    part: str
    title: str
    message: str
    place: str = ""
    is_warning: bool = False
    other: tuple[str, int, str] | None = None

    @property
    def way(self) -> str:
        """The query of the designer's page that opens what mends it, at its field; empty for the flow as a whole."""
        where, field = opens(self)
        asked = {"part": where, "field": field}
        return f"?{urlencode({name: text for name, text in asked.items() if text})}" if where else ""


class Check:
    """Base of the checks. `label` and `description` are those of docs/checks.md."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    is_warning: ClassVar[bool] = True

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield what is wrong, top to bottom. A constant number of queries, however large the document."""
        raise NotImplementedError

    def at_step(
        self, node: StepNode, message: str, place: str = "", other: tuple[str, int, str] | None = None
    ) -> FlowProblem:
        """Return a problem of a step."""
        return FlowProblem(part("step", node.id), step_title(node), message, place, self.is_warning, other)


def step_title(node: StepNode) -> str:
    """Return how a step is named to people."""
    return node.title or STEP_KINDS[node.kind].label


@dataclass(frozen=True, slots=True)
class CriteriaPlace:
    """Criteria somewhere in a document: the part that holds them, the part's name, and the field or branch."""

    criteria: Criteria
    part: str
    title: str
    place: str = "criteria"
    label: str = ""


def criteria_places(document: FlowDocument) -> Iterator[CriteriaPlace]:
    """Yield all criteria of a document with their places: triggers, filter, success, then the steps."""
    for trigger in document.triggers:
        if trigger.criteria is not None:
            title = f"Trigger: {TRIGGER_KINDS[trigger.kind].label}"
            yield CriteriaPlace(trigger.criteria, part("trigger", trigger.id), title)
    if document.filter is not None:
        yield CriteriaPlace(document.filter, "filter", "Filter")
    for criterion in document.success:
        if criterion.criteria is not None:
            yield CriteriaPlace(criterion.criteria, part("success", criterion.id), "Success criteria")
    for node in document.walk():
        yield from _of_step(node)


def _of_step(node: StepNode) -> Iterator[CriteriaPlace]:
    here, title = part("step", node.id), step_title(node)
    if node.kind == "wait_for_action" and (waited := _waited_for(node)) is not None:
        yield CriteriaPlace(waited, here, title)
    for branch in node.branches:
        if branch.criteria is not None:
            yield CriteriaPlace(branch.criteria, here, title, str(branch.id), f"“{branch.name}”: ")


def _waited_for(node: StepNode) -> Criteria | None:
    try:
        return STEP_KINDS[node.kind].waits_for(node)
    except ValueError:
        # Settings that cannot be read have a problem of their own.
        return None


def opens(problem: FlowProblem) -> tuple[str, str]:
    """Return the part whose panel mends a problem, and the field in it: a branch at fault has a panel of its own."""
    try:
        return part("branch", uuid.UUID(problem.place)), ""
    except ValueError:
        return problem.part, problem.place
