"""Save: the draft becomes a numbered revision, and everything that other rooms read of a flow is refreshed.

Rows written: one FlowRevision, a Step each, a Usage each, the stream. Under the flow's gate, so no batch sees half.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

from django.db import connection, transaction

from accounts.audit import write_audit
from accounts.models import User
from content.operations.connect import connect_emails
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.operations.streams import apply_settings, put_forward
from delivery.queue import cancel_messages_of_steps
from delivery.webhooks.queue import cancel_webhooks_of_steps
from flows.comparing.compare import compare
from flows.comparing.words import in_short
from flows.document import FlowDocument
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit
from flows.locks import flow_gate_exclusive
from flows.models import Flow, FlowRevision, Step
from flows.occupancy import check_change, resettler, step_occupancy
from flows.operations import clock
from flows.operations.consent import audit_override
from flows.operations.drafts import draft_of, lock_draft
from flows.operations.usage import refresh_usage
from flows.queries import newest_document
from flows.references import sent_emails
from flows.steps.table import STEP_KINDS
from flows.validation import is_valid_settings


@transaction.atomic
def save_draft(
    *,
    flow_id: int,
    base_version: int,
    actor: User,
    now: dt.datetime,
    note: str = "",
    retime: Collection[uuid.UUID] = (),
) -> FlowRevision:
    """Save the draft as the next revision and return it; unchanged since the newest one, that one is returned.

    `note` says what the revision is for; without one it says what changed. `retime` names waits whose change counts
    for those who wait there already.

    Raises DraftConflict, NotEditable (running), IllegalEdit (somebody stands where the draft has nothing left).
    """
    with connection.cursor() as cursor:
        flow_gate_exclusive(cursor, flow_id)
    flow = lock_draft(flow_id, base_version)
    return save_locked(flow=flow, actor=actor, now=now, note=note, retime=retime)


def save_locked(
    *,
    flow: Flow,
    actor: User,
    now: dt.datetime,
    note: str = "",
    retime: Collection[uuid.UUID] = (),
) -> FlowRevision:
    """Save a flow whose gate and row the caller holds; see `save_draft`."""
    document = checked(draft_of(flow))
    if flow.revision and newest_document(flow.pk) == document:
        return FlowRevision.objects.get(flow=flow, number=flow.revision)
    before = newest_document(flow.pk) if flow.revision else document
    if flow.revision:
        check_change(before, document, step_occupancy(flow.pk))
    note = note or what_changed(flow, document)
    flow.revision += 1
    revision = FlowRevision.objects.create(
        flow=flow, number=flow.revision, document=flow.draft, note=note, created_at=now, created_by=actor
    )
    flow.starts_at = document.settings.starts_at
    flow.enrolment_ends_at = document.settings.enrolment_ends_at
    flow.updated_at = now
    if flow.status != Flow.Status.NOT_RUNNING:
        clock.wind(flow, document, now=now, anew=False)
    flow.save(update_fields=["revision", "starts_at", "enrolment_ends_at", "updated_at", *clock.FIELDS])
    gone = _refresh_steps(flow, document, now)
    _resettle(flow, before, document, gone, retime, now)
    _tell_kinds(document, now)
    refresh_usage(flow, document)
    refresh_stream(flow, document)
    if _sends_at_other_times(before, document):
        put_forward(stream_id=flow.stream_id, now=now)
    connect_emails(flow_id=flow.pk, email_ids=sent_emails(document))
    write_audit(
        actor=actor,
        action="flow.save",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload={"revision": flow.revision, "retimed": [str(step) for step in retime]},
    )
    audit_override(flow, before if flow.revision > 1 else None, document, actor=actor)
    return revision


def what_changed(flow: Flow, document: FlowDocument) -> str:
    """Return in one line what differs from the newest revision, as the list of revisions shows it."""
    if not flow.revision:
        return ""
    newest = newest_document(flow.pk)
    return in_short(compare(newest, document), newest, document, most=250)


def _refresh_steps(flow: Flow, document: FlowDocument, now: dt.datetime) -> list[uuid.UUID]:
    """Steps keep their id for ever: one that was removed stays for the sums, one that comes back is revived. Returns
    those that were removed."""
    nodes = list(document.walk())
    ids = [node.id for node in nodes]
    if Step.objects.filter(pk__in=ids).exclude(flow=flow).exists():
        raise IllegalEdit("A step of another flow cannot be saved in this one.")
    gone = list(
        Step.objects.filter(flow=flow, removed_at=None).exclude(pk__in=ids).values_list("pk", flat=True)
    )
    Step.objects.filter(pk__in=gone).update(removed_at=now)
    if gone:
        with raw_cursor() as cursor:
            cancel_messages_of_steps(cursor, tenant_id=require_tenant_id(), flow_id=flow.pk, step_ids=gone)
            cancel_webhooks_of_steps(cursor, tenant_id=require_tenant_id(), flow_id=flow.pk, step_ids=gone)
    Step.objects.bulk_create(
        [
            Step(id=node.id, flow=flow, kind=node.kind, title=node.title[:200], rank=rank)
            for rank, node in enumerate(nodes)
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["kind", "title", "rank", "removed_at"],
    )
    return gone


def _resettle(
    flow: Flow,
    before: FlowDocument,
    document: FlowDocument,
    gone: Sequence[uuid.UUID],
    retime: Collection[uuid.UUID],
    now: dt.datetime,
) -> None:
    """Tell the room of the participants whom the save moves on, re-times or judges by other success criteria."""
    waits = [
        node
        for node in document.walk()
        if node.id in retime and STEP_KINDS[node.kind].is_wait and is_valid_settings(node)
    ]
    success = (before.success, before.settings.move_to_finish) != (
        document.success,
        document.settings.move_to_finish,
    )
    anew = _tried_anew(before, document)
    if not gone and not waits and not success and not anew:
        return
    retimed = {
        node.id: bool(STEP_KINDS[node.kind].listens_to(node) or STEP_KINDS[node.kind].waits_for(node))
        for node in waits
    }
    resettler()(
        flow_id=flow.pk,
        revision=flow.revision,
        removed=gone,
        retimed=retimed,
        anew=anew,
        success=success,
        now=now,
    )


def _sends_at_other_times(before: FlowDocument, document: FlowDocument) -> bool:
    was, now = before.settings, document.settings
    return (was.messages.timeframe, was.timezone) != (now.messages.timeframe, now.timezone)


def _tried_anew(before: FlowDocument, document: FlowDocument) -> list[uuid.UUID]:
    """Return the steps where whoever is held is to be tried anew: the timeframe counts for everyone from the save, so
    does a step whose action is still to be done."""
    others = _sends_at_other_times(before, document)
    was = {node.id: node.settings for node in before.walk()}
    return [
        node.id
        for node in document.walk()
        if node.id in was and ((others and STEP_KINDS[node.kind].channel) or was[node.id] != node.settings)
    ]


def _tell_kinds(document: FlowDocument, now: dt.datetime) -> None:
    """What is queued already takes the newest content, so a kind that keeps some does so at the save."""
    with raw_cursor() as cursor:
        for node in document.walk():
            STEP_KINDS[node.kind].saved(node, cursor=cursor, tenant_id=require_tenant_id(), now=now)


def refresh_stream(flow: Flow, document: FlowDocument) -> None:
    """Message settings count for everyone from the save, so the stream has them."""
    settings = document.settings
    messages = settings.messages.model_dump(mode="json")
    apply_settings(
        stream_id=flow.stream_id,
        name=flow.name,
        timezone=settings.timezone,
        timeframe=messages["timeframe"],
        subscription_type_id=settings.messages.subscription_type,
        override_consent=settings.messages.override_consent,
        sender=messages["sender"],
        reply_to=messages["reply_to"],
        sms_sender=settings.messages.sms_sender,
        utm_source=settings.messages.utm_source,
        utm_campaign=settings.messages.utm_campaign,
        exclusions=settings.exclusions,
    )
