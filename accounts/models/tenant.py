"""A customer company, what it has bought and when it rests."""

from __future__ import annotations

import datetime as dt

from django.db import models

from core.models import TenantModel


class Tenant(models.Model):
    """One customer company. Global: the lookup from the URL's slug to the scope."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=60, default="UTC")
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=10, default="en")
    postal_address = models.TextField(blank=True)
    from_name = models.CharField(max_length=120, blank=True)
    from_email = models.EmailField(blank=True)
    consent_required = models.BooleanField(default=True)
    is_trial = models.BooleanField(default=False)
    # Only a trial's clock may be ahead: its owner wants to watch two days go by (accounts.operations).
    clock_offset = models.DurationField(default=dt.timedelta())
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_a_trial_clock_is_ahead",
                condition=models.Q(is_trial=True) | models.Q(clock_offset=dt.timedelta()),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Licence(TenantModel):
    """A feature that the tenant has bought."""

    class Code(models.TextChoices):
        MARKETING = "marketing", "Marketing Premium"
        SALES = "sales", "Sales"
        SERVICE = "service", "Service"
        SMS = "sms", "SMS connector"

    code = models.CharField(max_length=20, choices=Code)
    expires_on = models.DateField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="licence_once")]

    @staticmethod
    def in_force(today: dt.date) -> models.Q:
        """Return the condition that a licence has not expired."""
        return models.Q(expires_on=None) | models.Q(expires_on__gte=today)


class Holiday(TenantModel):
    """A day that is no workday for the tenant."""

    day = models.DateField()
    name = models.CharField(max_length=80)

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="holiday_once")]
        ordering = ["day"]
