"""How entries of the audit log read."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def audit_words(action: str) -> str:
    """Return "Member deactivated" for "member.deactivated"."""
    return action.replace(".", " ").replace("_", " ").capitalize()


@register.filter
def pretty_json(payload: Any) -> str:
    """Return a payload as indented JSON."""
    return json.dumps(payload, indent=2, ensure_ascii=False, sort_keys=True)
