"""Twilio's doors: status of a message, and replies. Whatever is not signed by the tenant's own account is refused.

The tenant stands in our own signed token in the address, so its scope opens before the first query.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from accounts.queries import tenant_now
from core.signing import BadToken
from core.tenancy import tenant_scope
from delivery.operations.sms_replies import answer_to, note_sms_status, take_sms_reply
from delivery.sms import sms_account
from delivery.tokens import Purpose, read_message_token

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
View = Callable[[HttpRequest, str], HttpResponse]


def _refuses_forgeries(view: View) -> View:
    """Decorate a view: only POST, no session, and a token that is not ours is answered with 403."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        try:
            return view(request, token)
        except BadToken:
            return HttpResponse(status=403)

    return wrapped


@_refuses_forgeries
def status(request: HttpRequest, token: str) -> HttpResponse:
    """Take a status callback of one message."""
    ref = read_message_token(Purpose.SMS_STATUS, token)
    with tenant_scope(ref.tenant_id):
        if not _is_signed(request):
            return HttpResponse(status=403)
        code = request.POST.get("ErrorCode", "")
        note_sms_status(
            ref=ref,
            provider_id=request.POST.get("MessageSid", ""),
            told=request.POST.get("MessageStatus", ""),
            code=int(code) if code.isascii() and code.isdigit() and len(code) < 9 else 0,
            now=tenant_now(ref.tenant_id),
        )
    return HttpResponse(status=204)


@_refuses_forgeries
def reply(request: HttpRequest, token: str) -> HttpResponse:
    """Take an answer that somebody wrote. Twilio itself answers STOP, START and HELP, unless the account had that
    switched off and its tenant says so: then we do."""
    tenant_id = read_message_token(Purpose.SMS_REPLY, token).tenant_id
    with tenant_scope(tenant_id):
        if not _is_signed(request):
            return HttpResponse(status=403)
        number, kind = request.POST.get("From", ""), request.POST.get("OptOutType", "")
        answer = MessagingResponse()
        if _NUMBER.fullmatch(number):
            text = request.POST.get("Body", "")[:200]
            word = take_sms_reply(number=number, text=text, opt_out_type=kind, now=tenant_now(tenant_id))
            told = answer_to(word=word, number=number, opt_out_type=kind)
            if told:
                answer.message(told)
    return HttpResponse(answer.to_xml(), content_type="text/xml")


def _is_signed(request: HttpRequest) -> bool:
    """Say whether the tenant's Twilio account signed the request: the address is the public one, byte for byte."""
    account = sms_account()
    if account is None or request.POST.get("AccountSid") != account.account.sid:
        return False
    address = f"{settings.PUBLIC_URL}{request.get_full_path()}"
    signature = request.headers.get("X-Twilio-Signature", "")
    return bool(RequestValidator(account.account.token).validate(address, request.POST, signature))
