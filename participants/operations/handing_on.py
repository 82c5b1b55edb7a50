"""What a marketer does with the people of a flow: put them into a selection, or suggest them for another flow. Their
participation here stays as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.bulk import add_to_selection as add_members
from crm.events import Origin
from flows.models import Flow
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from participants.operations.members import audit


class NoSuchTarget(ValueError):
    """The selection or flow does not exist, or takes nobody."""


def _contacts(flow_id: int, participant_ids: Sequence[int]) -> list[int]:
    mine = Participant.objects.filter(flow_id=flow_id, pk__in=participant_ids)
    return sorted(set(mine.values_list("contact_id", flat=True)))


@transaction.atomic
def add_to_selection(
    *, flow_id: int, participant_ids: Sequence[int], target: int, actor: User, now: dt.datetime
) -> int:
    """Make the contacts of these participants members of a static selection; returns how many are new in it."""
    with raw_cursor() as cursor:
        added = add_members(
            cursor,
            tenant_id=require_tenant_id(),
            selection_id=target,
            contact_ids=_contacts(flow_id, participant_ids),
            now=now,
            origin=Origin.BULK,
            actor_id=actor.pk,
        )
    if added:
        audit(actor, "participant.added_to_selection", flow_id, participant_ids)
    return len(added)


@transaction.atomic
def suggest_for_flow(
    *, flow_id: int, participant_ids: Sequence[int], target: int, actor: User, now: dt.datetime
) -> int:
    """Suggest the contacts of these participants for another flow, whose rules decide; returns how many entered.

    Raises NoSuchTarget for a flow that is not running or paused.
    """
    other = Flow.objects.exclude(status=Flow.Status.NOT_RUNNING).filter(pk=target, deleted_at=None).first()
    if other is None or other.pk == flow_id:
        raise NoSuchTarget("That flow takes nobody: it is not running.")
    found = suggest(
        flow_id=other.pk,
        contact_ids=_contacts(flow_id, participant_ids),
        source=Source("manual", actor_id=actor.pk),
        now=now,
    )
    audit(actor, "participant.suggested", flow_id, participant_ids)
    return found.enrolled
