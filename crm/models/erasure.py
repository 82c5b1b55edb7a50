"""Who asked to be erased: keyed digests of their addresses, so that an import does not bring them back."""

from __future__ import annotations

from django.db import models

from core.models import TenantModel


class ErasureKey(TenantModel):
    """The tenant's secret that digests are keyed with; without it an address cannot be tried out."""

    key = models.BinaryField(max_length=32)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant"], name="erasure_key_once")]


class ErasedAddress(TenantModel):
    """The digest of an address whose owner was erased."""

    digest = models.BinaryField(max_length=32)
    erased_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "digest"], name="erased_address_once")]
