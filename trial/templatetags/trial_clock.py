"""How far a trial's clock is ahead, in words."""

from __future__ import annotations

import datetime as dt

from django import template

register = template.Library()


@register.filter
def ahead(offset: dt.timedelta) -> str:
    """Return "2 days 3 hours" for a duration."""
    hours = int(offset.total_seconds() // 3600)
    parts = [(hours // 24, "day"), (hours % 24, "hour")]
    return (
        " ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count) or "0 hours"
    )
