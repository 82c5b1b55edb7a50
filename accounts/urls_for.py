"""URLs of tenant pages, for Python; templates use {% turl %}."""

from __future__ import annotations

from typing import Any

from django.urls import NoReverseMatch, reverse

from accounts.models import Tenant


def turl(tenant: Tenant | str, name: str, *args: Any, **kwargs: Any) -> str:
    """Return the path of a tenant's page: turl(request.tenant, "flows:edit", flow.pk)."""
    slug = tenant.slug if isinstance(tenant, Tenant) else tenant
    if kwargs:
        return reverse(name, kwargs={"tenant": slug, **kwargs})
    return reverse(name, args=[slug, *args])


def first_turl(tenant: Tenant | str, *names: str) -> str:
    """Return the path of the first of these pages that exists: rooms below name pages of rooms above by text."""
    for name in names:
        try:
            return turl(tenant, name)
        except NoReverseMatch:
            continue
    return ""
