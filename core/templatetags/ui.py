"""Small helpers of templates: icons of the sprite, query strings that keep the rest, dates people read."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "", classes: str = "") -> SafeString:
    """Draw an icon of the sprite (frontend/icons.txt); a label makes it speak, without one it is decoration."""
    speech = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon {}" {}><use href="{}#{}"></use></svg>',
        classes,
        speech,
        static("bundle/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return the page's query string with these changes; an empty value takes the name out. {% query sort='name' %}"""
    current: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        current.pop(name, None)
        if value not in (None, ""):
            current[name] = str(value)
    encoded = current.urlencode()
    return f"?{encoded}" if encoded else "?"


_TOAST_ICONS = {"success": "check-circle", "error": "warning-circle", "warning": "warning"}


@register.filter
def toast_icon(level: str) -> str:
    """Return the icon of a message's level."""
    return _TOAST_ICONS.get(level, "info")


@register.filter
def initials(name: object) -> str:
    """Return up to two capital letters of a name: "Alice Wong" -> "AW"."""
    words = str(name).split("@")[0].replace(".", " ").split()
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()
