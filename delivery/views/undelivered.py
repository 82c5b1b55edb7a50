"""The tenant's messages that were given up: list, try again."""

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
from delivery.operations.undelivered import try_again
from delivery.operations.undelivered import undelivered as given_up
from delivery.views.blocked import CHANGERS, READERS
from delivery.waiting import waiting_messages


@require_safe
@needs(*READERS)
def undelivered(request: TenantRequest, tenant: str) -> HttpResponse:
    """List what was given up, newest first."""
    page = keyset_page(given_up(), by=["-id"], query=request.GET)
    ids = {row.contact_id for row in page.rows if row.contact_id}
    people = {contact.pk: contact for contact in contacts_for(request.member).filter(pk__in=ids)}
    lines = [(row, people.get(row.contact_id or 0)) for row in page.rows]
    waiting = waiting_messages(now=tenant_now(request.tenant.pk))
    return render(request, "delivery/undelivered.html", {"page": page, "lines": lines, "waiting": waiting})


@require_POST
@needs(*CHANGERS)
def again(request: TenantRequest, tenant: str) -> HttpResponse:
    """Queue one message again, or all."""
    chosen = request.POST.get("message", "")
    ids = [int(chosen)] if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else None
    if ids is None and chosen != "all":
        messages.error(request, "Choose a message.")
        return redirect(turl(request.tenant, "delivery:undelivered"))
    number = try_again(ids=ids, actor=request.user, now=tenant_now(request.tenant.pk))
    if number:
        messages.success(request, f"{number:,} message{'' if number == 1 else 's'} queued again.")
    else:
        messages.warning(request, "There is nothing to try again any more.")
    return redirect(turl(request.tenant, "delivery:undelivered"))
