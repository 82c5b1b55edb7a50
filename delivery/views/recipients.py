"""Recipients' pages: the open pixel, unsubscribing (also in one click, RFC 8058), preferences."""

from __future__ import annotations

import base64
import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from crm.models import SubscriptionOptOut, SubscriptionType
from delivery.machines import is_machine
from delivery.operations import recipients
from delivery.operations.opens import fetch_pixel
from delivery.operations.recipients import Recipient
from delivery.public import PublicRequest, for_message, for_tracking, not_found
from delivery.tokens import MessageRef, Purpose, make_message_token

PREFERENCES_FOR = dt.timedelta(days=21)
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
@for_tracking(Purpose.OPEN)
def open_pixel(request: PublicRequest, ref: MessageRef) -> HttpResponse:
    """Answer with one transparent pixel, and note that the message was opened."""
    fetch_pixel(ref, machine=is_machine(request))
    return HttpResponse(_PIXEL, content_type="image/gif")


@require_http_methods(["GET", "HEAD", "POST"])
@for_message(Purpose.UNSUBSCRIBE)
def unsubscribe(request: PublicRequest, ref: MessageRef) -> HttpResponse:
    """Show the page at GET (scanners follow links), act at POST. A mailbox provider posts without cookies."""
    if request.method != "POST":
        return _page(request, "delivery/unsubscribe.html", recipients.recipient_of(ref), ref)
    everything = request.POST.get("what") == "all"
    who = recipients.unsubscribe(ref=ref, everything=everything, now=request.now)
    return _page(request, "delivery/unsubscribed.html", who, ref, everything=everything or who.type is None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_message(Purpose.PREFERENCES)
def preferences(request: PublicRequest, ref: MessageRef) -> HttpResponse:
    """Choose among the tenant's subscription types, leave all, come back. The link is good for three weeks."""
    if ref.issued_on is None or request.now.date() - ref.issued_on > PREFERENCES_FOR:
        return render(request, "delivery/expired.html", {"sender": request.sender}, status=410)
    saved = request.method == "POST"
    who = _chosen(request, ref) if saved else recipients.recipient_of(ref)
    types = SubscriptionType.objects.filter(retired=False)
    left = set()
    if who.contact is not None:
        left = set(SubscriptionOptOut.objects.filter(contact=who.contact).values_list("type_id", flat=True))
    choices = [(kind, kind.pk not in left) for kind in types]
    return _page(request, "delivery/preferences.html", who, ref, choices=choices, saved=saved)


def _chosen(request: PublicRequest, ref: MessageRef) -> Recipient:
    action = request.POST.get("action")
    if action == "leave":
        return recipients.leave_all(ref=ref, now=request.now)
    if action == "return":
        return recipients.come_back(ref=ref, now=request.now)
    wanted = {int(value) for value in request.POST.getlist("type") if value.isdigit()}
    return recipients.choose(ref=ref, wanted=wanted, now=request.now)


def _page(
    request: PublicRequest, template: str, who: Recipient, ref: MessageRef, **more: object
) -> HttpResponse:
    context = {"sender": request.sender, "who": who, "address": masked(who), **more}
    return render(request, template, {**context, "preferences_url": _preferences_url(request, ref, who)})


def _preferences_url(request: PublicRequest, ref: MessageRef, who: Recipient) -> str | None:
    """Return the way to the preferences while the message is young enough, else None.

    Dated by the message: an old link, perhaps forwarded long ago, must not make a new one.
    """
    if request.now.date() - who.sent_on > PREFERENCES_FOR:
        return None
    dated = MessageRef(ref.tenant_id, ref.enrolled_on, ref.message_id, who.sent_on)
    return f"/m/p/{make_message_token(Purpose.PREFERENCES, dated)}"


def masked(who: Recipient) -> str:
    """Return the address as the page may show it: mails are forwarded."""
    local, at, domain = (who.contact.email if who.contact else "").rpartition("@")
    return f"{local[:2]}•••{at}{domain}" if at else ""


def missing(request: HttpRequest, path: str = "") -> HttpResponse:
    """Answer every other address below /m/."""
    return not_found(request)
