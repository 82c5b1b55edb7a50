"""Event from outside: an event with a chosen name is posted through the API."""

from __future__ import annotations

from collections.abc import Iterable

from flows.document import Trigger
from flows.outside import OutsideSettings, Words, outside_filter, outside_problems
from flows.outside_form import OutsideForm
from flows.steps.base import CheckContext, Problem
from flows.triggers.base import EventFilter, TriggerKind


class OutsideEventTrigger(TriggerKind):
    """See the module."""

    name = "outside_event"
    label = "Event from outside"
    description = "An event with this name is posted through the API."
    icon = "plugs-connected"
    group = "From outside"
    event_kinds = frozenset({"outside"})
    Settings = OutsideSettings
    Form = OutsideForm

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Events with the name whose data hold the conditions."""
        return outside_filter(self.settings(trigger))

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Say which event."""
        return f"Event from outside: {Words(self.settings(trigger))}"

    def brings(self, trigger: Trigger) -> Iterable[tuple[str, str]]:
        """Yield the values that its conditions name: what else is posted, nobody knows before it comes."""
        conditions = self.settings(trigger).conditions
        return ((f"data.{one.path}", one.path) for one in conditions if one.path)

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """There must be a name, and conditions that can be judged."""
        return [*outside_problems(self.settings(trigger)), *super().problems(trigger, ctx)]
