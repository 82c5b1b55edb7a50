"""Selections and projects, with their members."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class SelectionFolder(TenantModel):
    """A place to keep selections."""

    name = models.CharField(max_length=80)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="selection_folder_once")]
        ordering = ["name"]


class Selection(TenantModel):
    """A set of contacts. A static one has members, chosen by people, imports and flows; who is in a dynamic or combined
    one is judged anew each time it is asked (crm.criteria.memberships)."""

    class Kind(models.TextChoices):
        STATIC = "static", "Static"
        DYNAMIC = "dynamic", "Dynamic"
        COMBINED = "combined", "Combined"

    class Combine(models.TextChoices):
        EITHER = "either", "In A or in B"
        BOTH = "both", "In A and in B"
        ONLY_A = "only_a", "Only in A"
        ONLY_B = "only_b", "Only in B"
        EXACTLY_ONE = "exactly_one", "In exactly one of them"

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.STATIC, db_default=Kind.STATIC)
    criteria = models.JSONField(null=True, blank=True)
    combine = models.CharField(max_length=12, choices=Combine, blank=True, default="", db_default="")
    left = TenantForeignKey(
        "crm.Selection", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    right = TenantForeignKey(
        "crm.Selection", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
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
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="selection_name_once"),
            models.CheckConstraint(
                name="a_selection_is_of_one_kind",
                condition=Q(kind="static", criteria=None, combine="", left=None, right=None)
                | Q(kind="dynamic", criteria__isnull=False, combine="", left=None, right=None)
                | (
                    Q(kind="combined", criteria=None, left__isnull=False, right__isnull=False)
                    & ~Q(combine="")
                ),
            ),
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_static(self) -> bool:
        """Whether people, imports and flows put members into it."""
        return self.kind == self.Kind.STATIC


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
