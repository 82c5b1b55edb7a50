"""The look of a tenant's emails: one row a tenant, none until somebody chooses (content.brand has the defaults)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from content.models_image import Image
from core.models import TenantForeignKey, TenantModel


class Brand(TenantModel):
    """Colours as "#rrggbb"; `font` names one of content.brand.FONTS; `social` is [[network, address], …]."""

    accent = models.CharField(max_length=7)
    background = models.CharField(max_length=7)
    surface = models.CharField(max_length=7)
    ink = models.CharField(max_length=7)
    font = models.CharField(max_length=20)
    radius = models.SmallIntegerField()
    logo = TenantForeignKey(Image, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    website = models.CharField(max_length=300, blank=True)
    social = models.JSONField(default=list)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="brand_once")]
