"""Selections and projects, with their members."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantForeignKey, TenantModel


class SelectionFolder(TenantModel):
    """A place to keep selections."""

    name = models.CharField(max_length=80)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="selection_folder_once")]
        ordering = ["name"]


class Selection(TenantModel):
    """A static selection: contacts chosen by people, imports and flows."""

    name = models.CharField(max_length=120)
    description = models.CharField(max_length=250, blank=True)
    folder = TenantForeignKey(
        SelectionFolder, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="selection_name_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SelectionMember(TenantModel):
    """A contact in a selection."""

    selection = TenantForeignKey(Selection, on_delete=models.CASCADE, related_name="members")
    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="selections")
    added_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "selection", "contact"], name="selection_member_once")
        ]
        indexes = [models.Index(fields=["tenant", "contact", "selection"], name="selections_of_contact")]


class Project(TenantModel):
    """A project with contacts as members."""

    name = models.CharField(max_length=120)
    description = models.CharField(max_length=250, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="project_name_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ProjectMember(TenantModel):
    """A contact in a project."""

    project = TenantForeignKey(Project, on_delete=models.CASCADE, related_name="members")
    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="projects")
    added_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "project", "contact"], name="project_member_once")
        ]
        indexes = [models.Index(fields=["tenant", "contact", "project"], name="projects_of_contact")]
