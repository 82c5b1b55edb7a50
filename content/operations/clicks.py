"""Following a tracked link: only to an address that its tenant wrote, with the message's own values in it."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl, urlencode, urlsplit

from content.rendering import render_address
from content.values import values_of
from core.db.cursors import raw_cursor
from delivery.operations.tracking import SEEN_COLUMNS, record_click, seen
from delivery.tokens import MessageRef

_FIND = f"""
SELECT l.url, l.label, v.email_id, v.custom_keys, s.utm, m."values", {SEEN_COLUMNS}
FROM delivery_message m
JOIN delivery_stream s ON s.tenant_id = m.tenant_id AND s.id = m.stream_id
JOIN content_messagelink l ON l.tenant_id = m.tenant_id AND l.version_id = m.content_version_id AND l.number = %s
JOIN content_emailversion v ON v.tenant_id = m.tenant_id AND v.id = m.content_version_id
LEFT JOIN crm_contact c ON c.tenant_id = m.tenant_id AND c.id = m.contact_id
WHERE m.tenant_id = %s AND m.enrolled_on = %s AND m.id = %s
"""


def follow_link(*, ref: MessageRef, number: int, now: dt.datetime, machine: bool) -> str | None:
    """Return where link `number` of a message leads, and record the click; None where there is no such link.

    Inside the tenant's scope. For a test, or an erased person, it leads on and nothing is recorded.
    """
    with raw_cursor() as cursor:
        cursor.execute(_FIND, [number, ref.tenant_id, ref.enrolled_on, ref.message_id])
        row = cursor.fetchone()
    if row is None:
        return None
    url, label, email_id, custom_keys, utm, values = row[:6]
    message = seen(ref, row[6:], email_id=email_id)
    context = {"event": values.get("event") or {}}
    if "{" in url and message.contact_id is not None:
        context.update(values_of([message.contact_id], paths=custom_keys).get(message.contact_id, {}))
    record_click(message=message, link=url, label=label, now=now, machine=machine)
    return with_utm(render_address(url, context), utm)


def with_utm(address: str, utm: dict[str, str]) -> str:
    """Return the address with the flow's source and campaign; what the writer wrote there stays."""
    wanted = {"utm_source": utm.get("source"), "utm_medium": "email", "utm_campaign": utm.get("campaign")}
    if not (wanted["utm_source"] or wanted["utm_campaign"]):
        return address
    parts = urlsplit(address)
    there = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({key: value for key, value in wanted.items() if value and key not in there})
    query = "&".join(part for part in (parts.query, more) if part)
    return parts._replace(query=query).geturl()
