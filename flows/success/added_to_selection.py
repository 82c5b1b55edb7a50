"""Added to selection: the contact is a member of a static selection."""

from __future__ import annotations

from flows.success.clubs import MemberOf
from flows.triggers.added_to_selection import AddedToSelectionSettings
from flows.triggers.clubs import SelectionPartForm


class SelectionMembership(MemberOf):
    """See the module."""

    name = "added_to_selection"
    label = "Added to selection"
    description = "The contact is a member of a static selection, by any way, import too."
    icon = "list-plus"
    Settings = AddedToSelectionSettings
    Form = SelectionPartForm
    club = "selection"
