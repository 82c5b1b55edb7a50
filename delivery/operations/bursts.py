"""Clicks that no hand makes: too soon after the hand-over, or several links of one message at once (docs/adr/0010).

A burst is known only when its third link is asked for; what was recorded of it until then is marked anew.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import psycopg
from django.conf import settings

if TYPE_CHECKING:
    from delivery.operations.tracking import Seen

# So many different links of one message within so long are a scanner's.
LINKS: Final = 3
WINDOW: Final = dt.timedelta(seconds=10)

OTHER_LINKS = """
SELECT g.message, (
    SELECT count(DISTINCT e.object_key) FROM crm_event e
    WHERE e.tenant_id = %(tenant)s AND e.contact_id = g.contact AND e.at > g.since AND e.message_id = g.message
      AND e.object_key <> g.link
      AND (e.kind = 'message.clicked' OR e.kind = 'message.machine_clicked' AND e.data ? 'at_once'))
FROM unnest(%(message)s::bigint[], %(contact)s::bigint[], %(since)s::timestamptz[], %(link)s::text[])
    AS g(message, contact, since, link)
"""
# What intake is taking in this moment is taken as a person's; it is locked.
_MARK = """
WITH marked AS (
    UPDATE crm_event SET data = data || '{"at_once": true}',
        kind = CASE kind WHEN 'message.opened' THEN 'message.machine_opened' ELSE 'message.machine_clicked' END
    WHERE tenant_id = %(tenant)s AND contact_id = %(contact)s AND at > %(since)s AND message_id = %(message)s
      AND kind IN ('message.opened', 'message.clicked')
    RETURNING id
), told AS (
    DELETE FROM crm_event
    WHERE tenant_id = %(tenant)s AND contact_id = %(contact)s AND at > %(since)s AND message_id = %(message)s
      AND kind = 'link.clicked'
    RETURNING id
), waiting AS (
    SELECT i.id FROM crm_eventinbox i
    WHERE i.tenant_id = %(tenant)s AND i.event_id IN (SELECT id FROM marked UNION ALL SELECT id FROM told)
    FOR UPDATE SKIP LOCKED
), taken AS (
    DELETE FROM crm_eventinbox i USING waiting w WHERE i.tenant_id = %(tenant)s AND i.id = w.id
)
UPDATE delivery_message m SET first_clicked_at = f.clicked, first_opened_at = f.opened,
    status = CASE WHEN m.status NOT IN ('opened', 'clicked') THEN m.status WHEN f.clicked IS NOT NULL THEN 'clicked'
                  WHEN f.opened IS NOT NULL THEN 'opened' WHEN f.delivered THEN 'delivered' ELSE 'sent' END
FROM (SELECT CASE WHEN k.first_clicked_at <= %(since)s THEN k.first_clicked_at END AS clicked,
             CASE WHEN k.first_opened_at <= %(since)s THEN k.first_opened_at END AS opened,
             EXISTS (SELECT FROM crm_event e WHERE e.tenant_id = %(tenant)s AND e.contact_id = %(contact)s
                       AND e.message_id = %(message)s AND e.kind = 'message.delivered') AS delivered
      FROM delivery_message k WHERE k.tenant_id = %(tenant)s AND k.enrolled_on = %(day)s AND k.id = %(message)s) f
WHERE m.tenant_id = %(tenant)s AND m.enrolled_on = %(day)s AND m.id = %(message)s
"""


def is_too_soon(message: Seen, now: dt.datetime) -> bool:
    """Say whether a message was handed over so shortly before that nobody can have read it."""
    if message.handed_at is None:
        return False
    return dt.timedelta(0) <= now - message.handed_at < dt.timedelta(seconds=settings.MACHINE_SECONDS)


def burst_of(message: Seen, *, link: str, now: dt.datetime) -> dict[str, Any]:
    """Return what `mark_burst` and, of several, OTHER_LINKS ask with: whose, which message, since when, and the link
    asked for."""
    return {
        "tenant": message.ref.tenant_id, "contact": message.contact_id, "message": message.ref.message_id,
        "day": message.ref.enrolled_on, "since": now - WINDOW, "link": link,
    }  # fmt: skip


def others_of(bursts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what OTHER_LINKS asks with for clicks on messages of one tenant."""
    columns = {name: [burst[name] for burst in bursts] for name in ("message", "contact", "since", "link")}
    return {"tenant": bursts[0]["tenant"], **columns}


def mark_burst(cursor: psycopg.Cursor[Any], burst: dict[str, Any]) -> None:
    """Mark every open and click of the message within the window as a machine's, and let the message forget them.

    What they have set off already stays as it is; what waits to be taken is not taken any more.
    """
    cursor.execute(_MARK, burst)
