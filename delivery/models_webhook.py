"""Outgoing webhooks and the secrets that they carry."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from core.models import HotTenantModel, TenantModel


class WebhookSecret(TenantModel):
    """A value for a header (sealed, core.secrets; never shown again). The one without a name signs every request."""

    name = models.CharField(max_length=40, blank=True)
    value = models.TextField()
    changed_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="webhook_secret_name_once")]

    def __str__(self) -> str:
        return self.name


class OutgoingWebhook(HotTenantModel):
    """One request to make for one visit of a participant. Holds what to render (version and event), never the body.

    `uuid` is the delivery id that the receiver sees, the same at every try. `reserved_by` is a living process's
    number (delivery.processes); of a dead one the row is free again: at least once.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    uuid = models.UUIDField(default=uuid.uuid4)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    # The flow's stream and its epoch at that moment: held, it waits; closed since, it is cancelled.
    stream_id = models.BigIntegerField(null=True)
    epoch = models.IntegerField(default=0, db_default=0)
    flow_id = models.BigIntegerField()
    step_id = models.UUIDField()
    contact_id = models.BigIntegerField()
    participant_id = models.BigIntegerField()
    visit_number = models.IntegerField()
    content_version_id = models.BigIntegerField()
    values = models.JSONField(default=dict)
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    reserved_by = models.BigIntegerField(null=True)
    tried_at = models.DateTimeField(null=True)
    code = models.SmallIntegerField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "participant_id", "visit_number"], name="one_webhook_a_visit"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "due_at", "id"],
                name="webhook_due",
                condition=Q(status="queued", reserved_by=None),
            ),
            models.Index(
                fields=["tenant", "reserved_by"],
                name="webhook_reserved",
                condition=Q(reserved_by__isnull=False),
            ),
            models.Index(fields=["tenant", "step_id", "status", "-id"], name="webhook_of_step"),
            models.Index(fields=["tenant", "contact_id"], name="webhook_of_contact"),
            models.Index(fields=["tenant", "tried_at"], name="webhook_over", condition=~Q(status="queued")),
        ]
