"""Add to selection or project: the contact becomes a member."""

from __future__ import annotations

from crm import bulk
from flows.steps.selections import SelectionStep


class AddToSelection(SelectionStep):
    """See the module."""

    name = "add_to_selection"
    label = "Add to selection or project"
    description = "Make the contact a member of a static selection, a project, or both."
    icon = "list-plus"
    on_selection = staticmethod(bulk.add_to_selection)
    on_project = staticmethod(bulk.add_to_project)
