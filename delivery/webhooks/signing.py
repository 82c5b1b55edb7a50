"""Signatures of outgoing webhooks, as Standard Webhooks (standardwebhooks.com) writes them, and the tenant's key.

Receivers check `webhook-signature`: v1 and the base64 of HMAC-SHA256 over "<webhook-id>.<webhook-timestamp>.<body>".
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import secrets

from core.secrets import SecretLost, seal, unseal
from delivery.models import WebhookSecret

PURPOSE = "webhook-secret"
PREFIX = "whsec_"


def new_key() -> str:
    """Return a new key as receivers write it down."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signing_key(now: dt.datetime) -> str:
    """Return the open tenant's key; the first call makes it. A key that cannot be read any more is made anew."""
    made = new_key()
    secret, is_new = WebhookSecret.objects.get_or_create(
        name="", defaults={"value": seal(made, purpose=PURPOSE), "changed_at": now}
    )
    if is_new:
        return made
    try:
        return unseal(secret.value, purpose=PURPOSE)
    except SecretLost:
        WebhookSecret.objects.filter(pk=secret.pk).update(value=seal(made, purpose=PURPOSE), changed_at=now)
        return made


def signed_headers(*, key: str, delivery_id: str, body: bytes, at: dt.datetime) -> dict[str, str]:
    """Return the three headers by which a receiver knows that a request is ours, which one it is, and how old."""
    timestamp = str(int(at.timestamp()))
    told = f"{delivery_id}.{timestamp}.".encode() + body
    mac = hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), told, "sha256")
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
