"""A message as it was sent: for whoever may see the contact that got it."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from content.queries_sent import SentMessage, sent_message
from content.safe_html import mail_response
from content.views.attachments import handed_out
from crm.queries.reach import get_contact
from delivery.reasons import Fate, fates_of


def _message(request: TenantRequest, contact_id: int, message_id: int) -> SentMessage:
    found = sent_message(get_contact(request.member, contact_id), message_id)
    if found is None:
        raise Http404
    return found


@require_safe
def message(request: TenantRequest, tenant: str, contact_id: int, message_id: int) -> HttpResponse:
    """Show what was sent, when, and what became of it."""
    sent = _message(request, contact_id, message_id)
    fates = fates_of([sent.message], now=tenant_now(request.tenant.pk))
    context = {"sent": sent, "fate": fates.get(sent.message.pk, Fate())}
    return render(request, "content/message.html", context)


@require_safe
def message_frame(request: TenantRequest, tenant: str, contact_id: int, message_id: int) -> HttpResponse:
    """The mail itself, for the frame of that page alone."""
    sent = _message(request, contact_id, message_id)
    if not sent.html:
        raise Http404
    return mail_response(sent.html, framed=True)


@require_safe
def message_file(
    request: TenantRequest, tenant: str, contact_id: int, message_id: int, number: int
) -> HttpResponseBase:
    """Hand out a file that went with the message, by its place."""
    files = _message(request, contact_id, message_id).files
    if not 0 < number <= len(files):
        raise Http404
    return handed_out(request, files[number - 1])
