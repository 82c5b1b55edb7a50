"""The currency of sums that name none: they were saved before one was asked for."""

from __future__ import annotations

from accounts.models import Tenant
from core.tenancy import require_tenant_id
from crm.currencies import currency_of


def own_currency() -> str:
    """Return the currency of the open tenant's country. One query."""
    return currency_of(Tenant.objects.values_list("country", flat=True).get(pk=require_tenant_id()))
