"""What other systems have posted: keys that have been used, and the names of their events."""

from __future__ import annotations

from django.db import models

from core.models import HotTenantModel, TenantModel


class OutsideKey(HotTenantModel):
    """An idempotency key that was used: the same key never acts twice. `digest` tells a repetition from another
    request under the same key."""

    key = models.CharField(max_length=80, db_collation="C")
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta(HotTenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="outside_key_once")]


class OutsideName(TenantModel):
    """A name that events from outside have had, so that it can be chosen."""

    name = models.CharField(max_length=80, db_collation="C")
    first_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="outside_name_once")]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
