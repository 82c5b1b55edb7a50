"""{% criteria_editor criteria prefix="criteria" %}: the editor, to be put inside any form (docs/how-to)."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from crm.criteria.drawing import WITHOUT, Drawer
from crm.criteria.schema import Criteria

register = template.Library()


@register.inclusion_tag("crm/criteria/editor.html", takes_context=True)
def criteria_editor(
    context: Context,
    criteria: Criteria | None,
    prefix: str = "criteria",
    zone: str = "",
    show_problems: bool = False,
    without: str = "",
) -> dict[str, Any]:
    """Draw the editor with these criteria. `zone` is the timezone of "today" for the live count; `without` says what no
    criteria mean here (a key of WITHOUT)."""
    return {
        "tenant": context["tenant"],
        "prefix": prefix,
        "zone": zone,
        "without": without,
        "without_words": WITHOUT.get(without, WITHOUT[""]),
        "view": Drawer(prefix, show_problems=show_problems).draw(criteria or Criteria()),
    }
