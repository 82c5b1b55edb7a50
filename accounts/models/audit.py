"""The audit log: a chain of entries that survives deletion of what it speaks of."""

from __future__ import annotations

from django.db import models

from core.models import TenantModel


class AuditEntry(TenantModel):
    """Who did what to which object, when, from where.

    `hash` covers the previous entry's hash and a keyed digest of the payload, so personal values can be blanked
    later and the chain still verifies.
    """

    at = models.DateTimeField()
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.DO_NOTHING, null=True, db_constraint=False, related_name="+"
    )
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    payload = models.JSONField(default=dict)
    payload_digest = models.CharField(max_length=64)
    ip = models.GenericIPAddressField(null=True)
    hash = models.CharField(max_length=64)

    class Meta(TenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "-id"], name="audit_newest"),
            models.Index(fields=["tenant", "object_kind", "-id"], name="audit_of_kind"),
            models.Index(fields=["tenant", "actor", "-id"], name="audit_of_actor"),
        ]
