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
from core.kinds import KindTable
from core.tenancy import require_tenant_id


class Origin(StrEnum):
    """By which door something came: triggers leave imports and bulk updates out."""

    USER = "user"
    IMPORT = "import"
    BULK = "bulk"
    FORM = "form"
    LINK = "link"
    API = "api"
    FLOW = "flow"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event: its label on timelines, its icon, and whether intake cares for it."""

    name: str
    label: str
    icon: str
    family: str  # contact | message | flow: the timeline's filter
    inbox: bool = False


KINDS: KindTable[EventKind] = KindTable(
    "event kind",
    [
        EventKind("contact.created", "Contact created", "user-plus", "contact", inbox=True),
        EventKind("contact.updated", "Contact updated", "pencil-simple", "contact", inbox=True),
        EventKind("contact.deleted", "Contact erased", "user-minus", "contact", inbox=True),
        EventKind("selection.added", "Added to selection", "list-plus", "contact", inbox=True),
        EventKind("selection.removed", "Removed from selection", "list-dashes", "contact", inbox=True),
        EventKind("project.added", "Added to project", "briefcase", "contact", inbox=True),
        EventKind("project.removed", "Removed from project", "briefcase", "contact", inbox=True),
        EventKind("consent.given", "Consent given", "check-circle", "contact", inbox=True),
        EventKind("consent.withdrawn", "Consent withdrawn", "x-circle", "contact", inbox=True),
        EventKind("unsubscribed", "Unsubscribed", "bell-slash", "contact", inbox=True),
        EventKind("subscribed", "Subscribed again", "bell", "contact", inbox=True),
        EventKind("message.queued", "Message queued", "clock", "message"),
        EventKind("message.sent", "Message sent", "paper-plane-tilt", "message", inbox=True),
        EventKind("message.delivered", "Message delivered", "check", "message"),
        EventKind("message.opened", "Message opened", "envelope-open", "message", inbox=True),
        EventKind("message.clicked", "Link clicked", "cursor-click", "message", inbox=True),
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
WITH given AS (
    SELECT * FROM unnest(
        %s::timestamptz[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::jsonb[],
        %s::bigint[], %s::bigint[], %s::uuid[], %s::bigint[], %s::bigint[]
    ) AS g (at, kind, contact_id, company_id, origin, object_id, object_key, data,
            actor_id, flow_id, step_id, participant_id, message_id)
), written AS (
    INSERT INTO crm_event (tenant_id, day, at, kind, contact_id, company_id, origin, object_id, object_key, data,
                           actor_id, flow_id, step_id, participant_id, message_id)
    SELECT %s::bigint, (at AT TIME ZONE 'UTC')::date, at, kind, contact_id, company_id, origin, object_id,
           object_key, data, actor_id, flow_id, step_id, participant_id, message_id
    FROM given
    RETURNING id, day, contact_id, kind
)
INSERT INTO crm_eventinbox (tenant_id, event_id, day, contact_id, kind)
SELECT %s::bigint, id, day, contact_id, kind FROM written WHERE kind = ANY(%s::text[]) ORDER BY id
"""

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
                _execute(open_cursor, some, inbox)


def _execute(cursor: psycopg.Cursor[Any], rows: Sequence[NewEvent], inbox: list[str]) -> None:
    tenant_id = require_tenant_id()
    columns = [
        [row.at for row in rows],
        [row.kind for row in rows],
        [row.contact_id for row in rows],
        [row.company_id for row in rows],
        [str(row.origin) for row in rows],
        [row.object_id for row in rows],
        [row.object_key for row in rows],
        _json_texts(rows),
        [row.actor_id for row in rows],
        [row.flow_id for row in rows],
        [row.step_id for row in rows],
        [row.participant_id for row in rows],
        [row.message_id for row in rows],
    ]
    cursor.execute(_RECORD, [*columns, tenant_id, tenant_id, inbox])


def _json_texts(rows: Sequence[NewEvent]) -> list[str]:
    """Return the data of each as JSON; rows that share one object have it written once."""
    texts: dict[int, str] = {}
    return [texts.get(id(row.data)) or texts.setdefault(id(row.data), as_json(row.data)) for row in rows]


def as_json(data: Mapping[str, Any]) -> str:
    """Return data as JSON text; dates become ISO text, decimals text, NULs (which jsonb refuses) go."""
    text = json.dumps(data, default=str, ensure_ascii=False)
    return _NUL.sub(lambda match: match.group(1) or "", text)


def changes_data(changes: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    """Return the data of a contact.updated event from (field key, old, new)."""
    return {"changes": [{"field": key, "old": old, "new": new} for key, old, new in changes]}
