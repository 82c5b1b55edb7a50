"""Added to selection: the contact becomes a member of a static selection, but not by import."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from crm.events import Origin
from flows.document import Trigger
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.steps.forms import choose, to_number
from flows.steps.selections import selection_choices
from flows.triggers.base import EventFilter, TriggerKind


class AddedToSelectionSettings(StepSettings):
    """The static selection."""

    selection: int | None = None


class SelectionPartForm(PartForm):
    """Which selection."""

    selection = forms.TypedChoiceField(label="Selection", required=False, coerce=to_number, empty_value=None)

    def prepare(self) -> None:
        """Offer every static selection."""
        choose(self, "selection", selection_choices(self.initial.get("selection")))


class AddedToSelection(TriggerKind):
    """See the module."""

    name = "added_to_selection"
    label = "Added to selection"
    description = "The contact becomes a member of a static selection, by any way but an import."
    icon = "list-plus"
    event_kinds = frozenset({"selection.added"})
    Settings = AddedToSelectionSettings
    Form = SelectionPartForm

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Additions to the selection; an unfinished trigger answers to none."""
        settings: AddedToSelectionSettings = self.settings(trigger)
        chosen = () if settings.selection is None else (settings.selection,)
        return EventFilter("selection.added", object_ids=chosen, excluded_origins=frozenset({Origin.IMPORT}))

    def what(self, trigger: Trigger, names: CheckContext) -> str:
        """Return the selection's name."""
        settings: AddedToSelectionSettings = self.settings(trigger)
        name = names.name("selection", settings.selection)
        return f"Added to “{name}”" if name else self.label

    def problems(self, trigger: Trigger, ctx: CheckContext) -> list[Problem]:
        """A selection must be chosen and exist."""
        settings: AddedToSelectionSettings = self.settings(trigger)
        found = super().problems(trigger, ctx)
        if settings.selection is None:
            return [Problem("Choose a selection", place="selection"), *found]
        if ctx.name("selection", settings.selection) is None:
            return [Problem("The selection was deleted: choose another", place="selection"), *found]
        return found

    def references(self, trigger: Trigger) -> Iterable[Reference]:
        """Yield the selection, and what the criteria name."""
        settings: AddedToSelectionSettings = self.settings(trigger)
        if settings.selection is not None:
            yield Reference("selection", settings.selection)
        yield from super().references(trigger)
