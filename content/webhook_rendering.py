"""Renders webhooks of immutable versions, many at once (settings.DELIVERY_WEBHOOKS)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from content.values import tenant_values, values_of
from content.webhooks import WITH_BODY, filled_address, filled_body
from core.db.cursors import raw_cursor
from core.secrets import SecretLost, unseal
from core.tenancy import require_tenant_id
from crm.models import Contact
from delivery.models import WebhookSecret
from delivery.webhooks.base import WebhookRequest
from delivery.webhooks.rendering import NotRendered, WebhookJob
from delivery.webhooks.signing import PURPOSE

MOST_BYTES = 256 * 1024
_NEWEST = """
SELECT DISTINCT ON (v.id) v.id, n.definition, n.custom_keys FROM content_webhookversion v
JOIN content_webhookversion n ON n.tenant_id = v.tenant_id AND n.step_id = v.step_id
WHERE v.tenant_id = %s AND v.id = ANY(%s::bigint[])
ORDER BY v.id, n.number DESC
"""
ERASED = NotRendered("The person was erased.", is_erased=True)


def render_webhooks(jobs: Sequence[WebhookJob]) -> dict[int, WebhookRequest | NotRendered]:
    """Render requests of the open tenant scope, each with its step's newest definition."""
    with raw_cursor() as cursor:
        cursor.execute(_NEWEST, [require_tenant_id(), sorted({job.content_version_id for job in jobs})])
        newest = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    paths = {path for _, keys in newest.values() for path in keys}
    ids = [job.contact_id for job in jobs]
    alive = set(Contact.objects.filter(pk__in=ids, deleted_at=None).values_list("pk", flat=True))
    contacts = values_of(ids, paths=paths)
    secrets = _secrets([made for made, _ in newest.values()])
    us = tenant_values()
    result: dict[int, WebhookRequest | NotRendered] = {}
    for job in jobs:
        if job.contact_id not in alive:
            result[job.webhook_id] = ERASED
        elif job.content_version_id not in newest:
            result[job.webhook_id] = NotRendered("The step no longer exists.")
        else:
            context = {**contacts[job.contact_id], "tenant": us, "event": job.values.get("event") or {}}
            result[job.webhook_id] = _render(newest[job.content_version_id][0], context, secrets)
    return result


def _secrets(definitions: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the secrets that the definitions name; those that are gone or cannot be read are left out."""
    ids = {header["secret"] for made in definitions for header in made["headers"] if "secret" in header}
    found = {}
    for secret in WebhookSecret.objects.filter(pk__in=ids):
        try:
            found[secret.pk] = unseal(secret.value, purpose=PURPOSE)
        except SecretLost:
            continue
    return found


def _render(
    made: Mapping[str, Any], context: Mapping[str, Any], secrets: Mapping[int, str]
) -> WebhookRequest | NotRendered:
    headers = {"Content-Type": "application/json"} if made["method"] in WITH_BODY else {}
    for header in made["headers"]:
        if "secret" in header and header["secret"] not in secrets:
            # Somebody may give it again: the request waits.
            return NotRendered(f"The secret for {header['name']} is not there.", is_final=False)
        headers[header["name"]] = secrets[header["secret"]] if "secret" in header else header["value"]
    try:
        url = filled_address(made["url"], context)
        body = filled_body(made["body"], context) if made["method"] in WITH_BODY else b""
    except Exception as error:  # noqa: BLE001 - a writer's template: its faults are the request's, not the batch's
        return NotRendered(f"{type(error).__name__}: {error}"[:300])
    if len(body) > MOST_BYTES:
        return NotRendered("The body is larger than 256 KB.")
    return WebhookRequest(made["method"], url, headers, body)
