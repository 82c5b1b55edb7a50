"""Keys with which programs of a tenant call the API. The secret is shown once; what is kept is its hash."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantModel


class ApiKey(TenantModel):
    """A key: what it is called, what it may do, and when it was used. A revoked one stays, for the record."""

    class Scope(models.TextChoices):
        EVENTS = "events", "Post events"
        CONTACTS = "contacts", "Create and update contacts"
        FLOWS = "flows", "Add contacts to flows"

    name = models.CharField(max_length=80)
    # How the key begins: enough to know it by, too little to guess it.
    prefix = models.CharField(max_length=16)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"], name="api_key_name_once", condition=models.Q(revoked_at=None)
            )
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def scope_labels(self) -> list[str]:
        """What it may do, in words."""
        return [str(self.Scope(scope).label) for scope in self.scopes]


class ApiKeyLookup(models.Model):
    """Global: from the hash of a key to its tenant, so that the scope opens before the first query in it.

    Revoking a key takes its row away. Nothing here says whose key it is to anybody who does not hold it.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    for_tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+")
    key_id = models.BigIntegerField()
