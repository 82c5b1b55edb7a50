"""Sales: what a contact may buy, how far it is, and how it ended."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel
from crm.models.choices import SaleStage, SaleType


class Sale(TenantModel):
    """A sale to a contact. Its company is the contact's of the day it was made, and stays where the contact goes.

    Status and stage are changed by crm.operations.sales and crm.bulk.sales only, which write the events.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        SOLD = "sold", "Sold"
        LOST = "lost", "Lost"
        STALLED = "stalled", "Stalled"

    contact = TenantForeignKey("crm.Contact", on_delete=models.PROTECT, related_name="sales", db_index=False)
    company = TenantForeignKey(
        "crm.Company", on_delete=models.PROTECT, null=True, related_name="sales", db_index=False
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    title = models.CharField(max_length=200)
    type = TenantForeignKey(SaleType, on_delete=models.PROTECT, related_name="+")
    stage = TenantForeignKey(SaleStage, on_delete=models.PROTECT, null=True, related_name="+")
    amount = models.DecimalField(max_digits=17, decimal_places=2, default=0)
    currency = models.CharField(max_length=3)
    probability = models.PositiveSmallIntegerField(default=0)
    description = models.TextField(blank=True)
    project = TenantForeignKey(
        "crm.Project", on_delete=models.SET_NULL, null=True, blank=True, related_name="sales"
    )
    date = models.DateField()
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    reason = models.CharField(max_length=200, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # What made it, as plain ids: flows and participants lie above, and may go.
    origin = models.CharField(max_length=20)
    flow_id = models.BigIntegerField(null=True)
    participant_id = models.BigIntegerField(null=True)
    # Given by the form that makes it, so that a form sent twice makes one sale.
    form_key = models.UUIDField(null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "form_key"], name="sale_of_form_once"),
            models.CheckConstraint(name="sale_per_cent", condition=Q(probability__lte=100)),
            models.CheckConstraint(
                name="a_closed_sale_says_when",
                condition=Q(status__in=["sold", "lost"], closed_at__isnull=False)
                | Q(status__in=["open", "stalled"], closed_at=None),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="sale_newest"),
            models.Index(fields=["tenant", "date", "id"], name="sale_by_date"),
            models.Index(fields=["tenant", "status", "-id"], name="sale_by_status"),
            models.Index(fields=["tenant", "owner", "-id"], name="sale_of_owner"),
            models.Index(fields=["tenant", "contact", "-id"], name="sale_of_contact"),
            models.Index(fields=["tenant", "company", "-id"], name="sale_of_company"),
        ]

    def __str__(self) -> str:
        return self.title
