"""Custom fields by type, their values in typed rows (JSON cannot use an index under row-level security)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.models import TenantForeignKey, TenantModel


class CustomField(TenantModel):
    """A field that the tenant added to contacts or companies."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        MONEY = "money", "Money"
        DATE = "date", "Date"
        BOOL = "bool", "Yes/no"
        LIST = "list", "List"

    class On(models.TextChoices):
        CONTACT = "contact", "Contact"
        COMPANY = "company", "Company"

    on = models.CharField(max_length=10, choices=On)
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    type = models.CharField(max_length=10, choices=Type)
    rank = models.IntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "on", "key"], name="custom_field_key_once"),
            models.UniqueConstraint(fields=["tenant", "on", "name"], name="custom_field_name_once"),
        ]
        ordering = ["on", "rank", "name"]

    def __str__(self) -> str:
        return self.name


class FieldValue(TenantModel):
    """The value of a custom field; exactly the column of the field's type is set, no row means empty."""

    field = TenantForeignKey(CustomField, on_delete=models.CASCADE, related_name="+")
    value_text = models.TextField(null=True)
    value_norm = models.TextField(null=True, db_collation="C")
    value_number = models.DecimalField(max_digits=19, decimal_places=4, null=True)
    value_date = models.DateField(null=True)
    value_bool = models.BooleanField(null=True)
    value_item = TenantForeignKey("crm.ListItem", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(TenantModel.Meta):
        abstract = True


class ContactFieldValue(FieldValue):
    """A contact's value of a custom field."""

    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="field_values")

    class Meta(FieldValue.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "contact", "field"], name="contact_value_once"),
            models.CheckConstraint(
                name="contact_value_is_set",
                condition=Q(value_text__isnull=False)
                | Q(value_number__isnull=False)
                | Q(value_date__isnull=False)
                | Q(value_bool__isnull=False)
                | Q(value_item__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "field", "value_norm"], name="contact_value_text"),
            models.Index(fields=["tenant", "field", "value_date"], name="contact_value_date"),
        ]


class CompanyFieldValue(FieldValue):
    """A company's value of a custom field."""

    company = TenantForeignKey("crm.Company", on_delete=models.CASCADE, related_name="field_values")

    class Meta(FieldValue.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "company", "field"], name="company_value_once"),
            models.CheckConstraint(
                name="company_value_is_set",
                condition=Q(value_text__isnull=False)
                | Q(value_number__isnull=False)
                | Q(value_date__isnull=False)
                | Q(value_bool__isnull=False)
                | Q(value_item__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["tenant", "field", "value_norm"], name="company_value_text")]
