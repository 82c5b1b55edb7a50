"""New flows: from blank, and as a copy of another."""

from __future__ import annotations

import datetime as dt
from itertools import chain, count

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Membership, Tenant, User
from core.tenancy import require_tenant_id
from delivery.operations.streams import make_stream
from flows.document import FlowDocument, FlowSettings, MessageSettings, Sender
from flows.editing.tree import fresh_document
from flows.models import DraftState, Flow, FlowFolder
from flows.operations.consent import within_rights
from flows.operations.drafts import draft_of
from flows.operations.own_content import own_document
from flows.operations.usage import note_draft_usage
from flows.visibility import copy_viewers


@transaction.atomic
def create_flow(
    *,
    name: str,
    owner: User,
    now: dt.datetime,
    timezone: str = "UTC",
    folder: FlowFolder | None = None,
    document: FlowDocument | None = None,
) -> Flow:
    """Make a flow that is not running and has a draft only: the given document, or a blank one that writes from the
    tenant's own address."""
    draft = (document or blank_document(timezone)).model_dump(mode="json")
    flow = Flow.objects.create(
        name=name,
        folder=folder,
        owner=owner,
        status_since=now,
        draft=draft,
        draft_by=owner,
        draft_label="new flow",
        stream=make_stream(name=name),
        created_at=now,
        updated_at=now,
    )
    DraftState.objects.create(
        flow=flow, number=0, document=draft, label="new flow", created_at=now, created_by=owner
    )
    if document is not None:
        note_draft_usage(flow, document)
    write_audit(actor=owner, action="flow.create", object_kind="flow", object_id=flow.pk, object_name=name)
    return flow


def blank_document(timezone: str) -> FlowDocument:
    """Return an empty document that writes from the tenant's own address."""
    tenant = Tenant.objects.get(pk=require_tenant_id())
    sender = Sender(name=tenant.from_name or tenant.name, email=tenant.from_email)
    return FlowDocument(settings=FlowSettings(timezone=timezone, messages=MessageSettings(sender=sender)))


@transaction.atomic
def copy_flow(*, flow: Flow, actor: User, now: dt.datetime) -> Flow:
    """Copy a flow as its draft is: its emails are copied (see own_document), selections are shared; the copy is not
    running and has no participants and no revisions. It belongs to the actor and is no more widely visible;
    without the right to override consent it does not do so."""
    copy = create_flow(name=copy_name(flow.name), owner=actor, now=now, folder=flow.folder)
    wanted = within_rights(fresh_document(draft_of(flow)), actor)
    document = own_document(wanted, flow_id=copy.pk, actor=actor, now=now)
    copy.description, copy.visibility = flow.description, _visibility_of_copy(flow, actor)
    copy.draft = document.model_dump(mode="json")
    copy.save(update_fields=["description", "draft", "visibility"])
    copy_viewers(flow=flow, copy=copy)
    DraftState.objects.filter(flow=copy).update(document=copy.draft)
    note_draft_usage(copy, document)
    return copy


def _visibility_of_copy(flow: Flow, actor: User) -> str:
    """Return the flow's *visible for*; "the owner's group" only where that group is the new owner's too."""
    if flow.visibility == Flow.Visibility.GROUP and flow.owner_id != actor.pk:
        groups = Membership.objects.filter(user__in=[flow.owner_id, actor.pk]).values_list(
            "group_id", flat=True
        )
        if len(set(groups)) > 1:
            return Flow.Visibility.OWNER
    return flow.visibility


def copy_name(name: str) -> str:
    """Return a name for a copy that fits the column and that no flow has: Welcome (copy), Welcome (copy 2), …"""
    stem = name[:108]
    taken = set(Flow.objects.filter(deleted_at=None, name__startswith=stem).values_list("name", flat=True))
    numbered = (f"{stem} (copy {number})" for number in count(2))
    return next(free for free in chain([f"{stem} (copy)"], numbered) if free not in taken)
