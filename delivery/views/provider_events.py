"""The email providers' door: what became of mails. Whatever the tenant's own account did not send is refused.

The tenant stands in our own signed token in the address, so its scope opens before the first query. Each event is
a transaction of its own: what was told before one that fails stays, and told again it changes nothing.
"""

from __future__ import annotations

import time
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.guards import outside_transaction
from accounts.queries import tenant_now
from core import clock
from core.secrets import SecretLost
from core.signing import BadToken
from core.tenancy import tenant_scope
from delivery.channels.provider import ProviderAccount
from delivery.email_account import account_of
from delivery.models import EmailConnector
from delivery.operations.provider_events import note_heard, note_provider_event
from delivery.provider_events import Forged, Unreadable, read_events
from delivery.sns import NotNow
from delivery.tokens import Purpose, read_message_token

# A request with more events than this time allows is answered so that it comes again; it goes on where it ended.
SECONDS: Final = 8.0


@outside_transaction
@csrf_exempt
@never_cache
@require_http_methods(["POST", "HEAD"])
def events(request: HttpRequest, token: str) -> HttpResponse:
    """Take what a provider tells. HEAD is how some of them try the address."""
    try:
        tenant_id = read_message_token(Purpose.PROVIDER_EVENTS, token).tenant_id
        told = read_events(_account(tenant_id), request) if request.method == "POST" else None
    except (BadToken, Forged, SecretLost):
        return HttpResponse(status=403)
    except Unreadable:
        return HttpResponse(status=400)
    except NotNow:
        return HttpResponse(status=503, headers={"Retry-After": "20"})
    if told is None:
        return HttpResponse()
    ends = time.monotonic() + SECONDS
    with tenant_scope(tenant_id):
        note_heard(topic=told.topic, now=clock.now())
    for event in told.events:
        if time.monotonic() > ends:
            return HttpResponse(status=503, headers={"Retry-After": "5"})
        with tenant_scope(tenant_id):
            note_provider_event(event=event, tenant_id=tenant_id, now=tenant_now(tenant_id))
    return HttpResponse()


def _account(tenant_id: int) -> ProviderAccount:
    with tenant_scope(tenant_id):
        connector = EmailConnector.objects.first()
    if connector is None:
        raise Forged("The tenant has no provider.")
    return account_of(connector)
