"""The flows that content belongs to or acts beside, seen from below: they lie above, settings name who knows them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Membership
from content.actions import ContactActions


def flow_name(member: Membership, flow_id: int | None) -> str | None:
    """Return the name of a flow that the member may see, or None."""
    if flow_id is None:
        return None
    name: str | None = _visible(member).filter(pk=flow_id).values_list("name", flat=True).first()
    return name


def hidden_flows(member: Membership) -> set[int]:
    """Return the ids of the flows that the member may not see, and so neither their content nor their names."""
    visible = _visible(member)
    everything = visible.model.objects.filter(deleted_at=None)
    return set(everything.exclude(pk__in=visible.values("pk")).values_list("pk", flat=True))


def repeats(member: Membership, kind: str, object_id: int, actions: ContactActions) -> list[Any]:
    """Return the steps of flows that do what this `form` or `link` does by itself (flows.repeating.Repeat)."""
    found: list[Any] = import_string(settings.CONTENT_REPEATS)(member, kind, object_id, actions)
    return found


def _visible(member: Membership) -> Any:
    return import_string(settings.CONTENT_FLOWS)(member)
