"""The SMS of a trial, beside its mails: read them, and answer STOP or START as their recipient would."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from core.signing import BadToken
from delivery.sms import reply_address
from delivery.tokens import Purpose, read_message_token
from trial.sms_box import CaughtSms, SmsBox
from trial.views.mailbox import PER_PAGE, trial_only


def _box() -> SmsBox:
    return SmsBox(settings.HOME / "sms")


@trial_only
@require_GET
def sms_list(request: HttpRequest) -> HttpResponse:
    """Show the SMS, newest first, with search by number, sender and text."""
    search = request.GET.get("q", "")
    pages = Paginator(_box().all(search), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    return render(request, "trial/sms_list.html", {"page": page, "search": search})


@trial_only
@require_POST
def sms_reply(request: HttpRequest, sms_id: str) -> HttpResponse:
    """Answer an SMS: the sink signs the answer and hands it in as Twilio would."""
    sms = _box().get(sms_id)
    if sms is None:
        raise Http404
    text = request.POST.get("text", "")[:160]
    if _answered(sms, text):
        messages.success(request, f"{sms.to} answered “{text}”.")
    else:
        messages.error(request, "The answer could not be handed in.")
    return redirect("mailbox:sms")


def _answered(sms: CaughtSms, text: str) -> bool:
    """Say whether the sink handed the answer in. The SMS's own callback names its tenant."""
    try:
        ref = read_message_token(Purpose.SMS_STATUS, sms.callback.rpartition("/")[2])
    except BadToken:
        return False
    fields = {"sid": sms.id, "text": text, "address": reply_address(ref.tenant_id)}
    data = urllib.parse.urlencode(fields).encode()
    try:
        with urllib.request.urlopen(f"{settings.SMS_API_URL}/reply", data=data, timeout=10):  # noqa: S310 - the sink
            return True
    except (urllib.error.URLError, OSError):
        return False


@trial_only
@require_POST
def sms_empty(request: HttpRequest) -> HttpResponse:
    """Throw all SMS away."""
    _box().empty()
    return redirect("mailbox:sms")
