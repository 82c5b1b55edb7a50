"""What became of a flow's messages: by step and email, and by the links in one email.

Read from the messages themselves along `message_of_step`: some 3 µs a message of the flow (1.4 s for 400,000 on two
busy cores), so what was counted is kept for a minute, longer where counting took long. The page shows its counters
first and asks for this afterwards.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.core.cache import cache

from content.models import EmailVersion
from core.clock import now
from core.db.cursors import raw_cursor
from core.localtime import span
from flows.models import Step
from flows.steps.table import STEP_KINDS
from participants.got import GOT
from reporting.reports.period import Period

# Seconds that numbers are kept, and how many times as long as counting them took: at most 1 % of the time is spent.
_KEPT: Final = 60
_TIMES_AS_LONG: Final = 100
_MOST_LINKS: Final = 100


@dataclass(slots=True)
class MessageRow:
    """One message of a flow: a step's email, or its SMS. `states` counts by status."""

    step_id: uuid.UUID
    step: str
    email_id: int | None
    name: str
    channel: str
    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unsubscribed: int = 0
    is_best: bool = False

    def _of(self, state: str) -> int:
        return sum(self.states.get(one, 0) for one in GOT[state][1])

    @property
    def recipients(self) -> int:
        """Everybody for whom one was made."""
        return sum(self.states.values())

    @property
    def sent(self) -> int:
        """Handed over."""
        return self._of("sent")

    @property
    def delivered(self) -> int:
        """Handed over, and not come back."""
        return self._of("delivered")

    @property
    def opened(self) -> int:
        """Opened by a person; a click is an opening too."""
        return self._of("opened")

    @property
    def clicked(self) -> int:
        """Clicked by a person."""
        return self._of("clicked")

    @property
    def bounced(self) -> int:
        """Came back, for now or for good."""
        return self._of("bounced")

    @property
    def not_sent(self) -> int:
        """Blocked, cancelled, failed, or not known to have left."""
        return self._of("not_sent")

    @property
    def open_rate(self) -> float | None:
        """Of delivered, in percent."""
        return _percent(self.opened, self.delivered)

    @property
    def click_rate(self) -> float | None:
        """Of delivered, in percent."""
        return _percent(self.clicked, self.delivered)

    @property
    def click_to_open(self) -> float | None:
        """Clicked of opened, in percent."""
        return _percent(self.clicked, self.opened)

    @property
    def people(self) -> str:
        """What narrows the list of participants to this message's, beside `got`."""
        email = {"email": str(self.email_id)} if self.email_id else {}
        return urlencode({"of": str(self.step_id), **email})


def _percent(number: int, of: int) -> float | None:
    return 100 * number / of if of else None


_STATES = """
SELECT m.step_id, m.status, m.channel, m.content_version_id, count(*)
FROM delivery_message m
WHERE m.tenant_id = %(tenant)s AND m.flow_id = %(flow)s AND m.step_id = ANY(%(steps)s::uuid[])
  AND (%(begin)s::timestamptz IS NULL OR coalesce(m.handed_at, m.queued_at) >= %(begin)s)
  AND coalesce(m.handed_at, m.queued_at) < %(end)s
GROUP BY 1, 2, 3, 4
"""
# From the few who unsubscribe to their messages, by the contact's index.
_UNSUBSCRIBED = """
SELECT m.step_id, m.channel, m.content_version_id, count(DISTINCT m.id)
FROM crm_event e
JOIN delivery_message m ON m.tenant_id = e.tenant_id AND m.contact_id = e.contact_id AND m.id = e.message_id
WHERE e.tenant_id = %(tenant)s AND e.kind = 'unsubscribed' AND e.message_id IS NOT NULL
  AND (%(begin)s::timestamptz IS NULL OR e.day >= (%(begin)s AT TIME ZONE 'UTC')::date)
  AND m.flow_id = %(flow)s AND m.step_id = ANY(%(steps)s::uuid[])
  AND (%(begin)s::timestamptz IS NULL OR coalesce(m.handed_at, m.queued_at) >= %(begin)s)
  AND coalesce(m.handed_at, m.queued_at) < %(end)s
GROUP BY 1, 2, 3
"""
_LINKS = """
SELECT e.object_key, max(e.data ->> 'url'), max(e.data ->> 'label'), count(*), count(DISTINCT e.message_id)
FROM crm_event e
WHERE e.tenant_id = %(tenant)s AND e.kind = 'message.clicked' AND e.object_id = %(email)s AND e.flow_id = %(flow)s
  AND e.step_id = %(step)s
  AND (%(begin)s::timestamptz IS NULL OR e.at >= %(begin)s) AND e.at < %(end)s
GROUP BY e.object_key ORDER BY 5 DESC, 1 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """The messages of a flow, and when they were counted."""

    rows: Sequence[MessageRow]
    at: dt.datetime


def message_rows(*, tenant_id: int, flow_id: int, period: Period, zone: Any) -> Counted:
    """Return the messages of a flow in the period, in the order of the steps; four queries, kept for a while."""
    key = f"report:{tenant_id}:{flow_id}:{period.first}:{period.last}"
    kept: Counted | None = cache.get(key)
    if kept is not None:
        return kept
    began = time.monotonic()
    steps = {
        step.pk: step
        for step in Step.objects.filter(flow_id=flow_id).order_by("removed_at", "rank")
        if STEP_KINDS[step.kind].channel
    }
    asked = _asked(tenant_id, flow_id, period, zone) | {"steps": list(steps)}
    with raw_cursor() as cursor:
        cursor.execute(_STATES, asked)
        states = cursor.fetchall()
        cursor.execute(_UNSUBSCRIBED, asked)
        left = cursor.fetchall()
    counted = Counted(_rows(steps, states, left), now())
    cache.set(key, counted, max(_KEPT, _TIMES_AS_LONG * (time.monotonic() - began)))
    return counted


def _asked(tenant_id: int, flow_id: int, period: Period, zone: Any) -> dict[str, Any]:
    begin, end = span(period.first, period.last, zone)
    return {"tenant": tenant_id, "flow": flow_id, "begin": begin, "end": end}


def _rows(steps: Mapping[uuid.UUID, Step], states: Sequence[Any], left: Sequence[Any]) -> list[MessageRow]:
    versions = {version for _, _, channel, version, _ in states if channel == "email"}
    emails = {
        pk: (email_id, name)
        for pk, email_id, name in EmailVersion.objects.filter(pk__in=versions).values_list(
            "pk", "email_id", "email__name"
        )
    }
    rows: dict[tuple[uuid.UUID, int | None], MessageRow] = {}

    def row_of(step_id: uuid.UUID, channel: str, version: int) -> MessageRow:
        email_id, name = emails.get(version, (None, "")) if channel == "email" else (None, "")
        made = MessageRow(step_id, steps[step_id].title, email_id, name, channel)
        return rows.setdefault((step_id, email_id), made)

    for step_id, status, channel, version, number in states:
        row_of(step_id, channel, version).states[status] += number
    for step_id, channel, version, number in left:
        row_of(step_id, channel, version).unsubscribed += number
    order = {pk: at for at, pk in enumerate(steps)}
    found = sorted(rows.values(), key=lambda row: (order[row.step_id], row.name))
    best = max(found, key=lambda row: row.click_rate or 0, default=None)
    if best and best.click_rate and len(found) > 1:
        best.is_best = True
    for row in found:
        row.states = dict(row.states)
    return found


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link of an email: how many people clicked it, and how often."""

    key: str
    address: str
    label: str
    people: int
    clicks: int


def link_rows(
    *, tenant_id: int, flow_id: int, step_id: uuid.UUID, email_id: int, period: Period, zone: Any
) -> list[LinkRow]:
    """Return the links of one email that people clicked, the most clicked first; one query by the email's clicks."""
    asked = _asked(tenant_id, flow_id, period, zone)
    with raw_cursor() as cursor:
        cursor.execute(_LINKS, asked | {"step": step_id, "email": email_id, "most": _MOST_LINKS})
        return [
            LinkRow(key, address or key, label or "", people, clicks)
            for key, address, label, clicks, people in cursor.fetchall()
        ]
