"""What a success kind is: which events may make it true, and what is judged then. Judging is participants'."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from crm.criteria.schema import Criteria
from flows.document import SuccessCriterion
from flows.event_filter import EventFilter
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings


class SuccessKind:
    """Base of a success kind. One instance per kind is listed in flows.success.table."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    icon: ClassVar[str]
    # The heading that it stands under in the menu of success criteria.
    group: ClassVar[str] = "Contact"
    # State criteria count as soon as they hold, also at enrolment; event criteria only after it.
    is_state: ClassVar[bool]
    Settings: ClassVar[type[StepSettings]] = StepSettings
    Form: ClassVar[type[PartForm]] = PartForm
    # Whether the panel shows the criteria editor; membership kinds are a state with settings of their own.
    asks_criteria: ClassVar[bool] = False

    def settings(self, criterion: SuccessCriterion) -> Any:
        """Return the criterion's settings, typed; raises pydantic.ValidationError for impossible values."""
        return self.Settings.model_validate(criterion.settings)

    def wakes_on(self, criterion: SuccessCriterion) -> frozenset[str]:
        """Return the event kinds after which it is judged for the event's contact (and its company's contacts)."""
        return frozenset({self.event_filter(criterion).kind})

    def state(self, criterion: SuccessCriterion) -> Criteria | None:
        """Return the criteria whose holding is the success; None of kinds that are an event."""
        return None

    def event_filter(self, criterion: SuccessCriterion) -> EventFilter:
        """Return the events that make it true; only of kinds that are no state."""
        raise NotImplementedError

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Return one line for the card."""
        raise NotImplementedError

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """Return what is missing or wrong."""
        raise NotImplementedError

    def references(self, criterion: SuccessCriterion) -> Iterable[Reference]:
        """Yield what the criterion uses."""
        return ()
