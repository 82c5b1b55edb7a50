"""Requests: register and change one, write into its log, close and reopen it, give it to somebody."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import search
from crm.bulk.facts import TITLE, one_line
from crm.bulk.requests import (
    LONGEST_MESSAGE,
    NewRequest,
    UnknownRequestChoice,
    assign_owners,
    create_requests,
    request_event,
)
from crm.events import Origin, record_events
from crm.models import Request, RequestCategory, RequestMessage, RequestPriority, RequestType
from crm.operations.desk import (
    ContactGone,
    changes_in_words,
    check_owner,
    columns_of,
    sent_before,
    write_words,
)

EDITABLE = ("title", "type_id", "category_id", "priority_id", "owner_id", "status")
_CHOICES: dict[str, Any] = {
    "type_id": RequestType,
    "category_id": RequestCategory,
    "priority_id": RequestPriority,
}


class NothingSaid(ValueError):
    """The message is empty."""


@transaction.atomic
def register_request(
    *, request: NewRequest, now: dt.datetime, actor_id: int | None, origin: Origin = Origin.USER
) -> Request:
    """Register a request; the same form sent again is the request that it made.

    Raises UnknownRequestChoice, NoSuchOwner or ContactGone.
    """
    check_owner(request.owner_id)
    known, row = sent_before(Request, request)
    if known is not None:
        return known
    with raw_cursor() as cursor:
        (made,) = create_requests(
            cursor, tenant_id=require_tenant_id(), rows=[row], now=now, origin=origin, actor_id=actor_id
        )
    if made is None:
        raise ContactGone("The contact was erased.")
    return Request.objects.get(pk=made)


@transaction.atomic
def update_request(
    *,
    request_id: int,
    values: Mapping[str, Any],
    now: dt.datetime,
    actor_id: int | None,
    origin: Origin = Origin.USER,
) -> bool:
    """Change fields (see EDITABLE) and say whether anything really changed.

    Writes request.closed or request.reopened where this did so, else request.updated. Raises UnknownRequestChoice and
    NoSuchOwner.
    """
    request = _locked(request_id)
    wanted = {name: value for name, value in values.items() if name in EDITABLE}
    if "title" in wanted:
        wanted["title"] = one_line(wanted["title"], TITLE) or request.title
    changed = {name: value for name, value in wanted.items() if getattr(request, name) != value}
    if not changed:
        return False
    _check(changed)
    shown = changes_in_words(request, changed)
    for name, value in changed.items():
        setattr(request, name, value)
    closes = changed.get("status") == Request.Status.CLOSED
    if "status" in changed:
        request.closed_at = now if closes else None
    request.updated_at = now
    request.save(update_fields=[*changed, "updated_at", "closed_at"])
    if "title" in changed:
        write_words(request, search.REQUEST)
    reopens = changed.get("status") == Request.Status.OPEN
    kind = "request.closed" if closes else ("request.reopened" if reopens else "request.updated")
    _record(kind, request, now, origin, actor_id, {"changed": shown})
    return True


@transaction.atomic
def close_request(*, request_id: int, now: dt.datetime, actor_id: int | None) -> bool:
    """Close a request; False where it was closed already. Writes request.closed."""
    values = {"status": Request.Status.CLOSED}
    return update_request(request_id=request_id, values=values, now=now, actor_id=actor_id)


@transaction.atomic
def reopen_request(*, request_id: int, now: dt.datetime, actor_id: int | None) -> bool:
    """Open a request again; False where it is open. Writes request.reopened."""
    values = {"status": Request.Status.OPEN}
    return update_request(request_id=request_id, values=values, now=now, actor_id=actor_id)


@transaction.atomic
def assign_by_rule(*, request_id: int, now: dt.datetime, actor_id: int | None) -> bool:
    """Give an unassigned request the owner of its category's rule; False where that gives nobody."""
    request = _locked(request_id)
    with raw_cursor() as cursor:
        given = assign_owners(cursor, tenant_id=require_tenant_id(), request_ids=[request.pk])
    if not given:
        return False
    Request.objects.filter(pk=request.pk).update(updated_at=now)
    shown = {"owner": ["", str(User.objects.get(pk=given[request.pk]))]}
    _record("request.updated", request, now, Origin.USER, actor_id, {"changed": shown})
    return True


@transaction.atomic
def add_message(
    *,
    request_id: int,
    body: str,
    is_note: bool,
    now: dt.datetime,
    author: User,
    form_key: uuid.UUID | None = None,
) -> RequestMessage:
    """Write into the log; the same form sent twice writes once. Writes request.updated. Raises NothingSaid."""
    request = _locked(request_id)
    said = body.replace("\x00", "").strip()[:LONGEST_MESSAGE]
    if not said:
        raise NothingSaid("Write something.")
    known = RequestMessage.objects.filter(form_key=form_key).first() if form_key else None
    if known and known.request_id == request_id and known.body == said:
        return known
    kind = RequestMessage.Kind.NOTE if is_note else RequestMessage.Kind.MESSAGE
    message = RequestMessage.objects.create(
        request=request,
        at=now,
        kind=kind,
        body=said,
        author=author,
        origin=Origin.USER,
        form_key=None if known else form_key,
    )
    request.updated_at = now
    request.save(update_fields=["updated_at"])
    _record("request.updated", request, now, Origin.USER, author.pk, {"message": str(kind)})
    return message


@transaction.atomic
def delete_request(*, request_id: int, now: dt.datetime, actor: User) -> None:
    """Delete a request with its log; the contact's timeline keeps what happened. Writes request.deleted. Audited."""
    request = _locked(request_id)
    _record("request.deleted", request, now, Origin.USER, actor.pk, {})
    with raw_cursor() as cursor:
        search.write_words(cursor, tenant_id=require_tenant_id(), kind=search.REQUEST, words={request.pk: ()})
    request.delete()
    write_audit(
        actor=actor,
        action="request.deleted",
        object_kind="request",
        object_id=request_id,
        object_name=request.title,
    )


def _locked(request_id: int) -> Request:
    return Request.objects.select_for_update(of=("self",)).get(pk=request_id)


def _check(changed: Mapping[str, Any]) -> None:
    for name, model in _CHOICES.items():
        if name in changed and not model.objects.filter(pk=changed[name] or 0).exists():
            raise UnknownRequestChoice("What was chosen does not exist any more.")
    if "owner_id" in changed:
        check_owner(changed["owner_id"])


def _record(
    kind: str,
    request: Request,
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
    more: Mapping[str, Any],
) -> None:
    request.refresh_from_db(fields=["type", "category", "priority"])
    names = {f"{what}_name": getattr(request, what).name for what in ("type", "category", "priority")}
    record_events(
        [
            request_event(
                kind, request.pk, columns_of(request) | names, now, origin, actor_id=actor_id, more=more
            )
        ]
    )
