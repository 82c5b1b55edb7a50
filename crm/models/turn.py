"""Whose turn it is: the remembered place of a step that hands out contacts."""

from __future__ import annotations

from django.db import models

from core.models import TenantModel


class OwnerTurn(TenantModel):
    """Who was served last by one step (a plain id: flows lie above). Locked while a batch hands out."""

    step_id = models.UUIDField()
    last_user_id = models.BigIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "step_id"], name="one_turn_a_step")]
