"""Registered tracked links: named, reusable, with what a click does."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantModel


class TrackedLink(TenantModel):
    """A link that emails name by its key. A click leads to its address, or shows its text, and does its actions.

    The key never changes and is never used again: mails that went out name the link by its id, drafts by its key.
    `actions` is a content.link_actions.LinkActions; clicks before `counted_since` are not shown any more.
    """

    class Shows(models.TextChoices):
        ADDRESS = "address", "Leads to an address"
        TEXT = "text", "Shows a text"

    name = models.CharField(max_length=120)
    key = models.SlugField(max_length=60)
    folder = models.CharField(max_length=80, blank=True)
    shows = models.CharField(max_length=10, choices=Shows, default=Shows.ADDRESS)
    url = models.TextField(blank=True)
    heading = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    actions = models.JSONField(default=dict)
    counted_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="tracked_link_key_once"),
            models.UniqueConstraint(
                fields=["tenant", "name"], name="tracked_link_name_once", condition=Q(deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tag(self) -> str:
        """What an email writes where an address stands."""
        return f"{{{{ links.{self.key} }}}}"
