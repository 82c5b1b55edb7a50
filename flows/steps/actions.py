"""What a contact may do that waits end on and splits look at: click, open, submit, or an event from outside.

An action is settings; its filter says which events are it. Reading what a cohort did is one statement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from pydantic import BaseModel, ConfigDict

from flows.event_filter import EventFilter
from flows.steps.base import CheckContext, Reference, Traveller

# A longer address is told apart by the event's data; its key is cut like this.
KEY_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Happened:
    """What an event is, apart from whose and when."""

    kind: str
    object_id: int | None = None
    object_key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class Action(BaseModel):
    """One thing that a contact may do.

    `link` is a registered tracked link (in any message, or in one email), `url` an ordinary link of one email,
    `open` one email or any, `form` a form whose submission is processed, `outside` an event of this name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["link", "url", "email_link", "open", "form", "outside"]
    id: int | None = None
    email: int | None = None
    url: str = ""
    name: str = ""

    @property
    def filter(self) -> EventFilter:
        """Return the events that are this action."""
        match self.kind:
            case "link":
                email = self.email
                only = None if email is None else lambda data: data.get("email") == email
                return EventFilter("link.clicked", object_ids=_one(self.id), accepts=only)
            case "url":
                url = self.url
                return EventFilter(
                    "message.clicked",
                    object_ids=_one(self.email),
                    object_keys=(url[:KEY_LENGTH],),
                    accepts=lambda data: data.get("url") == url,
                )
            case "email_link":
                return EventFilter("message.clicked", object_ids=_any_or(self.email))
            case "open":
                return EventFilter("message.opened", object_ids=_any_or(self.email))
            case "form":
                return EventFilter("form.submitted", object_ids=_one(self.id))
            case "outside":
                return EventFilter("outside", object_keys=(self.name[:KEY_LENGTH],))

    def happened(self) -> Happened:
        """Return an event that is this action, for a rehearsal."""
        match self.kind:
            case "link":
                data = {} if self.email is None else {"email": self.email}
                return Happened("link.clicked", self.id, "", data)
            case "url":
                return Happened("message.clicked", self.email, self.url[:KEY_LENGTH], {"url": self.url})
            case "email_link":
                return Happened("message.clicked", self.email)
            case "open":
                return Happened("message.opened", self.email)
            case "form":
                return Happened("form.submitted", self.id)
            case "outside":
                return Happened("outside", None, self.name[:KEY_LENGTH])

    def takes_in(self, other: Action) -> bool:
        """Say whether whoever did the other surely did this one."""
        if self == other:
            return True
        if self.email is not None and self.email != other.email:
            return False
        if self.kind == other.kind == "link":
            return self.id == other.id
        if self.kind == "email_link":
            # An ordinary link of an email is one of its links; a registered one may stand elsewhere.
            return other.kind in {"url", "email_link"} or (other.kind == "link" and other.email is not None)
        return self.kind == other.kind == "open"

    def label(self, names: CheckContext) -> str:
        """Return it in words."""
        email = names.name("email", self.email) or "an email that was deleted"
        match self.kind:
            case "link":
                link = names.name("link", self.id) or "a link that was deleted"
                return f"“{link}” clicked" + (f" in “{email}”" if self.email is not None else "")
            case "url":
                return f"{self.url} clicked in “{email}”"
            case "email_link":
                return f"any link of “{email}” clicked" if self.email is not None else "any link clicked"
            case "open":
                return f"“{email}” opened" if self.email is not None else "any email opened"
            case "form":
                return f"“{names.name('form', self.id) or 'a form that was deleted'}” submitted"
            case "outside":
                return f"event “{self.name}”"

    def references(self) -> Iterable[Reference]:
        """Yield what it names."""
        if self.email is not None:
            yield Reference("email", self.email)
        if self.kind in {"link", "form"} and self.id is not None:
            yield Reference(self.kind, self.id)

    def problem(self, names: CheckContext) -> str:
        """Return what is wrong with it, or nothing."""
        if self.email is not None and names.name("email", self.email) is None:
            return "The email of an action was deleted: choose another"
        if self.kind in {"link", "form"} and names.name(self.kind, self.id) is None:
            return f"The {self.kind} of an action was deleted: choose another"
        return ""


def _one(number: int | None) -> tuple[int, ...]:
    return () if number is None else (number,)


def _any_or(number: int | None) -> tuple[int, ...] | None:
    return None if number is None else (number,)


@dataclass(frozen=True, slots=True)
class Done:
    """An action that a contact did: which event, when, and what it said."""

    event_id: int
    at: dt.datetime
    position: int
    data: Mapping[str, Any]


_READ = """
SELECT e.contact_id, e.id, e.at, e.kind, e.object_id, e.object_key, e.origin, e.data
FROM crm_event e
WHERE e.tenant_id = %s AND e.contact_id = ANY(%s::bigint[]) AND e.at >= %s AND e.kind = ANY(%s::text[])
ORDER BY e.at, e.id
"""


def what_they_did(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    travellers: Sequence[Traveller],
    since: Mapping[int, dt.datetime],
    actions: Sequence[EventFilter],
    with_trigger: bool,
) -> dict[int, list[Done]]:
    """Return, by participant, what each did of the actions since its moment, earliest first.

    `with_trigger` says whether the event that enrolled a participant counts as well, though it happened before. One
    statement; cost grows with the events of these contacts since the earliest moment.
    """
    if not travellers or not actions:
        return {}
    by_contact: dict[int, list[Traveller]] = {}
    for traveller in travellers:
        by_contact.setdefault(traveller.contact_id, []).append(traveller)
    earliest = min(since.values())
    if with_trigger:
        earliest = min(earliest, *(_trigger_moment(t, earliest) for t in travellers))
    kinds = sorted({action.kind for action in actions})
    cursor.execute(_READ, [tenant_id, list(by_contact), earliest, kinds])
    done: dict[int, list[Done]] = {}
    for contact_id, event_id, at, kind, object_id, object_key, origin, data in cursor.fetchall():
        position = next(
            (n for n, rule in enumerate(actions) if rule.takes(kind, object_id, object_key, origin, data)),
            None,
        )
        if position is None:
            continue
        for traveller in by_contact[contact_id]:
            is_trigger = event_id == traveller.brought_by
            if (with_trigger and is_trigger) or (not is_trigger and at >= since[traveller.id]):
                done.setdefault(traveller.id, []).append(Done(event_id, at, position, data))
    return done


def _trigger_moment(traveller: Traveller, default: dt.datetime) -> dt.datetime:
    at = (traveller.event_data or {}).get("at")
    try:
        return dt.datetime.fromisoformat(at) if isinstance(at, str) else default
    except ValueError:
        return default
