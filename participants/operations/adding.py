"""Add contacts to a flow by hand: a few at once, a selection of a million as a job in slices.

A slice commits its cursor and its verdicts together, so a crash repeats nothing. The token comes with the form:
the same form sent twice is the same job.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.db import connection, transaction

from accounts.audit import write_audit
from accounts.models import User
from core.models import Job
from core.tenancy import require_tenant_id
from crm.models import Contact, SelectionMember
from flows.models import Flow
from participants.operations.enrol import Source, suggest
from participants.words import GONE

KIND: Final = "participants.add"
AT_ONCE: Final = 2_000
SLICE: Final = 5_000


class FlowClosed(Exception):
    """The flow is not running or paused: nobody can be added."""


@transaction.atomic
def start_adding(
    *,
    flow_id: int,
    token: str,
    actor: User,
    now: dt.datetime,
    selection_id: int | None = None,
    contact_ids: Sequence[int] = (),
) -> Job:
    """Suggest the members of a selection, or these contacts; return the job with its result so far.

    Up to AT_ONCE contacts are judged right here; for more the caller wakes `participants.add_contacts` after the
    commit. Raises FlowClosed, Flow.DoesNotExist.
    """
    _one_at_a_time(actor)
    made = Job.objects.filter(kind=KIND, created_by=actor, arguments__token=token).first()
    if made is not None:
        return made
    flow = Flow.objects.get(pk=flow_id, deleted_at=None)
    if flow.status == Flow.Status.NOT_RUNNING:
        raise FlowClosed(f"{flow.name} is not running, so nobody can be added.")
    ids = sorted(set(contact_ids))[:AT_ONCE]
    job = Job.objects.create(
        kind=KIND,
        title=f"Adding contacts to {flow.name}"[:200],
        arguments={"token": token, "flow": flow_id, "selection": selection_id, "contacts": ids},
        cursor={"after": 0},
        total=SelectionMember.objects.filter(selection_id=selection_id).count() if selection_id else len(ids),
        created_by=actor,
        created_at=now,
        updated_at=now,
    )
    write_audit(
        actor=actor,
        action="flow.add_contacts",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload={"selection": selection_id, "contacts": job.total},
    )
    if job.total <= AT_ONCE:
        add_slice(job_id=job.pk, now=now)
        job.refresh_from_db()
    return job


@transaction.atomic
def add_slice(*, job_id: int, now: dt.datetime) -> bool:
    """Judge and enrol the next contacts of a job; say whether there are more. Another worker's slice is left alone."""
    job = Job.objects.select_for_update(skip_locked=True).filter(pk=job_id, kind=KIND).first()
    if job is None or job.is_over:
        return False
    after = int(job.cursor["after"])
    ids = _next_contacts(job, after)
    selection = job.arguments["selection"]
    source = Source("selection" if selection else "manual", id=selection, actor_id=job.created_by_id)
    found = suggest(flow_id=job.arguments["flow"], contact_ids=ids, source=source, now=now)
    verdicts = Counter(job.result.get("verdicts", {}))
    verdicts.update({str(verdict): number for verdict, number in found.verdicts.items()})
    gone = len(ids) - sum(found.verdicts.values())
    if gone:
        verdicts.update({GONE: gone})
    more = len(ids) == SLICE
    job.result = {"verdicts": dict(verdicts)}
    job.cursor = {"after": ids[-1] if ids else after}
    job.done += len(ids)
    job.status = Job.Status.RUNNING if more else Job.Status.DONE
    # Members who came or went meanwhile: what was judged is the truth.
    job.total = max(job.total, job.done) if more else job.done
    job.updated_at = now
    job.save(update_fields=["result", "cursor", "done", "total", "status", "updated_at"])
    return more


def _next_contacts(job: Job, after: int) -> list[int]:
    if job.arguments["selection"]:
        members = SelectionMember.objects.filter(
            selection_id=job.arguments["selection"], contact_id__gt=after
        )
        return list(members.order_by("contact_id").values_list("contact_id", flat=True)[:SLICE])
    ids = [one for one in job.arguments["contacts"] if one > after][:SLICE]
    return sorted(Contact.objects.filter(pk__in=ids).values_list("pk", flat=True))


def _one_at_a_time(actor: User) -> None:
    """The second click of a double click waits for the first and then finds its job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s)",
            [f"{KIND}:{require_tenant_id()}", actor.pk % 2**31],
        )
