"""Small helpers of templates: icons of the sprite, query strings that keep the rest, dates people read."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.forms import BaseForm, BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=2048)
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


@register.filter
def sentence_case(text: str) -> str:
    """Return a library's title in the house's case: "Two-Factor Authentication" -> "Two-factor authentication".

    Words all in capitals stay as they are."""
    first, *rest = re.split(r"(?<=[\s-])", text.strip())
    return first + "".join(word if word.strip().isupper() else word.lower() for word in rest)


@register.filter
def sentence_labels(form: BaseForm) -> BaseForm:
    """Give a library's form labels in the house's case."""
    for field in form.fields.values():
        if field.label:
            field.label = sentence_case(str(field.label))
    return form


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Say whether the field is one box, whose label stands beside it."""
    return isinstance(field.field.widget, CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Say whether the field is a group of boxes or radio buttons, which needs a legend."""
    return isinstance(field.field.widget, RadioSelect | CheckboxSelectMultiple)


@register.filter
def described(field: BoundField) -> SafeString:
    """Draw the field's widget, tied to its error (Django ties the help text itself)."""
    attrs: dict[str, Any] = {}
    if sentence_case(field.field.widget.attrs.get("placeholder", "")) == sentence_case(str(field.label)):
        # Said by the label already; forms of libraries repeat it.
        attrs["placeholder"] = False
    if not field.errors:
        return field.as_widget(attrs=attrs)
    told = [f"{field.auto_id}_helptext"] if field.help_text else []
    return field.as_widget(attrs={**attrs, "aria-describedby": " ".join([*told, f"{field.auto_id}_error"])})


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: Context, name: str, title: str, classes: str = "") -> dict[str, Any]:
    """Draw a column's head that sorts by the query string's `sort`: {% sort_header 'name' 'Name' %}."""
    chosen = context["request"].GET.get("sort", context.get("sort", ""))
    direction = (
        "" if chosen.removeprefix("-") != name else "descending" if chosen.startswith("-") else "ascending"
    )
    turned = f"-{name}" if direction == "ascending" else name
    link = query(context, sort=turned, after="", before="")
    return {"title": title, "direction": direction, "link": link, "classes": classes}


@register.simple_tag(takes_context=True)
def moment(context: Context, at: dt.datetime | None, empty: str = "–") -> SafeString:
    """Draw a moment as people say it, exact in the tenant's timezone on hover."""
    if at is None:
        return SafeString(conditional_escape(empty))
    tenant = context.get("tenant")
    local = at.astimezone(ZoneInfo(tenant.timezone if tenant else "UTC"))
    return format_html(
        '<local-time datetime="{}" title="{}">{}</local-time>',
        at.isoformat(),
        local.strftime("%A %-d %B %Y, %H:%M:%S %Z"),
        local.strftime("%-d %b %Y, %H:%M"),
    )
