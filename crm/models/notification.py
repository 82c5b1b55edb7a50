"""Notifications inside the application: what happened that somebody of ours should know."""

from __future__ import annotations

from django.db import models

from core.models import HotTenantModel


class Notification(HotTenantModel):
    """A line for one user. `path` is the page below /t/<slug>/ that it leads to; `contact_id` whom it speaks of."""

    user_id = models.BigIntegerField()
    kind = models.CharField(max_length=30)
    text = models.CharField(max_length=300)
    path = models.CharField(max_length=200, blank=True)
    contact_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta(HotTenantModel.Meta):
        indexes = [
            models.Index(fields=["tenant", "user_id", "-id"], name="notifications_of_user"),
            models.Index(
                fields=["tenant", "user_id"], name="unread_of_user", condition=models.Q(read_at=None)
            ),
            models.Index(fields=["tenant", "contact_id"], name="notifications_of_contact"),
        ]
