"""What adding to and removing from a static selection share: settings, summary, problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django import forms

from crm.models import Selection
from flows.document import StepNode
from flows.steps.base import CheckContext, Problem, Reference, StepKind, StepSettings
from flows.steps.forms import StepForm, choose, number_choices, to_number


class SelectionSettings(StepSettings):
    """The static selection."""

    selection: int | None = None


class SelectionForm(StepForm):
    """The settings panel."""

    selection = forms.TypedChoiceField(label="Selection", required=False, coerce=to_number, empty_value=None)

    def prepare(self) -> None:
        """Offer every static selection."""
        choose(self, "selection", selection_choices(self.initial.get("selection")))


def selection_choices(chosen: int | None = None, *, empty: str = "Choose…") -> list[tuple[str, str]]:
    """Return the static selections by name, for a select."""
    pairs = list(Selection.objects.order_by("name").values_list("id", "name"))
    return number_choices(pairs, chosen, "A selection that was deleted", empty=empty)


class SelectionStep(StepKind):
    """Base of the two kinds."""

    family = "data"
    Settings = SelectionSettings
    Form = SelectionForm
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
