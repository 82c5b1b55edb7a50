"""What somebody did with a form or a registered link as success: an event, so it counts only after enrolment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from flows.content_parts import WORDS, ContentKind, content_problems, content_references
from flows.document import SuccessCriterion
from flows.event_filter import EventFilter
from flows.steps.base import CheckContext, Problem, Reference
from flows.success.base import SuccessKind


class ContentSuccess(SuccessKind):
    """Base: the settings have one field, named as the kind of content."""

    group = "Forms and links"
    is_state = False
    content: ClassVar[ContentKind]
    event: ClassVar[str]
    verb: ClassVar[str]

    def chosen(self, criterion: SuccessCriterion) -> int | None:
        """Return the id of what was chosen."""
        found: int | None = getattr(self.settings(criterion), self.content)
        return found

    def event_filter(self, criterion: SuccessCriterion) -> EventFilter:
        """Its events; while nothing is chosen nobody has success by it."""
        number = self.chosen(criterion)
        return EventFilter(self.event, object_ids=() if number is None else (number,))

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Return the name of what was chosen."""
        name = names.name(self.content, self.chosen(criterion))
        return f"“{name}” {self.verb}" if name else f"No {WORDS[self.content]} chosen"

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """One must be chosen and exist."""
        return content_problems(ctx, self.content, self.chosen(criterion))

    def references(self, criterion: SuccessCriterion) -> Iterable[Reference]:
        """Yield what was chosen."""
        return content_references(self.content, self.chosen(criterion))
