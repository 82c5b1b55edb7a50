"""What adding to and removing from a static selection share: settings, summary, problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from flows.document import StepNode
from flows.steps.base import CheckContext, Problem, Reference, StepKind, StepSettings


class SelectionSettings(StepSettings):
    """The static selection."""

    selection: int | None = None


class SelectionStep(StepKind):
    """Base of the two kinds."""

    family = "data"
    Settings = SelectionSettings
    verb: ClassVar[str]

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return the selection's name."""
        settings: SelectionSettings = self.settings(node)
        return names.name("selection", settings.selection) or "No selection chosen"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """A selection must be chosen and exist."""
        settings: SelectionSettings = self.settings(node)
        if settings.selection is None:
            return [Problem("Choose a selection", place="selection")]
        if ctx.name("selection", settings.selection) is None:
            return [Problem("The selection was deleted: choose another", place="selection")]
        return []

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the selection."""
        settings: SelectionSettings = self.settings(node)
        if settings.selection is not None:
            yield Reference("selection", settings.selection)

    def chosen(self, node: StepNode) -> int:
        """Return the selection's id where a started flow must have one."""
        settings: SelectionSettings = self.settings(node)
        if settings.selection is None:
            raise ValueError("No selection is chosen.")
        return settings.selection
