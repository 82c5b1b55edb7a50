"""Who stands where, for the designer: a step with people in it may not vanish (settings.FLOWS_OCCUPANCY)."""

from __future__ import annotations

import uuid

from django.db.models import Count

from participants.models import Participant


def step_occupancy(flow_id: int) -> dict[uuid.UUID, int]:
    """Return how many active participants stand on each step of a flow; those before the first step are left out.

    One aggregate over the flow's active participants; asked only when a draft of a saved flow changes.
    """
    active = Participant.objects.filter(
        flow_id=flow_id, status=Participant.Status.ACTIVE, step_id__isnull=False
    )
    return {step: count for step, count in active.values_list("step_id").annotate(count=Count("id")) if step}
