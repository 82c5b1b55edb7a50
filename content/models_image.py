"""Pictures of a tenant's emails. The bytes stand in the database: every web process has them, and every backup."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import TenantForeignKey, TenantModel


class Image(TenantModel):
    """A picture as it is shown: made anew from what was uploaded (content.pictures). `size` in bytes."""

    class Format(models.TextChoices):
        JPEG = "jpg", "JPEG"
        PNG = "png", "PNG"
        GIF = "gif", "GIF"

    name = models.CharField(max_length=120)
    alt = models.CharField(max_length=250, blank=True)
    format = models.CharField(max_length=4, choices=Format.choices)
    width = models.IntegerField()
    height = models.IntegerField()
    size = models.IntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="image_once")]
        indexes = [models.Index(fields=["tenant", "-created_at", "-id"], name="images_newest")]

    def __str__(self) -> str:
        return self.name


class ImageData(TenantModel):
    """The bytes of a picture, in a table of their own: lists never read them."""

    image = TenantForeignKey(Image, on_delete=models.CASCADE, related_name="+")
    data = models.BinaryField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "image"], name="image_data_once")]
