"""What one step's webhook asks for: address, method, headers and body, in immutable versions."""

from __future__ import annotations

from django.db import models

from core.models import TenantModel


class WebhookVersion(TenantModel):
    """A step's webhook from one change to the next. The newest is sent, also where trying again.

    `definition` is {"method", "url", "headers": [{"name", "value"} or {"name", "secret": id}], "body": JSON}; url and
    the texts of the body hold merge tags. Secrets are named by id only.
    """

    step_id = models.UUIDField()
    number = models.IntegerField()
    definition = models.JSONField()
    custom_keys = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "step_id", "number"], name="webhook_version_once")
        ]
