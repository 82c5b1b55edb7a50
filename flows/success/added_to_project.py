"""Added to project: the contact is a member of a project."""

from __future__ import annotations

from flows.success.clubs import MemberOf
from flows.triggers.added_to_project import AddedToProjectSettings
from flows.triggers.clubs import ProjectPartForm


class ProjectMembership(MemberOf):
    """See the module."""

    name = "added_to_project"
    label = "Added to project"
    description = "The contact is a member of a project, by any way, import too."
    icon = "kanban"
    Settings = AddedToProjectSettings
    Form = ProjectPartForm
    club = "project"
