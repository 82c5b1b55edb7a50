"""The tenant's messages that were given up (try again), and those of which nobody knows whether they came (decide)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.queries.reach import contacts_for
from delivery.models import Message
from delivery.operations.undelivered import count_as_sent, send_unconfirmed_again, try_again
from delivery.operations.undelivered import unconfirmed as not_confirmed
from delivery.operations.undelivered import undelivered as given_up
from delivery.reasons import reason_words
from delivery.views.blocked import CHANGERS, READERS
from delivery.waiting import waiting_messages


@require_safe
@needs(*READERS)
def undelivered(request: TenantRequest, tenant: str) -> HttpResponse:
    """List what was given up, newest first."""
    page = keyset_page(given_up(), by=["-id"], query=request.GET)
    waiting = waiting_messages(now=tenant_now(request.tenant.pk))
    told = {
        "page": page,
        "lines": _lines(request, page.rows),
        "waiting": waiting,
        "some": not_confirmed().exists(),
    }
    return render(request, "delivery/undelivered.html", told)


@require_safe
@needs(*READERS)
def unconfirmed(request: TenantRequest, tenant: str) -> HttpResponse:
    """List what was handed over and never confirmed, newest first."""
    page = keyset_page(not_confirmed(), by=["-id"], query=request.GET)
    told = {"page": page, "lines": _lines(request, page.rows)}
    return render(request, "delivery/unconfirmed.html", told)


def _lines(request: TenantRequest, rows: list[Message]) -> list[tuple[Message, object, str]]:
    """Return each message with its contact, if the member may see it, and the reason in words."""
    ids = {row.contact_id for row in rows if row.contact_id}
    people = {contact.pk: contact for contact in contacts_for(request.member).filter(pk__in=ids)}
    return [(row, people.get(row.contact_id or 0), reason_words(row.reason)) for row in rows]


@require_POST
@needs(*CHANGERS)
def again(request: TenantRequest, tenant: str) -> HttpResponse:
    """Queue one message that was given up again, or all."""
    ids, back = _chosen(request), redirect(turl(request.tenant, "delivery:undelivered"))
    if ids is None and request.POST.get("message") != "all":
        messages.error(request, "Choose a message.")
        return back
    number = try_again(ids=ids, actor=request.user, now=tenant_now(request.tenant.pk))
    if number:
        messages.success(request, f"{_messages(number)} queued again.")
    else:
        messages.warning(request, "There is nothing to try again any more.")
    return back


@require_POST
@needs(*CHANGERS)
def decide(request: TenantRequest, tenant: str) -> HttpResponse:
    """Take unknown messages, one or all, for sent; or queue one of them again."""
    ids, back = _chosen(request), redirect(turl(request.tenant, "delivery:unconfirmed"))
    actor, now = request.user, tenant_now(request.tenant.pk)
    how = request.POST.get("as", "")
    if how not in {"sent", "again"} or (
        ids is None and (how, request.POST.get("message")) != ("sent", "all")
    ):
        messages.error(request, "Choose a message, and what is to be done with it.")
        return back
    if how == "sent":
        number, done = count_as_sent(ids=ids, actor=actor, now=now), "counted as sent."
    else:
        number, done = send_unconfirmed_again(ids=ids or [], actor=actor, now=now), "queued again."
    if number:
        messages.success(request, f"{_messages(number)} {done}")
    else:
        messages.warning(request, "There is nothing to decide any more.")
    return back


def _chosen(request: TenantRequest) -> list[int] | None:
    """Return the one message that was named, None where none was."""
    named = request.POST.get("message", "")
    return [int(named)] if named.isascii() and named.isdigit() and len(named) < 19 else None


def _messages(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"
