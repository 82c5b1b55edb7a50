"""Events: the facts about contacts that flows, timelines and reports are made of.

Writes rows only. It must not know who reads them: intake (participants) takes the inbox, timelines read the events.
Cost: one statement however many events; about 40 µs an event with its five index entries.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import psycopg

from core.db.cursors import raw_cursor
from core.db.given import Given
from core.kinds import KindTable
from core.tenancy import require_tenant_id


class Origin(StrEnum):
    """By which door something came: triggers leave imports, bulk updates and merges out."""

    USER = "user"
    IMPORT = "import"
    BULK = "bulk"
    FORM = "form"
    LINK = "link"
    API = "api"
    FLOW = "flow"
    MERGE = "merge"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event: its label on timelines, its icon, and whether intake cares for it."""

    name: str
    label: str
    icon: str
    family: str  # contact | sale | request | message | flow: the timeline's filter
    inbox: bool = False


KINDS: KindTable[EventKind] = KindTable(
    "event kind",
    [
        EventKind("contact.created", "Contact created", "user-plus", "contact", inbox=True),
        EventKind("contact.updated", "Contact updated", "pencil-simple", "contact", inbox=True),
        EventKind("contact.deleted", "Contact erased", "user-minus", "contact", inbox=True),
        EventKind("contact.merged", "Contact merged", "arrows-merge", "contact", inbox=True),
        EventKind("selection.added", "Added to selection", "list-plus", "contact", inbox=True),
        EventKind("selection.removed", "Removed from selection", "list-dashes", "contact", inbox=True),
        EventKind("project.added", "Added to project", "briefcase", "contact", inbox=True),
        EventKind("project.removed", "Removed from project", "briefcase", "contact", inbox=True),
        EventKind("consent.given", "Consent given", "check-circle", "contact", inbox=True),
        EventKind("consent.withdrawn", "Consent withdrawn", "x-circle", "contact", inbox=True),
        EventKind("unsubscribed", "Unsubscribed", "bell-slash", "contact", inbox=True),
        EventKind("subscribed", "Subscribed again", "bell", "contact", inbox=True),
        EventKind("sms.opted_out", "Opted out of SMS", "bell-slash", "contact"),
        EventKind("sms.opted_in", "Opted in to SMS again", "bell", "contact"),
        EventKind("sale.created", "Sale created", "hand-coins", "sale", inbox=True),
        EventKind("sale.updated", "Sale changed", "pencil-simple", "sale", inbox=True),
        EventKind("sale.sold", "Sale won", "handshake", "sale", inbox=True),
        EventKind("sale.lost", "Sale lost", "x-circle", "sale", inbox=True),
        EventKind("sale.stalled", "Sale stalled", "pause-circle", "sale", inbox=True),
        EventKind("sale.reopened", "Sale reopened", "arrow-counter-clockwise", "sale", inbox=True),
        EventKind("sale.deleted", "Sale deleted", "trash", "sale", inbox=True),
        EventKind("request.created", "Request registered", "lifebuoy", "request", inbox=True),
        EventKind("request.updated", "Request changed", "pencil-simple", "request", inbox=True),
        EventKind("request.closed", "Request closed", "check-circle", "request", inbox=True),
        EventKind("request.reopened", "Request reopened", "arrow-counter-clockwise", "request", inbox=True),
        EventKind("request.deleted", "Request deleted", "trash", "request", inbox=True),
        EventKind("follow_up.created", "Follow-up created", "calendar-plus", "follow_up", inbox=True),
        EventKind("follow_up.updated", "Follow-up changed", "pencil-simple", "follow_up", inbox=True),
        EventKind(
            "follow_up.reopened", "Follow-up reopened", "arrow-counter-clockwise", "follow_up", inbox=True
        ),
        EventKind("follow_up.deleted", "Follow-up deleted", "trash", "follow_up", inbox=True),
        EventKind("follow_up.completed", "Follow-up completed", "calendar-check", "follow_up", inbox=True),
        EventKind("outside", "Event from outside", "plugs-connected", "contact", inbox=True),
        EventKind("message.queued", "Message queued", "clock", "message"),
        EventKind("message.sent", "Message sent", "paper-plane-tilt", "message", inbox=True),
        EventKind("message.delivered", "Message delivered", "check", "message"),
        EventKind("message.opened", "Message opened", "envelope-open", "message", inbox=True),
        EventKind("message.clicked", "Link clicked", "cursor-click", "message", inbox=True),
        EventKind("form.submitted", "Form submitted", "clipboard-text", "contact", inbox=True),
        EventKind("link.clicked", "Tracked link clicked", "cursor-click", "message", inbox=True),
        EventKind("message.machine_opened", "Opened by a machine", "robot", "message"),
        EventKind("message.machine_clicked", "Link clicked by a machine", "robot", "message"),
        EventKind("message.soft_bounced", "Message came back for now", "arrow-u-up-left", "message"),
        EventKind("message.bounced", "Message came back", "arrow-u-up-left", "message"),
        EventKind("message.complained", "Marked as spam", "warning", "message"),
        EventKind("message.blocked", "Message blocked", "prohibit", "message"),
        EventKind("message.cancelled", "Message cancelled", "x", "message"),
        EventKind("message.failed", "Message failed", "warning", "message"),
        EventKind("message.unknown", "Message handed over, not confirmed", "question", "message"),
        EventKind("address.blocked", "Address blocked", "prohibit", "message"),
        EventKind("address.unblocked", "Address unblocked", "check", "message"),
        EventKind("flow.enrolled", "Entered flow", "sign-in", "flow"),
        EventKind("flow.finished", "Finished flow", "flag-checkered", "flow"),
        EventKind("flow.dropped", "Dropped out of flow", "sign-out", "flow"),
        EventKind("flow.cancelled", "Flow ended", "x-circle", "flow"),
        EventKind("flow.success", "Success met", "trophy", "flow"),
        # A flow's exit or finish sends the contact on: intake suggests it for the flow in object_id.
        EventKind("flow.onward", "Sent on to another flow", "arrow-bend-down-right", "flow", inbox=True),
    ],
)


# What a merge brings along has no event of its own: whoever judges a contact's state anew hears this one.
MERGED = "contact.merged"


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to record. `at` is when it happened, `data` what a reader of the timeline should see (JSON)."""

    kind: str
    contact_id: int
    at: dt.datetime
    origin: Origin
    company_id: int | None = None
    object_id: int | None = None
    object_key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    actor_id: int | None = None
    flow_id: int | None = None
    step_id: uuid.UUID | None = None
    participant_id: int | None = None
    message_id: int | None = None
    # Nobody can be waiting for it: what an import does to contacts that it has just made.
    quiet: bool = False


_RECORD = """
WITH written AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, company_id, origin, object_id, object_key, data,
                           actor_id, flow_id, step_id, participant_id, message_id)
    SELECT %(tenant)s::bigint, ({at} AT TIME ZONE 'UTC')::date, {columns}
    FROM {source}
    RETURNING id, day, contact_id, kind
)
INSERT INTO crm_eventinbox (tenant_id, event_id, day, contact_id, kind)
SELECT %(tenant)s::bigint, id, day, contact_id, kind FROM written WHERE kind = ANY(%(inbox)s::text[])
"""
_COLUMNS = {
    "at": "timestamptz", "kind": "text", "contact_id": "bigint", "company_id": "bigint", "origin": "text",
    "object_id": "bigint", "object_key": "text", "data": "jsonb", "actor_id": "bigint", "flow_id": "bigint",
    "step_id": "uuid", "participant_id": "bigint", "message_id": "bigint",
}  # fmt: skip

# An escaped backslash must not lose its half to the NUL behind it.
_NUL = re.compile(r"(\\\\)|\\u0000")
_INBOX_KINDS = [kind.name for kind in KINDS if kind.inbox]


def record_events(rows: Sequence[NewEvent], *, cursor: psycopg.Cursor[Any] | None = None) -> None:
    """Write events of the open tenant scope and the inbox rows that intake needs, in one statement.

    Quiet events, where there are any, go by a second statement that writes no inbox row.

    With a cursor, inside that cursor's transaction. Raises UnknownKind for a kind that is not in KINDS.
    """
    if not rows:
        return
    for kind in {row.kind for row in rows}:
        KINDS[kind]
    loud, quiet = [row for row in rows if not row.quiet], [row for row in rows if row.quiet]
    with nullcontext(cursor) if cursor is not None else raw_cursor() as open_cursor:
        for some, inbox in ((loud, _INBOX_KINDS), (quiet, [])):
            if some:
                _execute(open_cursor, _columns(some), inbox)


def record_alike(
    events: NewEvent,
    *,
    cursor: psycopg.Cursor[Any],
    contact_ids: Sequence[int],
    company_ids: Sequence[int | None] | None = None,
    participant_ids: Sequence[int] | None = None,
    data: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write the same event for many contacts, of which only the given columns differ; one statement.

    `events` says the rest (its contact is not read). What differs must be in the order of `contact_ids`.
    """
    if not contact_ids:
        return
    KINDS[events.kind]
    columns: dict[str, Sequence[Any]] = {name: [getattr(events, name)] for name in _COLUMNS if name != "data"}
    columns["contact_id"] = contact_ids
    columns["data"] = [as_json(events.data)] if data is None else _json_texts(data)
    if company_ids is not None:
        columns["company_id"] = company_ids
    if participant_ids is not None:
        columns["participant_id"] = participant_ids
    _execute(cursor, columns, [] if events.quiet else _INBOX_KINDS)


def _execute(cursor: psycopg.Cursor[Any], columns: Mapping[str, Sequence[Any]], inbox: list[str]) -> None:
    columns = {**columns, "origin": [str(origin) for origin in columns["origin"]]}
    rows = Given(
        {"contact_id": ("bigint", columns["contact_id"])},
        {name: (cast, columns[name]) for name, cast in _COLUMNS.items() if name != "contact_id"},
    )
    statement = _RECORD.format(at=rows["at"], columns=rows.list(*_COLUMNS), source=rows.source)
    cursor.execute(statement, {**rows.parameters, "tenant": require_tenant_id(), "inbox": inbox})


def _columns(rows: Sequence[NewEvent]) -> dict[str, Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = {name: [getattr(row, name) for row in rows] for name in _COLUMNS}
    columns["data"] = _json_texts([row.data for row in rows])
    return columns


def _json_texts(data: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return each as JSON; rows that share one object have it written once."""
    texts: dict[int, str] = {}
    return [texts.get(id(one)) or texts.setdefault(id(one), as_json(one)) for one in data]


def as_json(data: Mapping[str, Any]) -> str:
    """Return data as JSON text; dates become ISO text, decimals text, NULs (which jsonb refuses) go."""
    text = json.dumps(data, default=str, ensure_ascii=False)
    return _NUL.sub(lambda match: match.group(1) or "", text)


def changes_data(changes: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    """Return the data of a contact.updated event from (field key, old, new)."""
    return {"changes": [{"field": key, "old": old, "new": new} for key, old, new in changes]}
