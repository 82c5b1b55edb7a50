"""Sending webhooks in commits of their own: rescue · reserve · render · call · settle. At least once.

What a dead process held is free again, so a request may be made twice; its delivery id and its body are the same both
times. Address, method and headers are the step's newest at every try.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from accounts.models import Tenant
from core import clock
from core.backoff import next_try
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from delivery.models import OutgoingWebhook
from delivery.processes import is_dead, living_process
from delivery.webhooks.base import Answer, WebhookRequest
from delivery.webhooks.rendering import NotRendered, WebhookJob, webhook_renderer
from delivery.webhooks.signing import signed_headers, signing_key

BATCH: Final = 32
# Of one step in a batch: a receiver that is slow holds up its own step more than the others.
OF_ONE_STEP: Final = 16
HANDS: Final = 8
BODY: Final = "body"
# A quarter of a minute first, six hours at last: about two days in all.
MAX_ATTEMPTS: Final = 14
_BASE_SECONDS, _CAP_SECONDS = 30.0, 6 * 3600.0
DOWN_SECONDS: Final = 30.0
# How soon a paused flow's requests are looked at again.
HELD_SECONDS: Final = 30.0
KEPT_DAYS: Final = 30
Status = OutgoingWebhook.Status

# Locked first, then chosen: FOR UPDATE and window functions exclude each other. Of a paused flow they are put off for a
# moment, so that they stand in nobody's way; of one that was ended since (also if it runs again) they are cancelled.
_RESERVE = """
WITH locked AS MATERIALIZED (
    SELECT id, step_id, due_at, stream_id, epoch FROM delivery_outgoingwebhook
    WHERE tenant_id = %(tenant)s AND status = 'queued' AND reserved_by IS NULL AND due_at <= %(now)s
    ORDER BY due_at, id LIMIT 1000 FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT l.id, l.step_id, l.due_at, l.epoch <> s.epoch OR s.state = 'closed' AS ended, s.state = 'held' AS held
    FROM locked l LEFT JOIN delivery_stream s ON s.tenant_id = %(tenant)s AND s.id = l.stream_id
), aside AS (
    UPDATE delivery_outgoingwebhook w SET
        status = CASE WHEN d.ended THEN 'cancelled' ELSE w.status END,
        error = CASE WHEN d.ended THEN 'The flow was ended.' ELSE w.error END,
        tried_at = CASE WHEN d.ended THEN %(now)s ELSE w.tried_at END,
        due_at = CASE WHEN d.ended THEN w.due_at ELSE %(later)s END
    FROM due d WHERE w.tenant_id = %(tenant)s AND w.id = d.id AND (d.ended OR d.held)
), turns AS (
    SELECT id, row_number() OVER (PARTITION BY step_id ORDER BY due_at, id) AS turn FROM due
    WHERE ended IS NOT TRUE AND held IS NOT TRUE
)
UPDATE delivery_outgoingwebhook w SET reserved_by = %(me)s
FROM (SELECT id FROM turns WHERE turn <= %(of_step)s ORDER BY turn, id LIMIT %(limit)s) t
WHERE w.tenant_id = %(tenant)s AND w.id = t.id
RETURNING w.id, w.uuid, w.content_version_id, w.contact_id, w."values", w.attempts, w.step_id
"""
# A body that left the house stays what it is: the receiver knows the id, and two bodies under one would be two facts.
_KEEP = """
UPDATE delivery_outgoingwebhook w SET "values" = w."values" || jsonb_build_object('body', g.body)
FROM unnest(%s::bigint[], %s::text[]) AS g(id, body)
WHERE w.tenant_id = %s AND w.id = g.id AND w.reserved_by = %s AND w.status = 'queued'
"""
_SETTLE = """
UPDATE delivery_outgoingwebhook w SET status = CASE WHEN w.status = 'queued' THEN g.status ELSE w.status END,
    code = g.code, error = g.error, attempts = g.attempts, due_at = coalesce(g.due_at, w.due_at),
    tried_at = %s::timestamptz, reserved_by = NULL
FROM unnest(%s::bigint[], %s::text[], %s::smallint[], %s::text[], %s::smallint[], %s::timestamptz[])
     AS g(id, status, code, error, attempts, due_at)
WHERE w.tenant_id = %s AND w.id = g.id AND w.reserved_by = %s
"""
# What else is due at a receiver that does not answer waits with it: others have their turn meanwhile.
_PUT_OFF = """
UPDATE delivery_outgoingwebhook w SET due_at = %s
FROM (SELECT id FROM delivery_outgoingwebhook
      WHERE tenant_id = %s AND step_id = ANY(%s::uuid[]) AND status = 'queued' AND reserved_by IS NULL AND due_at <= %s
      LIMIT 5000 FOR UPDATE SKIP LOCKED) t
WHERE w.tenant_id = %s AND w.id = t.id
"""
_OVER = """
DELETE FROM delivery_outgoingwebhook WHERE tenant_id = %s AND id IN (
    SELECT id FROM delivery_outgoingwebhook WHERE tenant_id = %s AND status <> 'queued' AND tried_at < %s
    LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Reserved:
    """A request that this process holds."""

    id: int
    uuid: Any
    content_version_id: int
    contact_id: int
    values: dict[str, Any]
    attempts: int
    step_id: Any


@dataclass(frozen=True, slots=True)
class Called:
    """What one turn did. `more` says that another turn may find work at once."""

    tried: int = 0
    more: bool = False


def send_webhooks(*, tenant_id: int, now: dt.datetime | None = None, limit: int = BATCH) -> Called:
    """Make at most `limit` due requests of one tenant. Must not run inside a transaction."""
    tenant = Tenant.objects.get(pk=tenant_id)
    now = now or clock.now() + tenant.clock_offset
    _rescue(tenant_id)
    with living_process() as process:
        held = _reserve(tenant_id, process, now, limit)
        if not held:
            _forget_old(tenant_id, now)
            return Called()
        requests = _prepare(tenant_id, process, held, now)
        with ThreadPoolExecutor(max_workers=HANDS) as hands:
            answers = list(hands.map(_made, (requests[item.id] for item in held)))
        _settle(tenant_id, process, held, answers, now)
        return Called(len(held), more=True)


def _rescue(tenant_id: int) -> None:
    """Let go of what dead processes held."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT reserved_by FROM delivery_outgoingwebhook"
            " WHERE tenant_id = %s AND reserved_by IS NOT NULL",
            [tenant_id],
        )
        dead = [number for (number,) in cursor.fetchall() if is_dead(cursor, number)]
        if dead:
            cursor.execute(
                "UPDATE delivery_outgoingwebhook SET reserved_by = NULL"
                " WHERE tenant_id = %s AND reserved_by = ANY(%s::bigint[])",
                [tenant_id, dead],
            )


def _reserve(tenant_id: int, process: int, now: dt.datetime, limit: int) -> list[Reserved]:
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        later = now + dt.timedelta(seconds=HELD_SECONDS)
        wanted = {"tenant": tenant_id, "now": now, "me": process, "limit": limit, "of_step": OF_ONE_STEP}
        cursor.execute(_RESERVE, {**wanted, "later": later})
        return sorted((Reserved(*row) for row in cursor.fetchall()), key=lambda item: item.id)


def _prepare(
    tenant_id: int, process: int, held: Sequence[Reserved], now: dt.datetime
) -> dict[int, WebhookRequest | NotRendered]:
    """Render, keep the bodies and sign, in one transaction that ends before the first request is made."""
    with tenant_scope(tenant_id):
        jobs = [WebhookJob(item.id, item.content_version_id, item.contact_id, item.values) for item in held]
        found = webhook_renderer()(jobs)
        key = signing_key(now)
        _keep_bodies(tenant_id, process, held, found)
    return {item.id: _signed(found[item.id], item, key) for item in held}


def _keep_bodies(
    tenant_id: int, process: int, held: Sequence[Reserved], found: Mapping[int, WebhookRequest | NotRendered]
) -> None:
    new = [item.id for item in held if BODY not in item.values and isinstance(found[item.id], WebhookRequest)]
    bodies = [made.body.decode() for one in new if isinstance(made := found[one], WebhookRequest)]
    if new:
        with raw_cursor() as cursor:
            cursor.execute(_KEEP, [new, bodies, tenant_id, process])


def _signed(made: WebhookRequest | NotRendered, item: Reserved, key: str) -> WebhookRequest | NotRendered:
    if isinstance(made, NotRendered):
        return made
    body = item.values[BODY].encode() if made.body and BODY in item.values else made.body
    # The real time: receivers refuse old timestamps, and a trial's clock may be ahead.
    signed = signed_headers(key=key, delivery_id=f"msg_{item.uuid.hex}", body=body, at=clock.now())
    return WebhookRequest(made.method, made.url, {**made.headers, **signed}, body)


def _made(made: WebhookRequest | NotRendered) -> Answer | NotRendered:
    # Here, so that only workers load it.
    from delivery.webhooks.client import call

    return made if isinstance(made, NotRendered) else call(made)


def _settle(
    tenant_id: int,
    process: int,
    held: Sequence[Reserved],
    answers: Sequence[Answer | NotRendered],
    now: dt.datetime,
) -> None:
    rows = [_row(item, answer, now) for item, answer in zip(held, answers, strict=True)]
    pairs = zip(held, answers, strict=True)
    down = {item.step_id for item, answer in pairs if isinstance(answer, Answer) and answer.is_down}
    with tenant_scope(tenant_id), transaction.atomic(), raw_cursor() as cursor:
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(_SETTLE, [now, *columns, tenant_id, process])
        if down:
            later = now + dt.timedelta(seconds=DOWN_SECONDS)
            cursor.execute(_PUT_OFF, [later, tenant_id, sorted(down), now, tenant_id])


Row = tuple[int, str, int | None, str, int, dt.datetime | None]


def _row(item: Reserved, answer: Answer | NotRendered, now: dt.datetime) -> Row:
    attempts = item.attempts + 1
    code = answer.code if isinstance(answer, Answer) else None
    error = answer.error[:300]
    if isinstance(answer, NotRendered) and answer.is_erased:
        return item.id, Status.CANCELLED, code, error, item.attempts, None
    if isinstance(answer, Answer) and answer.is_good:
        return item.id, Status.DELIVERED, code, "", attempts, None
    if answer.is_final or attempts >= MAX_ATTEMPTS:
        return item.id, Status.FAILED, code, error, attempts, None
    again = next_try(attempt=attempts - 1, now=now, base_seconds=_BASE_SECONDS, cap_seconds=_CAP_SECONDS)
    return item.id, Status.QUEUED, code, error, attempts, again


def _forget_old(tenant_id: int, now: dt.datetime) -> None:
    """Delete what was over a month ago, some at a time."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        cursor.execute(_OVER, [tenant_id, tenant_id, now - dt.timedelta(days=KEPT_DAYS)])


@transaction.atomic
def try_failed_again(*, flow_id: int, step_id: Any, now: dt.datetime) -> int:
    """Queue the failed requests of a step anew; return how many. Inside the tenant's scope."""
    failed = OutgoingWebhook.objects.filter(flow_id=flow_id, step_id=step_id, status=Status.FAILED)
    return failed.update(status=Status.QUEUED, due_at=now, attempts=0)
