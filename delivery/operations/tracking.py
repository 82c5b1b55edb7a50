"""What recipients do with a message: opens and clicks. Machines' are kept under kinds of their own and do not count.

Whoever holds a mail can ask for its links without end, so only so many opens and clicks of one message are recorded
in an hour; beyond that it leads on as ever and leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from core.db.cursors import one_trip, raw_cursor
from core.limits import within_limit
from core.tenancy import tenant_scope
from crm.events import NewEvent, Origin, record_events
from delivery.models import Message
from delivery.operations.bursts import LINKS, OTHER_LINKS, burst_of, is_too_soon, mark_burst, others_of
from delivery.operations.recipients import NoSuchMessage
from delivery.tokens import MessageRef

# Of each: opens, clicks, and both by machines.
MOST_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """A message that a recipient's request names, as far as tracking needs it.

    `ahead` is how far the tenant's clock is; `event` and `utm` are what its links are filled with.
    """

    ref: MessageRef
    ahead: dt.timedelta
    channel: str
    version_id: int
    event: Mapping[str, Any]
    utm: Mapping[str, str]
    contact_id: int | None
    company_id: int | None
    is_erased: bool
    is_test: bool
    flow_id: int | None
    step_id: UUID | None
    participant_id: int | None
    was_opened: bool
    was_clicked: bool
    handed_at: dt.datetime | None

    @property
    def counts(self) -> bool:
        """Whether anything may be recorded: not for tests, not for an erased person."""
        return not self.is_test and not self.is_erased and self.contact_id is not None

    @property
    def email_id(self) -> int | None:
        """The email that it was made from, or None for an SMS; a query only for a version that is new here."""
        return email_of_version(self.version_id) if self.channel == Message.Channel.EMAIL else None


# Each message by its own key, whatever the planner expects of the tenant (docs/performance.md).
_FIND = """
SELECT m.id, t.clock_offset, m.channel, m.content_version_id, coalesce(m."values" -> 'event', '{{}}'), s.utm,
    m.contact_id, c.company_id, c.deleted_at IS NOT NULL OR c.id IS NULL, m.is_test, m.flow_id, m.step_id,
    m.participant_id, m.first_opened_at IS NOT NULL, m.first_clicked_at IS NOT NULL, m.handed_at
FROM unnest(%(days)s::date[], %(ids)s::bigint[]) AS g(enrolled_on, id)
CROSS JOIN LATERAL (
    SELECT * FROM delivery_message k
    WHERE k.tenant_id = %(tenant)s AND k.enrolled_on = g.enrolled_on AND k.id = g.id {lock}) m
JOIN accounts_tenant t ON t.id = m.tenant_id
JOIN delivery_stream s ON s.tenant_id = m.tenant_id AND s.id = m.stream_id
LEFT JOIN LATERAL (
    SELECT k.id, k.company_id, k.deleted_at FROM crm_contact k
    WHERE k.tenant_id = %(tenant)s AND k.id = m.contact_id OFFSET 0) c ON TRUE
"""
_FIND_ANY = _FIND.format(lock="OFFSET 0")
_FIND_FREE = _FIND.format(lock="FOR NO KEY UPDATE SKIP LOCKED")
_OPENED = """
UPDATE delivery_message SET first_opened_at = coalesce(first_opened_at, %s),
    status = CASE WHEN status IN ('sent', 'delivered', 'unknown') THEN 'opened' ELSE status END
WHERE tenant_id = %s AND enrolled_on = %s AND id = %s
"""
_CLICKED = """
UPDATE delivery_message SET first_opened_at = coalesce(first_opened_at, %s),
    first_clicked_at = coalesce(first_clicked_at, %s),
    status = CASE WHEN status IN ('sent', 'delivered', 'opened', 'unknown') THEN 'clicked' ELSE status END
WHERE tenant_id = %s AND enrolled_on = %s AND id = %s
"""


@contextmanager
def message_seen(ref: MessageRef) -> Iterator[Seen]:
    """Open the scope of the message's tenant and yield the message, in one round trip; raise NoSuchMessage."""
    with _found(_FIND_ANY, [ref]) as found:
        if ref.message_id not in found:
            raise NoSuchMessage("There is no such message.")
        yield found[ref.message_id]


@contextmanager
def messages_seen(refs: Sequence[MessageRef]) -> Iterator[dict[int, Seen]]:
    """Open the scope of the tenant that all of them name, and yield by id those messages that are there and that
    nobody else holds; they are locked. One round trip."""
    with _found(_FIND_FREE, refs) as found:
        yield found


@contextmanager
def _found(find: str, refs: Sequence[MessageRef]) -> Iterator[dict[int, Seen]]:
    tenant_id = refs[0].tenant_id
    given = {"tenant": tenant_id, "days": [r.enrolled_on for r in refs], "ids": [r.message_id for r in refs]}
    by_id = {ref.message_id: ref for ref in refs}
    with (
        raw_cursor() as cursor,
        tenant_scope(tenant_id, first=lambda: cursor.execute(find, given, prepare=True)),
    ):
        yield {row[0]: Seen(by_id[row[0]], *row[1:]) for row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Act:
    """What a recipient did with a message: opened it, or followed one of its links."""

    message: Seen
    now: dt.datetime
    machine: bool
    link: str = ""
    label: str = ""


def record_open(*, message: Seen, now: dt.datetime, machine: bool) -> None:
    """Record that the message's pixel was fetched. Inside its tenant's scope."""
    record_opens([Act(message, now, machine)])


def record_opens(acts: Sequence[Act]) -> None:
    """Record that the pixels of several messages, each one's once, were fetched. Inside their tenant's scope."""
    events, opened = [], []
    for act in acts:
        message, now = act.message, act.now
        machine = act.machine or is_too_soon(message, now)
        kind = "message.machine_opened" if machine else "message.opened"
        if message.counts and _is_recorded(message, kind, seldom=machine or message.was_opened):
            events.append(_event(message, kind, now, {}))
            if not machine:
                opened.append(act)
    if not events:
        return
    with raw_cursor() as cursor, one_trip():
        for act in opened:
            cursor.execute(_OPENED, [act.now, *_key(act.message)], prepare=True)
        record_events(events, cursor=cursor)


def email_of_version(version_id: int) -> int | None:
    """Return the email that a version belongs to; content lies above, so settings name who knows."""
    found: int | None = import_string(settings.DELIVERY_EMAIL_OF)(version_id)
    return found


def _is_recorded(message: Seen, kind: str, *, seldom: bool) -> bool:
    """Say whether one more event of this kind is recorded for the message: at most MOST_AN_HOUR of each.

    A person's first is recorded without being counted: most messages are opened and clicked once, and nobody has to
    be asked about those.
    """
    if not seldom:
        return True
    ref = message.ref
    return within_limit(f"{kind}:{ref.tenant_id}:{ref.message_id}", most=MOST_AN_HOUR - 1, seconds=3600)


def record_click(*, message: Seen, link: str, label: str, now: dt.datetime, machine: bool) -> bool:
    """Record that a link was followed; say whether a person clicked, and not too often. Inside its tenant's scope."""
    return record_clicks([Act(message, now, machine, link, label)])[0]


def record_clicks(acts: Sequence[Act]) -> list[bool]:
    """Record that links of several messages, one of each, were followed; say of each whether a person clicked, and not
    too often. Inside their tenant's scope.

    Whether it was one of a burst is asked in the same trip; its message is locked then, so that of links that are
    fetched side by side each sees those before it. A click means that an email was opened, also where images are off.
    An SMS is never *opened*.
    """
    events: list[NewEvent] = []
    people: dict[int, Act] = {}
    for act in acts:
        message, now = act.message, act.now
        machine = act.machine or is_too_soon(message, now)
        kind = "message.machine_clicked" if machine else "message.clicked"
        if not message.counts or not _is_recorded(message, kind, seldom=machine or message.was_clicked):
            continue
        if not machine:
            people[message.ref.message_id] = act
            if not message.was_opened and message.email_id is not None:
                events.append(_event(message, "message.opened", now, {}))
        events.append(_event(message, kind, now, {"url": act.link, "label": act.label}))
    if not people:
        record_events(events)
        return [False] * len(acts)
    bursts = {
        number: burst_of(act.message, link=str(act.link)[:80], now=act.now) for number, act in people.items()
    }
    with raw_cursor() as cursor, raw_cursor() as others:
        with one_trip():
            for act in people.values():
                cursor.execute(_CLICKED, [act.now, act.now, *_key(act.message)], prepare=True)
            others.execute(OTHER_LINKS, others_of(list(bursts.values())), prepare=True)
            record_events(events, cursor=cursor)
        at_once = {number for number, links in others.fetchall() if links + 1 >= LINKS}
        for number in at_once:
            mark_burst(cursor, bursts[number])
    counted = people.keys() - at_once
    return [act.message.ref.message_id in counted for act in acts]


def _key(message: Seen) -> list[Any]:
    ref = message.ref
    return [ref.tenant_id, ref.enrolled_on, ref.message_id]


def _event(message: Seen, kind: str, now: dt.datetime, data: dict[str, Any]) -> NewEvent:
    return NewEvent(
        kind=kind,
        contact_id=message.contact_id or 0,
        company_id=message.company_id,
        at=now,
        origin=Origin.LINK,
        object_id=message.email_id,
        object_key=str(data.get("url", ""))[:80],
        data=data,
        flow_id=message.flow_id,
        step_id=message.step_id,
        participant_id=message.participant_id,
        message_id=message.ref.message_id,
    )
