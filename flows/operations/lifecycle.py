"""Start, pause, resume, end, delete. Status and stream turn in one transaction, alone behind the flow's gate: the
batches in flight finish first, and after that nobody moves by the old status.

Participants are not ours: participants.operations.lifecycle.end_flow calls `end` and cancels them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import connection, transaction

from accounts.audit import write_audit
from accounts.models import Tenant, User
from accounts.urls_for import turl
from content.operations.locks import lock_emails, unlock_emails
from core.models import Job
from core.tenancy import require_tenant_id
from crm.models import Usage
from delivery.operations.streams import close_stream, hold_stream, open_stream
from flows import validation
from flows.document import FlowDocument
from flows.locks import flow_gate_exclusive
from flows.models import Flow, FlowComment
from flows.operations import clock
from flows.operations.drafts import draft_of, keep_state, lock_draft
from flows.operations.save import save_locked
from flows.queries import newest_document
from flows.references import sent_emails


class NotReady(Exception):
    """The flow cannot start; `problems` names everything that stands in the way."""

    def __init__(self, problems: Sequence[validation.FlowProblem]) -> None:
        super().__init__(f"{len(problems)} things to fix before the flow can start.")
        self.problems = problems


# The job of a room above that cancels the participants of a flow that has ended.
ENDING_JOB = "cancel_participants"


class WrongStatus(Exception):
    """The flow is not in a status from which this can be done."""


@transaction.atomic
def start(*, flow_id: int, actor: User, now: dt.datetime) -> Flow:
    """Run the newest revision, or resume a paused flow. Running already: nothing happens.

    Raises NotReady with every problem. Events from before the start never trigger: `started_at` is set here.
    """
    flow = _locked(flow_id)
    return flow if flow.status == Flow.Status.RUNNING else _run(flow, actor, now)


resume = start


@transaction.atomic
def save_and_start(
    *,
    flow_id: int,
    base_version: int,
    actor: User,
    now: dt.datetime,
    retime: Collection[uuid.UUID] = (),
) -> Flow:
    """Save the draft (see save_draft) and run it: what the designer's Start does. Running already: nothing happens.

    Raises NotReady (then nothing is saved either), DraftConflict, IllegalEdit.
    """
    flow = _locked(flow_id)
    if flow.status == Flow.Status.RUNNING:
        return flow
    flow = lock_draft(flow_id, base_version)
    save_locked(flow=flow, actor=actor, now=now, retime=retime)
    return _run(flow, actor, now)


@transaction.atomic
def pause(*, flow_id: int, actor: User, now: dt.datetime) -> Flow:
    """Let nobody move and hold the messages. Paused already: nothing happens; raises WrongStatus when not running."""
    flow = _locked(flow_id)
    if flow.status == Flow.Status.PAUSED:
        return flow
    if flow.status != Flow.Status.RUNNING:
        raise WrongStatus("Only a running flow can be paused.")
    _set(flow, Flow.Status.PAUSED, now)
    hold_stream(stream_id=flow.stream_id)
    unlock_emails(flow_id=flow.pk)
    _audit(flow, actor, "flow.pause")
    return flow


@transaction.atomic
def end(*, flow_id: int, actor: User, now: dt.datetime) -> Flow:
    """Switch the triggers off and stop the messages. Not running already: nothing happens."""
    flow = _locked(flow_id)
    if flow.status == Flow.Status.NOT_RUNNING:
        return flow
    clock.stop(flow)
    _set(flow, Flow.Status.NOT_RUNNING, now)
    close_stream(stream_id=flow.stream_id)
    unlock_emails(flow_id=flow.pk)
    _audit(flow, actor, "flow.end")
    return flow


@transaction.atomic
def delete(*, flow_id: int, actor: User, now: dt.datetime) -> None:
    """Take the flow away, and what was written at its steps; its name stays for timelines.

    Raises WrongStatus unless it is not running, and InUse where another flow goes on to it.
    """
    flow = _locked(flow_id)
    if flow.status != Flow.Status.NOT_RUNNING:
        raise WrongStatus("End the flow before you delete it.")
    users = list(
        Usage.objects.filter(used_kind="flow", used_id=flow_id).exclude(user_id=flow_id, user_kind="flow")
    )
    if users:
        raise InUse(users)
    flow.deleted_at = now
    flow.save(update_fields=["deleted_at"])
    FlowComment.objects.filter(flow=flow).delete()
    Usage.objects.filter(user_kind="flow", user_id=flow_id).delete()
    _audit(flow, actor, "flow.delete")


class InUse(Exception):
    """Other flows use this one; `uses` says where."""

    def __init__(self, uses: Sequence[Usage]) -> None:
        super().__init__("Other flows use this flow.")
        self.uses = uses


def begins_later(flow: Flow, *, now: dt.datetime) -> bool:
    """Say whether the flow's start time is still to come."""
    return flow.starts_at is not None and now < flow.starts_at


def begin(flow: Flow, *, now: dt.datetime) -> None:
    """Let the messages of a running flow go whose start time has come. The caller holds the flow's row."""
    if flow.status == Flow.Status.RUNNING and not begins_later(flow, now=now):
        open_stream(stream_id=flow.stream_id)


@transaction.atomic
def change_start(*, flow_id: int, starts_at: dt.datetime | None, actor: User, now: dt.datetime) -> Flow:
    """Give a running flow that waits for its start time another one; None, or a moment that is past, lets it begin now.

    A new revision; what else the draft has stays there. Raises WrongStatus where nothing waits any more, NotReady.
    """
    flow = _locked(flow_id)
    if flow.status != Flow.Status.RUNNING or not begins_later(flow, now=now):
        raise WrongStatus("The flow does not wait for its start time any more.")
    document, draft = with_start(newest_document(flow.pk), starts_at), with_start(draft_of(flow), starts_at)
    found = validation.errors(validation.problems(document, now=now, flow_id=flow.pk))
    if found:
        raise NotReady(found)
    flow.draft = document.model_dump(mode="json")
    save_locked(flow=flow, actor=actor, now=now, note="Start time changed")
    keep_state(flow, draft, label="changed the start time", actor=actor, now=now)
    begin(flow, now=now)
    _audit(flow, actor, "flow.start_time")
    return flow


def with_start(document: FlowDocument, starts_at: dt.datetime | None) -> FlowDocument:
    """Return a document with another start time."""
    settings = document.settings.model_copy(update={"starts_at": starts_at})
    return document.model_copy(update={"settings": settings})


def _locked(flow_id: int) -> Flow:
    with connection.cursor() as cursor:
        flow_gate_exclusive(cursor, flow_id)
    return Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=flow_id, deleted_at=None)


def _run(flow: Flow, actor: User, now: dt.datetime) -> Flow:
    ending = Job.objects.filter(kind=ENDING_JOB, arguments__flow=flow.pk)
    if ending.filter(status__in=[Job.Status.WAITING, Job.Status.RUNNING]).exists():
        raise WrongStatus("The flow is still being ended. Start it when its participants are cancelled.")
    if not flow.revision:
        raise NotReady([validation.FlowProblem("", "Flow", "Save the flow before you start it")])
    document = newest_document(flow.pk)
    found = validation.errors(validation.problems(document, now=now, flow_id=flow.pk))
    if found:
        raise NotReady(found)
    resumed = flow.status == Flow.Status.PAUSED
    if not resumed:
        flow.started_at = now
        clock.wind(flow, document, now=now, anew=True)
    _set(flow, Flow.Status.RUNNING, now)
    # Before its start time a flow behaves as paused: what is queued waits too; the flow's clock opens the stream then.
    if begins_later(flow, now=now):
        hold_stream(stream_id=flow.stream_id)
    else:
        open_stream(stream_id=flow.stream_id)
    tenant = Tenant.objects.get(pk=require_tenant_id())
    emails = sent_emails(document)
    url = turl(tenant, "flows:edit", flow.pk)
    lock_emails(flow_id=flow.pk, flow_name=flow.name, email_ids=emails, url=url)
    _audit(flow, actor, "flow.resume" if resumed else "flow.start")
    return flow


def _set(flow: Flow, status: Flow.Status, now: dt.datetime) -> None:
    flow.status, flow.status_since, flow.updated_at = status, now, now
    flow.save(update_fields=["status", "status_since", "started_at", "updated_at", *clock.FIELDS])


def _audit(flow: Flow, actor: User, action: str) -> None:
    write_audit(actor=actor, action=action, object_kind="flow", object_id=flow.pk, object_name=flow.name)
