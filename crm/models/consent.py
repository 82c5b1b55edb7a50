"""Consent (opt-in per purpose) and subscriptions (opt-out per type)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import HotTenantModel, TenantForeignKey, TenantModel

E_MARKETING = "e-marketing"


class ConsentPurpose(TenantModel):
    """What a contact may consent to; `e-marketing` is always there."""

    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="purpose_key_once")]

    def __str__(self) -> str:
        return self.name


class Consent(TenantModel):
    """What counts now: the newest record of a contact for a purpose. No row means no consent."""

    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="consents")
    purpose = TenantForeignKey(ConsentPurpose, on_delete=models.PROTECT, related_name="+")
    given = models.BooleanField()
    legal_basis = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "contact", "purpose"], name="consent_once")]


class ConsentChange(HotTenantModel):
    """The log of consents: every record, as it came, with its proof: the words that were agreed to, and when a mail to
    the person's own address confirmed it (double opt-in)."""

    contact = TenantForeignKey(
        "crm.Contact", on_delete=models.DO_NOTHING, related_name="consent_changes", hot=True
    )
    purpose = TenantForeignKey(ConsentPurpose, on_delete=models.DO_NOTHING, related_name="+", hot=True)
    given = models.BooleanField()
    legal_basis = models.CharField(max_length=80, blank=True)
    source = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()
    wording = models.CharField(max_length=250, blank=True, db_default="")
    confirmed_at = models.DateTimeField(null=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )

    class Meta(HotTenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "contact", "-at"], name="consent_log")]


class SubscriptionType(TenantModel):
    """A kind of message that a contact may opt out of."""

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=250, blank=True)
    rank = models.IntegerField(default=0)
    retired = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="subscription_type_once")]
        ordering = ["rank", "name"]

    def __str__(self) -> str:
        return self.name


class SubscriptionOptOut(TenantModel):
    """A contact does not want messages of this type. No row means that they accept."""

    contact = TenantForeignKey("crm.Contact", on_delete=models.CASCADE, related_name="opt_outs")
    type = TenantForeignKey(SubscriptionType, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "contact", "type"], name="opt_out_once")]
