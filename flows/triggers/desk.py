"""Base of the triggers about sales and requests: an event of a kind, narrowed by chosen entries of the lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from flows import desk_parts
from flows.document import Trigger
from flows.steps.base import CheckContext, Problem, Reference
from flows.triggers.base import EventFilter, TriggerKind


class DeskTrigger(TriggerKind):
    """See the module; a kind names its event, settings and form, and the values that the event brings."""

    group = "Sales and requests"
    values: ClassVar[Mapping[str, str]]

    def brings(self, trigger: Trigger) -> Iterable[tuple[str, str]]:
        """Yield the values."""
        return self.values.items()

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """The kind's event, of what is chosen."""
        (kind,) = self.event_kinds
        return EventFilter(kind, accepts=desk_parts.accepts(self.settings(trigger)))

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return the label and what is chosen."""
        return f"{self.label}{desk_parts.words(self.settings(trigger), names)}"

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """What is chosen must exist."""
        return [*desk_parts.problems(self.settings(trigger), ctx), *super().problems(trigger, ctx)]

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield what is chosen, and what the criteria name."""
        yield from desk_parts.references(self.settings(trigger))
        yield from super().references(trigger)


class SaleTrigger(DeskTrigger):
    """Base of those about sales."""

    Settings = desk_parts.SaleSettings
    values = {
        "sale.title": "Title of the sale",
        "sale.amount": "Amount",
        "sale.currency": "Currency",
        "sale.type": "Sale type",
        "sale.stage": "Stage",
        "sale.date": "Date of the sale",
    }
    Form = desk_parts.SaleForm
