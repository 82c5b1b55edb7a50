"""Who stands where, for the designer: a step with people in it may not vanish, and a save says what it does to whom
(settings.FLOWS_OCCUPANCY, FLOWS_INSIDE, FLOWS_EXCLUDED)."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from crm.models import SelectionMember
from flows.occupancy import Inside
from participants.models import Participant


def step_occupancy(flow_id: int) -> dict[uuid.UUID, int]:
    """Return how many active participants stand on each step of a flow; those before the first step are left out.

    One aggregate over the flow's active participants; asked only when a draft of a saved flow changes.
    """
    active = _active(flow_id).filter(step_id__isnull=False)
    return {step: count for step, count in active.values_list("step_id").annotate(count=Count("id")) if step}


def people_inside(flow_id: int) -> Inside:
    """Return where the active participants are, waiting or not; one aggregate."""
    rows = list(
        _active(flow_id)
        .values_list("step_id")
        .annotate(standing=Count("id"), begun=Count("id", filter=Q(waiting=True)))
    )
    return Inside(
        at={step: count for step, count, _ in rows if step},
        waiting={step: waiting for step, _, waiting in rows if step and waiting},
        before=sum(count for step, count, _ in rows if step is None),
    )


def excluded_inside(flow_id: int, selections: Collection[int]) -> int:
    """Return how many active participants are members of any of these static selections."""
    member = SelectionMember.objects.filter(selection_id__in=selections, contact_id=OuterRef("contact_id"))
    return _active(flow_id).filter(Exists(member)).count()


def _active(flow_id: int) -> QuerySet[Participant]:
    return Participant.objects.filter(flow_id=flow_id, status=Participant.Status.ACTIVE).order_by()
