"""What is used where: written by the rooms above when they save, so that a deletion below can be refused."""

from __future__ import annotations

from django.db import models

from core.models import HotTenantModel


class Usage(HotTenantModel):
    """`used_kind`/`used_id` is used by `user_kind`/`user_id` at `place` (a step's title, say), reachable at url."""

    used_kind = models.CharField(max_length=30)
    used_id = models.BigIntegerField()
    user_kind = models.CharField(max_length=30)
    user_id = models.BigIntegerField()
    user_name = models.CharField(max_length=200)
    place = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=300)
    # Used by what is being edited, not by what was saved: it keeps the thing from being deleted all the same.
    in_draft = models.BooleanField(default=False, db_default=False)

    class Meta(HotTenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "used_kind", "used_id"], name="usage_of"),
            models.Index(fields=["tenant", "user_kind", "user_id"], name="usage_by"),
        ]
