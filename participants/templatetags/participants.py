"""Words of participants in templates."""

from __future__ import annotations

from django import template

from participants.figures import reason_label

register = template.Library()


@register.filter
def drop_label(reason: str) -> str:
    """Return a drop-out reason as people read it."""
    return reason_label(reason)
