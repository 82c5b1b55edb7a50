"""Drawing comments: a number for each form, by which what is sent twice is written once."""

from __future__ import annotations

import uuid

from django import template

register = template.Library()


@register.simple_tag
def once() -> str:
    """Return a number that was never there."""
    return str(uuid.uuid4())
