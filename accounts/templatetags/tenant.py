"""{% turl %}, a link inside the tenant, and the filter `may`: has the member any of these rights?"""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from accounts.models import Membership
from accounts.rights import Right
from accounts.settings_pages import settings_links
from accounts.urls_for import turl as turl_of

register = template.Library()


@register.simple_tag(takes_context=True)
def turl(context: Context, name: str, *args: Any, **kwargs: Any) -> str:
    """Return the path of a page of the request's tenant: {% turl 'flows:edit' flow.id %}."""
    return turl_of(context["tenant"], name, *args, **kwargs)


@register.filter
def may(member: Membership | None, rights: str) -> bool:
    """Say whether the member has any of these rights: {% if member|may:"flow_administrator,export" %}."""
    return member is not None and member.may(*(Right(right.strip()) for right in rights.split(",")))


@register.inclusion_tag("accounts/settings_nav.html", takes_context=True)
def settings_nav(context: Context) -> dict[str, Any]:
    """Draw the navigation of the settings."""
    return {"links": settings_links(context["member"], context["request"].path)}
