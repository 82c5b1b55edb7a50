"""Added to selection: the contact becomes a member of a static selection, but not by import."""

from __future__ import annotations

from flows.steps.base import StepSettings
from flows.triggers.clubs import ClubTrigger, SelectionPartForm


class AddedToSelectionSettings(StepSettings):
    """The static selection."""

    selection: int | None = None


class AddedToSelection(ClubTrigger):
    """See the module."""

    name = "added_to_selection"
    label = "Added to selection"
    description = "The contact becomes a member of a static selection, by any way but an import."
    icon = "list-plus"
    event_kinds = frozenset({"selection.added"})
    Settings = AddedToSelectionSettings
    Form = SelectionPartForm
    club = "selection"
