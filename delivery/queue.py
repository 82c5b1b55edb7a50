"""Queueing messages set-based, inside the transaction of whoever decides that they go (the engine, a test send).

Nothing here wakes or sends: see delivery.tasks. Table names are unqualified, so that a rehearsal may shadow them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue. `values` is what only this message knows ({"event": …}); contact and company are read
    when it is sent. `enrolled_on` is the participant's, or the day the message is made."""

    enrolled_on: dt.date
    content_version_id: int
    to_address: str
    channel: str = "email"
    contact_id: int | None = None
    flow_id: int | None = None
    step_id: uuid.UUID | None = None
    participant_id: int | None = None
    visit_number: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    is_marketing: bool = True
    is_test: bool = False
    send_at: dt.datetime | None = None


# A column in which all rows agree travels as one value: unnest pads its empty array with NULLs.
_INSERT = """
INSERT INTO delivery_message (
    tenant_id, stream_id, epoch, channel, status, reason, error, attempts, queued_at, send_at,
    uuid, enrolled_on, content_version_id, to_address, contact_id, flow_id, step_id, participant_id, visit_number,
    "values", is_marketing, is_test)
SELECT %(tenant)s::bigint, %(stream)s::bigint,
    (SELECT epoch FROM delivery_stream WHERE tenant_id = %(tenant)s AND id = %(stream)s),
    coalesce(g.channel, %(one_channel)s), 'queued', '', '', 0,
    %(now)s::timestamptz, coalesce(g.send_at, %(one_send_at)s::timestamptz, %(now)s::timestamptz),
    g.uuid, coalesce(g.enrolled_on, %(one_enrolled_on)s::date), coalesce(g.version, %(one_content_version_id)s::bigint),
    g.address, g.contact_id, coalesce(g.flow_id, %(one_flow_id)s::bigint), coalesce(g.step_id, %(one_step_id)s::uuid),
    g.participant_id, coalesce(g.visit_number, %(one_visit_number)s::int), coalesce(g.given, %(one_values)s)::jsonb,
    coalesce(g.is_marketing, %(one_is_marketing)s::bool), coalesce(g.is_test, %(one_is_test)s::bool)
FROM unnest(%(uuid)s::uuid[], %(to_address)s::text[], %(contact_id)s::bigint[], %(participant_id)s::bigint[],
            %(send_at)s::timestamptz[], %(enrolled_on)s::date[], %(content_version_id)s::bigint[],
            %(flow_id)s::bigint[], %(step_id)s::uuid[], %(visit_number)s::int[], %(values)s::text[],
            %(is_marketing)s::bool[], %(is_test)s::bool[], %(channel)s::text[]) WITH ORDINALITY
    AS g(uuid, address, contact_id, participant_id, send_at, enrolled_on, version, flow_id, step_id, visit_number,
         given, is_marketing, is_test, channel, position)
ORDER BY g.position
RETURNING id
"""
_PER_ROW = ("to_address", "contact_id", "participant_id")
_MOSTLY_EQUAL = (
    "send_at", "enrolled_on", "content_version_id", "flow_id", "step_id", "visit_number", "is_marketing", "is_test",
    "channel",
)  # fmt: skip


def queue_messages(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    stream_id: int,
    rows: Sequence[NewMessage],
    now: dt.datetime,
) -> list[int]:
    """Insert the messages in one statement and return their ids in the order of `rows`.

    The Message-ID (uuid) is fixed here; content and address are looked at again when the message is sent.
    Raises psycopg.errors.UniqueViolation for a second message of one visit. About 90,000 rows a second.
    """
    if not rows:
        return []
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in _MOSTLY_EQUAL}
    columns["values"] = _as_json(rows)
    parameters: dict[str, Any] = {
        "tenant": tenant_id,
        "stream": stream_id,
        "now": now,
        "uuid": _uuids(len(rows)),
    }
    for name in _PER_ROW:
        parameters[name] = _array([getattr(row, name) for row in rows])
    for name, column in columns.items():
        agrees = column.count(column[0]) == len(column)
        parameters[f"one_{name}"] = column[0] if agrees else None
        parameters[name] = "{}" if agrees else _array(column)
    cursor.execute(_INSERT, parameters)
    return sorted(row[0] for row in cursor.fetchall())


def _as_json(rows: Sequence[NewMessage]) -> list[str]:
    """Return the values as JSON texts; jsonb refuses NULs. Rows of a batch mostly equal their neighbour."""
    texts = []
    last, text = None, "{}"
    for row in rows:
        if row.values != last:
            last, text = row.values, json.dumps(row.values, default=str).replace("\\u0000", "")
        texts.append(text)
    return texts


def _array(column: Sequence[Any]) -> str:
    """Return a PostgreSQL array as text: psycopg's own takes a microsecond an element, which is too much here."""
    return "{" + ",".join(map(_element, column)) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _uuids(count: int) -> str:
    """Return an array of random (version 4) UUIDs from one read of the kernel's generator."""
    digits = os.urandom(16 * count).hex()
    cut = (digits[start : start + 32] for start in range(0, 32 * count, 32))
    return "{" + ",".join(f"{d[:12]}4{d[13:16]}a{d[17:]}" for d in cut) + "}"


# What can still go some day: queued, put off while it is handed over, or given up and tried again.
STILL_OPEN = "m.status IN ('queued', 'sending', 'failed', 'soft_bounced')"


def withdrawn(reason: str) -> str:
    """Return the SET clause that keeps a message `m` that is STILL_OPEN from going; `reason` is an SQL expression.

    What is queued is cancelled; what is being handed over is cancelled if it comes back; what was given up stays as it
    is and cannot be tried again. Whoever writes it needs no lock: a hand-over settles against the row as it is then.
    """
    return (
        f"status = CASE WHEN m.status = 'queued' THEN 'cancelled' ELSE m.status END, "
        f"reason = CASE WHEN m.status = 'queued' THEN {reason} ELSE m.reason END, withdrawn = {reason}"
    )


def cancel_messages(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    participants: Sequence[tuple[dt.date, int]],
    reason: str,
) -> int:
    """Withdraw what is still open for participants, given as (enrolled_on, id); return how many messages.

    A message that is being handed over goes out if it is taken; one that is only reserved does not.
    """
    cursor.execute(
        f"""
        UPDATE delivery_message m SET {withdrawn("%(reason)s")}
        FROM unnest(%(days)s::date[], %(ids)s::bigint[]) AS p(enrolled_on, id)
        WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = p.enrolled_on AND m.participant_id = p.id AND {STILL_OPEN}
        """,
        {
            "reason": reason,
            "days": [p[0] for p in participants],
            "ids": [p[1] for p in participants],
            "tenant": tenant_id,
        },
    )
    return cursor.rowcount


def cancel_messages_of_steps(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, flow_id: int, step_ids: Sequence[uuid.UUID]
) -> int:
    """Withdraw what is still open at steps that were removed from a flow; return how many messages."""
    cursor.execute(
        f"""
        UPDATE delivery_message m SET {withdrawn("'step_removed'")}
        WHERE m.tenant_id = %s AND m.flow_id = %s AND m.step_id = ANY(%s::uuid[]) AND {STILL_OPEN}
        """,
        [tenant_id, flow_id, list(step_ids)],
    )
    return cursor.rowcount
