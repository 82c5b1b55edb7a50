"""The lists that an administrator edits: category, business, interest, title and the values of list fields."""

from __future__ import annotations

from django.db import models

from core.models import TenantForeignKey, TenantModel


class ListItem(TenantModel):
    """One value of a list. Retired values keep working where they are used, and cannot be chosen anew."""

    class List(models.TextChoices):
        CATEGORY = "category", "Category"
        BUSINESS = "business", "Business"
        INTEREST = "interest", "Interest"
        FOLLOW_UP_TYPE = "follow_up_type", "Follow-up type"
        CUSTOM = "custom", "Custom field"

    list = models.CharField(max_length=20, choices=List)
    field = TenantForeignKey(
        "crm.CustomField", on_delete=models.CASCADE, null=True, blank=True, related_name="items"
    )
    name = models.CharField(max_length=120)
    name_norm = models.CharField(max_length=240, db_collation="C")
    rank = models.IntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "list", "field", "name_norm"], name="list_item_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="only_custom_items_have_a_field",
                condition=models.Q(list="custom", field__isnull=False)
                | (~models.Q(list="custom") & models.Q(field=None)),
            ),
        ]
        ordering = ["list", "rank", "name"]

    def __str__(self) -> str:
        return self.name
