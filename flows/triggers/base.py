"""What a trigger kind is: which events suggest a contact for the flow. Matching itself is participants' intake."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from crm.criteria.describe import describe
from crm.criteria.validate import problems as criteria_problems
from flows.criteria_uses import criteria_uses
from flows.document import Trigger
from flows.event_filter import EventFilter
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings

__all__ = ["EventFilter", "TriggerKind"]


class TriggerKind:
    """Base of a trigger kind. One instance per kind is listed in flows.triggers.table."""

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    icon: ClassVar[str]
    # The heading that it stands under in the menu of triggers.
    group: ClassVar[str] = "Contact"
    event_kinds: ClassVar[frozenset[str]]
    Settings: ClassVar[type[StepSettings]] = StepSettings
    Form: ClassVar[type[PartForm]] = PartForm

    def settings(self, trigger: Trigger) -> Any:
        """Return the trigger's settings, typed; raises pydantic.ValidationError for impossible values."""
        return self.Settings.model_validate(trigger.settings)

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Return the events that this trigger answers to."""
        raise NotImplementedError

    def summary(self, trigger: Trigger, names: CheckContext) -> str:
        """Return one line for the card: what it answers to, and its criteria."""
        text = self.what(trigger, names)
        if trigger.criteria is None or trigger.criteria.is_empty:
            return text
        return f"{text}, if {describe(trigger.criteria)}"

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return what it answers to, without the criteria."""
        return self.label

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """Return what is missing or wrong."""
        if trigger.criteria is None:
            return []
        return [Problem(text, place="criteria") for text in criteria_problems(trigger.criteria)]

    def brings(self, trigger: Trigger) -> Iterable[tuple[str, str]]:
        """Yield (path, label) of the values of its event that later steps may name as `event.<path>`."""
        return ()

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield what the trigger uses."""
        if trigger.criteria is not None:
            yield from criteria_uses(trigger.criteria)
