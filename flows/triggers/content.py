"""What somebody did outside with a form or a registered link: what the two triggers share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from flows.content_parts import ContentKind, content_problems, content_references
from flows.document import Trigger
from flows.steps.base import CheckContext, Problem, Reference
from flows.triggers.base import EventFilter, TriggerKind


class ContentTrigger(TriggerKind):
    """Base: the settings have one field, named as the kind of content."""

    group = "Forms and links"
    content: ClassVar[ContentKind]
    verb: ClassVar[str]

    def chosen(self, trigger: Trigger) -> int | None:
        """Return the id of what was chosen."""
        found: int | None = getattr(self.settings(trigger), self.content)
        return found

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Its events; an unfinished trigger answers to none."""
        number = self.chosen(trigger)
        [kind] = self.event_kinds
        return EventFilter(kind, object_ids=() if number is None else (number,))

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return the name of what was chosen."""
        name = names.name(self.content, self.chosen(trigger))
        return f"“{name}” {self.verb}" if name else self.label

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """One must be chosen and exist."""
        return [*content_problems(ctx, self.content, self.chosen(trigger)), *super().problems(trigger, ctx)]

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield what was chosen, and what the criteria name."""
        yield from content_references(self.content, self.chosen(trigger))
        yield from super().references(trigger)
