"""Who was merged into whom: what the merged contact was known by, for old links and for erasing all of a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantForeignKey, TenantModel


class MergedContact(TenantModel):
    """`merged_id` is an empty tombstone now; it was this person, who is `contact` today. Goes when they are erased."""

    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="merged")
    merged_id = models.BigIntegerField()
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_norm = models.CharField(max_length=320, blank=True, db_collation="C")
    mobile = models.CharField(max_length=20, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "merged_id"], name="merged_once")]
        indexes = [
            models.Index(fields=["tenant", "contact"], name="merged_into"),
            models.Index(
                fields=["tenant", "email_norm"], name="merged_by_email", condition=~models.Q(email_norm="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or f"#{self.merged_id}"
