"""The request as tenant pages see it: the middleware has put tenant and membership on it."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from accounts.models import Membership, Tenant, User


class TenantRequest(HttpRequest):
    """For annotations of views under /t/<slug>/ only; the middleware sets the attributes."""

    user: User
    tenant: Tenant
    member: Membership
    htmx: HtmxDetails
