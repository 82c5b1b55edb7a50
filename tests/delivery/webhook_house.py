"""Short verbs for the webhooks of a tenant."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import itertools
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from content.operations.webhook_versions import webhook_version
from content.webhooks import Header, definition
from core.db.cursors import raw_cursor
from crm.models import Contact
from delivery.models import OutgoingWebhook
from delivery.operations.webhooks import send_webhooks
from delivery.webhooks.queue import NewWebhook, queue_webhooks
from tests.delivery.conftest import NOW, House
from tests.fixtures.receiver import Got

STEP = uuid4()
BODY = '{"email": "{{ contact.email }}", "text": "Hi {{ contact.first_name }}!"}'
_participants = itertools.count(700_000)
MINUTE = dt.timedelta(minutes=1)


def queue(
    house: House,
    *contacts: Contact,
    url: str,
    body: str = BODY,
    method: str = "POST",
    headers: tuple[Header, ...] = (),
    step: UUID = STEP,
    event: Mapping[str, Any] | None = None,
) -> list[OutgoingWebhook]:
    """Queue one request each, and return the rows."""
    made = definition(method=method, url=url, headers=headers, body=body)
    with house.scope(), raw_cursor() as cursor:
        version = webhook_version(cursor, tenant_id=house.tenant.pk, step_id=step, definition=made, now=NOW)
        rows = [NewWebhook(contact.pk, next(_participants), 1, event or {}) for contact in contacts]
        queue_webhooks(
            cursor, tenant_id=house.tenant.pk, stream_id=house.stream.pk, flow_id=7, step_id=step,
            content_version_id=version, rows=rows, now=NOW,
        )  # fmt: skip
        return list(OutgoingWebhook.objects.order_by("-id")[: len(rows)])[::-1]


def send(house: House, after: dt.timedelta = dt.timedelta()) -> int:
    return send_webhooks(tenant_id=house.tenant.pk, now=NOW + after).tried


def row(house: House, hook: OutgoingWebhook) -> OutgoingWebhook:
    with house.scope():
        found = OutgoingWebhook.objects.get(pk=hook.pk)
    assert found.reserved_by is None
    return found


def signed_by(got: Got, key: str) -> bool:
    """Check a signature as a receiver does."""
    told = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mac = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), told, "sha256")
    return got.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
