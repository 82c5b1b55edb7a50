"""A contact's timeline: its events, newest first, in words. Three queries for names, whatever the number of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import User
from crm.bulk.moves import MOVED
from crm.bulk.targets import NAME, Target, targets
from crm.criteria.choices import names_of
from crm.events import KINDS, EventKind, Origin
from crm.models import Event, Project, Selection, SubscriptionType
from crm.places import COUNTRIES, LANGUAGES

_DOORS = {
    Origin.IMPORT: "by import",
    Origin.BULK: "by bulk update",
    Origin.FORM: "by a form",
    Origin.LINK: "by a link",
    Origin.API: "through the API",
    Origin.FLOW: "by a flow",
    Origin.MERGE: "by merging contacts",
    Origin.SYSTEM: "by Millrace",
}


# What changes though no form field writes it.
_OTHERS = {MOVED: "Company", NAME: "Company name"}
# What goes without saying when a contact moved to another company.
_BY_MOVING = frozenset({NAME, "company.created_at"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    event: Event
    kind: EventKind
    title: str
    details: tuple[str, ...]
    who: str

    @property
    def at(self) -> dt.datetime:
        """When it happened."""
        return self.event.at


def entries(events: Sequence[Event]) -> list[Entry]:
    """Return events as timeline lines."""
    names = _names(events)
    known = {target.key: target for target in targets()}
    people = {
        user.pk: str(user) for user in User.objects.filter(pk__in={e.actor_id for e in events if e.actor_id})
    }
    found = []
    for event in events:
        kind = (
            KINDS[event.kind] if event.kind in KINDS else EventKind(event.kind, event.kind, "info", "contact")
        )
        who = people.get(event.actor_id or 0, "")
        door = _DOORS.get(Origin(event.origin), "") if event.origin in list(Origin) else ""
        text = ", ".join(part for part in (f"by {who}" if who and not door else who, door) if part)
        found.append(
            Entry(event, kind, _title(event, kind, names), tuple(_details(event, known, names)), text)
        )
    return found


Names = Mapping[str, Mapping[int, str]]


def _names(events: Iterable[Event]) -> dict[str, dict[int, str]]:
    items: set[int] = set()
    users: set[int] = set()
    by_kind: dict[str, set[int]] = {"selection": set(), "project": set(), "unsubscribed": set()}
    for event in events:
        root = event.kind.partition(".")[0]
        if event.object_id and root in {"selection", "project"}:
            by_kind[root].add(event.object_id)
        if event.object_id and root in {"unsubscribed", "subscribed"}:
            by_kind["unsubscribed"].add(event.object_id)
        for line in event.data.get("changes", ()):
            values = [
                v
                for side in (line.get("old"), line.get("new"))
                for v in (side if isinstance(side, list) else [side])
            ]
            ids = {value for value in values if isinstance(value, int) and not isinstance(value, bool)}
            (users if "contact" in line["field"].split(".")[-1] else items).update(ids)
    found = names_of({"item": items, "user": users})
    for key, model in (("selection", Selection), ("project", Project), ("unsubscribed", SubscriptionType)):
        if by_kind[key]:
            found[key] = dict(model._default_manager.filter(pk__in=by_kind[key]).values_list("pk", "name"))
    return found


def _title(event: Event, kind: EventKind, names: Names) -> str:
    root = event.kind.partition(".")[0]
    group = "unsubscribed" if root in {"unsubscribed", "subscribed"} else root
    own = event.data.get(root)
    told = (
        (own.get("name") or own.get("title") or "") if isinstance(own, dict) else event.data.get("name", "")
    )
    name = names.get(group, {}).get(event.object_id or 0, "") or str(told)
    purpose = str(event.data.get("purpose", "")) if root == "consent" else ""
    return f"{kind.label}: {name or purpose}" if name or purpose else kind.label


def _details(event: Event, known: Mapping[str, Target], names: Names) -> Iterable[str]:
    # A consent's or subscription's change is what its title says.
    lines = event.data.get("changes", ()) if event.kind == "contact.updated" else ()
    moved = any(line["field"] == MOVED for line in lines)
    for line in lines:
        if moved and line["field"] in _BY_MOVING:
            continue
        target = known.get(line["field"])
        label = target.label if target else _OTHERS.get(line["field"], "A field that is gone")
        old, new = (_shown(target, line.get(side), names) for side in ("old", "new"))
        by = " (of the company)" if line.get("company") else ""
        yield f"{label}{by}: {old or 'empty'} → {new or 'empty'}"
    yield from _desk_details(event.data)
    for key in ("subject", "url", "link", "reason", "legal_basis", "source"):
        if event.data.get(key):
            yield f"{key.replace('_', ' ').capitalize()}: {event.data[key]}"


def _desk_details(data: Mapping[str, Any]) -> Iterable[str]:
    """What a sale or request is now, and what of it changed."""
    if sale := data.get("sale"):
        worth = f"{sale['currency']} {Decimal(sale['amount']):,.2f}"
        yield " · ".join(part for part in (sale["type"], sale["stage"], worth) if part)
    if request := data.get("request"):
        yield " · ".join((request["type"], request["category"], request["priority"]))
    for name, (old, new) in data.get("changed", {}).items():
        yield f"{name.replace('_', ' ').capitalize()}: {old or 'empty'} → {new or 'empty'}"


def _shown(target: Target | None, value: Any, names: Names) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list):
        return ", ".join(_shown(target, one, names) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if target is not None and target.type in {"item", "items", "user"}:
        source = "user" if target.type == "user" else "item"
        return names.get(source, {}).get(value, "a value that is gone")
    if target is not None and target.type == "code":
        return (COUNTRIES if target.choices == "country" else LANGUAGES).get(value, str(value))
    return str(value)
