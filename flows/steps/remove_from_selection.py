"""Remove from selection or project: the contact is no longer a member."""

from __future__ import annotations

from crm import bulk
from flows.steps.selections import SelectionStep


class RemoveFromSelection(SelectionStep):
    """See the module."""

    name = "remove_from_selection"
    label = "Remove from selection or project"
    description = "Take the contact out of a static selection, a project, or both."
    icon = "list-dashes"
    on_selection = staticmethod(bulk.remove_from_selection)
    on_project = staticmethod(bulk.remove_from_project)
