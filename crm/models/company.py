"""A company. Category, business and our contact belong to it, and so to all its contacts."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantForeignKey, TenantModel


class Company(TenantModel):
    """A company that contacts work for."""

    name = models.CharField(max_length=200)
    name_norm = models.CharField(max_length=400, db_collation="C")
    category = TenantForeignKey(
        "crm.ListItem", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    business = TenantForeignKey(
        "crm.ListItem", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    our_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    phone = models.CharField(max_length=20, blank=True)
    website = models.URLField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="company_name_once")]
        indexes = [
            models.Index(fields=["tenant", "name_norm", "id"], name="company_by_name"),
            models.Index(fields=["tenant", "our_contact", "id"], name="company_of_user"),
        ]

    def __str__(self) -> str:
        return self.name
