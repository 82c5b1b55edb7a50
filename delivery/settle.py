"""Writes down what became of messages: one statement for the rows, one for their events, one for blocked addresses.

Facts only; when to try again and what blocks an address is decided here, talking to the outside is not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from core.backoff import next_try
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from core.text import norm_email
from crm.events import NewEvent, Origin, record_events
from delivery.channels.base import HandOver, Outcome
from delivery.holds import LONGEST, SENDER
from delivery.models import BlockedAddress, Message, SmsOptOut
from delivery.queries import came_back_again
from delivery.recheck import CANCELS, GIVES_BACK, Candidate
from delivery.rendering import Rendered
from delivery.sms import opt_out_numbers

Status = Message.Status
Cursor = psycopg.Cursor[Any]
# The first wait is half a minute to a minute, the last ones six hours: more than a day in all.
MAX_ATTEMPTS = 14
_BASE_SECONDS, _CAP_SECONDS = 60.0, 6 * 3600.0
# How long everything waits when the channel itself does not work.
DOWN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Settlement:
    """One message's new state. `event` is the kind to record, or empty."""

    candidate: Candidate
    status: str
    reason: str = ""
    error: str = ""
    event: str = ""
    attempts: int | None = None
    send_at: dt.datetime | None = None
    handed_at: dt.datetime | None = None
    rendered: Rendered | None = None
    blocks: str = ""
    reference: str = ""
    opts_out: bool = False


def refused(candidate: Candidate) -> Settlement:
    """Return the state of a message that the recheck stopped."""
    if candidate.refusal == GIVES_BACK:
        return Settlement(candidate, Status.QUEUED)
    status = Status.CANCELLED if candidate.refusal in CANCELS else Status.BLOCKED
    return Settlement(candidate, status, reason=candidate.refusal, event=f"message.{status}")


def failed(candidate: Candidate, *, reason: str, error: str) -> Settlement:
    """Return the state of a message that can never go."""
    return Settlement(candidate, Status.FAILED, reason=reason, error=error, event="message.failed")


def handed_over(
    candidate: Candidate, result: HandOver, *, rendered: Rendered, now: dt.datetime
) -> Settlement:
    """Return the state after a hand-over."""
    attempts = candidate.attempts + 1
    match result.outcome:
        case Outcome.SENT:
            return Settlement(
                candidate, Status.SENT, event="message.sent", attempts=attempts, handed_at=now,
                rendered=rendered, reference=result.reference,
            )  # fmt: skip
        case Outcome.UNKNOWN:
            return Settlement(
                candidate, Status.UNKNOWN, reason="not_confirmed", error=result.said, event="message.unknown",
                attempts=attempts, handed_at=now, rendered=rendered,
            )  # fmt: skip
        case Outcome.REFUSED | Outcome.OPTED_OUT | Outcome.FAILED:
            return _for_good(candidate, result, attempts)
        case Outcome.DOWN | Outcome.SENDER:
            return put_off(candidate, result, now=now)
        case Outcome.DEFERRED | Outcome.LOST:
            return _again(candidate, result, attempts, now)


def put_off(candidate: Candidate, result: HandOver, *, now: dt.datetime) -> Settlement:
    """Return the state of a message that waits for its channel or its sender: no try is used up."""
    if result.outcome is Outcome.SENDER:
        reason, wait = "sender_refused", SENDER
    else:
        # Whoever was told to wait goes behind the others, so that one message cannot hold them up again and again.
        seconds = max(LONGEST, result.wait) + DOWN_SECONDS if result.cause == "busy" else DOWN_SECONDS
        reason, wait = "channel_down", dt.timedelta(seconds=seconds)
    return Settlement(candidate, Status.QUEUED, reason=reason, error=result.said, send_at=now + wait)


def _for_good(candidate: Candidate, result: HandOver, attempts: int) -> Settlement:
    """Return the state of a message that was not taken and never will be."""
    if result.outcome is Outcome.OPTED_OUT:
        return Settlement(
            candidate, Status.BLOCKED, reason="sms_opt_out", error=result.said, event="message.blocked",
            attempts=attempts, opts_out=True,
        )  # fmt: skip
    if result.outcome is Outcome.FAILED:
        return Settlement(
            candidate, Status.FAILED, reason="refused", error=result.said, event="message.failed",
            attempts=attempts,
        )  # fmt: skip
    is_email = candidate.channel == Message.Channel.EMAIL
    return Settlement(
        candidate, Status.BOUNCED, reason="refused", error=result.said, event="message.bounced", attempts=attempts,
        blocks=BlockedAddress.Reason.HARD_BOUNCE if is_email else "",
    )  # fmt: skip


def _again(candidate: Candidate, result: HandOver, attempts: int, now: dt.datetime) -> Settlement:
    if attempts >= MAX_ATTEMPTS:
        return Settlement(
            candidate, Status.SOFT_BOUNCED, reason="gave_up", error=result.said, event="message.soft_bounced",
            attempts=attempts,
        )  # fmt: skip
    at = next_try(attempt=attempts - 1, now=now, base_seconds=_BASE_SECONDS, cap_seconds=_CAP_SECONDS)
    return Settlement(
        candidate, Status.QUEUED, reason="deferred", error=result.said, attempts=attempts, send_at=at
    )


# `unknown` may be settled too: another process took this one for dead and was wrong about the outcome. What was
# cancelled while it was reserved stays cancelled and is let go of; what was withdrawn while it was handed over, and was
# not taken, is not put off but cancelled.
_SETTLE = """
UPDATE delivery_message m SET
    status = CASE WHEN NOT t.applies THEN m.status WHEN t.stays_here THEN 'cancelled'
                  WHEN t.status <> 'sent' THEN t.status
                  WHEN m.first_clicked_at IS NOT NULL THEN 'clicked'
                  WHEN m.first_opened_at IS NOT NULL THEN 'opened' ELSE 'sent' END,
    reason = CASE WHEN NOT t.applies THEN m.reason WHEN t.stays_here THEN m.withdrawn ELSE t.reason END,
    error = CASE WHEN t.erased THEN '' WHEN t.applies THEN t.error ELSE m.error END, reserved_by = NULL,
    attempts = coalesce(t.attempts, m.attempts), send_at = coalesce(t.send_at, m.send_at),
    handed_at = coalesce(t.handed_at, m.handed_at),
    content_version_id = coalesce(t.version_id, m.content_version_id),
    to_address = CASE WHEN t.erased THEN '' ELSE t.address END,
    provider_id = coalesce(nullif(t.reference, ''), m.provider_id)
FROM (SELECT g.*, h.status IN ('queued', 'sending', 'unknown') AS applies, h.to_address = '' AS erased,
             g.status = 'queued' AND h.withdrawn <> '' AS stays_here
      FROM unnest(%s::date[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::smallint[], %s::timestamptz[],
                  %s::timestamptz[], %s::bigint[], %s::text[], %s::text[])
           AS g(enrolled_on, id, status, reason, error, attempts, send_at, handed_at, version_id, address, reference)
      JOIN delivery_message h ON h.tenant_id = %s AND h.enrolled_on = g.enrolled_on AND h.id = g.id
      FOR NO KEY UPDATE OF h) t
WHERE m.tenant_id = %s AND m.enrolled_on = t.enrolled_on AND m.id = t.id
  AND (m.reserved_by = %s OR (m.status = 'unknown' AND m.reason = 'process_died'))
RETURNING m.id, t.erased
"""


def settle(settlements: Sequence[Settlement], *, process: int, now: dt.datetime) -> None:
    """Write the states of messages that this process holds. Inside the tenant's scope."""
    if not settlements:
        return
    with raw_cursor() as cursor:
        write_states(cursor, settlements, process=process)
        tell(cursor, written(cursor, settlements), now=now)


def write_states(cursor: Cursor, settlements: Sequence[Settlement], *, process: int) -> None:
    """Write the states; `written` reads of which they were taken."""
    rows = [
        (
            s.candidate.enrolled_on, s.candidate.id, str(s.status), s.reason, s.error[:500], s.attempts, s.send_at,
            s.handed_at, s.rendered.version_id if s.rendered else None, s.candidate.to_address,
            s.reference,
        )
        for s in settlements
    ]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    cursor.execute(_SETTLE, [*columns, require_tenant_id(), require_tenant_id(), process])


def written(cursor: Cursor, settlements: Sequence[Settlement]) -> list[Settlement]:
    """Return those whose state was taken, and of whom something may be told: the person may have been erased while
    the message was in the air."""
    done = {message_id for message_id, erased in cursor.fetchall() if not erased}
    return [s for s in settlements if s.candidate.id in done]


def tell(cursor: Cursor, settlements: Sequence[Settlement], *, now: dt.datetime) -> None:
    """Write the events of states that were taken, and what they mean for addresses and numbers."""
    tell_events(cursor, settlements, now=now)
    tell_addresses(cursor, settlements, now=now)


def tell_events(cursor: Cursor, settlements: Sequence[Settlement], *, now: dt.datetime) -> None:
    """Write the events; nothing is read."""
    record_events([_event(s, now) for s in settlements if _is_told(s)], cursor=cursor)


def tell_addresses(cursor: Cursor, settlements: Sequence[Settlement], *, now: dt.datetime) -> None:
    """Note the numbers that opted out and block the addresses that are no good; no query where all went well."""
    opted_out = [s.candidate.to_address for s in settlements if s.opts_out]
    if opted_out:
        opt_out_numbers(
            cursor, tenant_id=require_tenant_id(), numbers=opted_out, source=SmsOptOut.Source.PROVIDER, now=now
        )  # fmt: skip
    _block([s for s in settlements if s.candidate.channel == Message.Channel.EMAIL], now)
    record_events([_blocked_event(s, now) for s in settlements if s.blocks and _is_told(s)], cursor=cursor)


def _blocked_event(settlement: Settlement, now: dt.datetime) -> NewEvent:
    told = replace(settlement, event="address.blocked", reason=settlement.blocks, rendered=None)
    return _event(told, now)


def _is_told(settlement: Settlement) -> bool:
    candidate = settlement.candidate
    return bool(settlement.event) and candidate.contact_id is not None and not candidate.is_test


def _event(settlement: Settlement, now: dt.datetime) -> NewEvent:
    candidate = settlement.candidate
    rendered = settlement.rendered
    data = {
        "subject": rendered.subject if rendered else "",
        "reason": settlement.reason,
        "error": settlement.error[:200],
        "channel": candidate.channel if candidate.channel != Message.Channel.EMAIL else "",
    }
    return NewEvent(
        kind=settlement.event,
        contact_id=candidate.contact_id or 0,
        company_id=candidate.company_id,
        at=now,
        origin=Origin.FLOW if candidate.flow_id else Origin.SYSTEM,
        object_id=rendered.email_id if rendered else None,
        data={key: value for key, value in data.items() if value},
        flow_id=candidate.flow_id,
        step_id=candidate.step_id,
        participant_id=candidate.participant_id,
        message_id=candidate.id,
    )


def _block(settlements: Sequence[Settlement], now: dt.datetime) -> None:
    """Block the addresses that are no good: refused for good, or five messages in a row that came back."""
    blocks = {
        norm_email(s.candidate.to_address): s for s in settlements if s.blocks and not s.candidate.is_test
    }
    rows = [
        BlockedAddress(
            address_norm=address, reason=s.blocks, detail=s.error[:500], at=now, message_id=s.candidate.id
        )
        for address, s in sorted(blocks.items())
        if address
    ]
    if rows:
        BlockedAddress.objects.bulk_create(rows, ignore_conflicts=True)
    for s in settlements:
        candidate = s.candidate
        if (
            s.status == Status.SOFT_BOUNCED
            and not candidate.is_test
            and came_back_again(contact_id=candidate.contact_id, address=candidate.to_address)
        ):
            BlockedAddress.objects.get_or_create(
                address_norm=norm_email(s.candidate.to_address),
                defaults={
                    "reason": BlockedAddress.Reason.REPEATED_BOUNCES,
                    "detail": s.error[:500],
                    "at": now,
                },
            )
