"""Scripts of a tenant, with immutable versions."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class Script(TenantModel):
    """A script that steps run: its newest version."""

    name = models.CharField(max_length=120)
    description = models.CharField(max_length=250, blank=True)
    current = TenantForeignKey(
        "content.ScriptVersion", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    revision = models.IntegerField(default=0)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="script_name_once", condition=Q(deleted_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name


class ScriptVersion(TenantModel):
    """What a script said from one save to the next. Immutable."""

    script = TenantForeignKey(Script, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    source = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "script", "number"], name="script_version_once")
        ]
