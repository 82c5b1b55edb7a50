"""{% bell %}: the way to one's notifications, with how many are unread. One query a page."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from accounts.urls_for import turl
from core.tenancy import current_tenant_id
from crm.queries.notifications import MOST_COUNTED, unread_count

register = template.Library()


@register.inclusion_tag("shell/bell.html", takes_context=True)
def bell(context: Context) -> dict[str, Any]:
    """Draw the bell inside a tenant; outside one (sign-in, errors) there is none."""
    member, tenant = context.get("member"), context.get("tenant")
    if not member or not tenant or current_tenant_id() != tenant.pk:
        return {"url": ""}
    count = unread_count(member.user_id)
    url = turl(tenant, "crm:notifications")
    return {
        "url": url,
        "count": count,
        "shown": f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count),
        "current": context["request"].path == url,
    }
