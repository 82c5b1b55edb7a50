"""Added to project: the contact becomes a member of a project, but not by import."""

from __future__ import annotations

from flows.steps.base import StepSettings
from flows.triggers.clubs import ClubTrigger, ProjectPartForm


class AddedToProjectSettings(StepSettings):
    """The project."""

    project: int | None = None


class AddedToProject(ClubTrigger):
    """See the module."""

    name = "added_to_project"
    label = "Added to project"
    description = "The contact becomes a member of a project, by any way but an import."
    icon = "kanban"
    event_kinds = frozenset({"project.added"})
    Settings = AddedToProjectSettings
    Form = ProjectPartForm
    club = "project"
