"""Base of the success criteria about sales and requests: an event after enrolment, narrowed by chosen entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from flows import desk_parts
from flows.document import SuccessCriterion
from flows.event_filter import EventFilter
from flows.steps.base import CheckContext, Problem, Reference
from flows.success.base import SuccessKind


class DeskSuccess(SuccessKind):
    """See the module; a kind names its event, settings and form."""

    group = "Sales, requests and follow-ups"
    is_state = False
    event: ClassVar[str]
    of_company: ClassVar[bool] = False

    def event_filter(self, criterion: SuccessCriterion) -> EventFilter:
        """The kind's event, of what is chosen."""
        accepts = desk_parts.accepts(self.settings(criterion))
        return EventFilter(self.event, accepts=accepts, of_company=self.of_company)

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Return the label and what is chosen."""
        return f"{self.label}{desk_parts.words(self.settings(criterion), names)}"

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """What is chosen must exist."""
        return desk_parts.problems(self.settings(criterion), ctx)

    def references(self, criterion: SuccessCriterion) -> Iterable[Reference]:
        """Yield what is chosen."""
        return desk_parts.references(self.settings(criterion))


class SaleSuccess(DeskSuccess):
    """Base of those about sales."""

    Settings = desk_parts.SaleSettings
    Form = desk_parts.SaleForm
