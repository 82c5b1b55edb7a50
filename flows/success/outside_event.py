"""Event from outside: an event with a chosen name is posted through the API, while the contact is in the flow."""

from __future__ import annotations

from flows.document import SuccessCriterion
from flows.event_filter import EventFilter
from flows.outside import OutsideSettings, Words, outside_filter, outside_problems
from flows.outside_form import OutsideForm
from flows.steps.base import CheckContext, Problem
from flows.success.base import SuccessKind


class OutsideEventSuccess(SuccessKind):
    """See the module."""

    name = "outside_event"
    label = "Event from outside"
    description = "An event with this name is posted through the API."
    icon = "plugs-connected"
    group = "From outside"
    is_state = False
    Settings = OutsideSettings
    Form = OutsideForm

    def event_filter(self, criterion: SuccessCriterion) -> EventFilter:
        """Events with the name whose data hold the conditions."""
        return outside_filter(self.settings(criterion))

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Say which event."""
        return f"Event from outside: {Words(self.settings(criterion))}"

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """There must be a name, and conditions that can be judged."""
        return list(outside_problems(self.settings(criterion)))
