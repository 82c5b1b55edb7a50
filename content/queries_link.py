"""Reads of registered tracked links: the list, who clicked, and what flows choose from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from accounts.models import Membership
from content.link_actions import LinkActions
from content.models import EmailVersion, TrackedLink
from crm.models import Contact, Event
from crm.queries.reach import contacts_for
from delivery.models import Message

CLICKED = "link.clicked"


def link_choices() -> list[tuple[int, str]]:
    """Return (id, name) of the links that a flow may choose, by folder and name."""
    links = TrackedLink.objects.filter(deleted_at=None).order_by("folder", "name")
    return [(link.pk, f"{link.folder} / {link.name}" if link.folder else link.name) for link in links]


def link_names(link_ids: Sequence[int]) -> dict[int, str]:
    """Return names by id of the links that still exist."""
    return dict(TrackedLink.objects.filter(pk__in=link_ids, deleted_at=None).values_list("pk", "name"))


def link_urls(link_ids: Sequence[int]) -> dict[int, str]:
    """Return where the links lead, by id; those that show a text lead nowhere."""
    return dict(TrackedLink.objects.filter(pk__in=link_ids, deleted_at=None).values_list("pk", "url"))


def link_keys(keys: Iterable[str]) -> dict[str, int]:
    """Return ids by key of the links with these keys that still exist."""
    return dict(TrackedLink.objects.filter(key__in=list(keys), deleted_at=None).values_list("key", "pk"))


def link_ids(keys: Iterable[str]) -> list[int]:
    """Return the ids of the links with these keys that still exist."""
    return sorted(link_keys(keys).values())


def actions_of_links(link_ids: Sequence[int]) -> dict[int, LinkActions]:
    """Return what a click on each link does to the contact; links that do nothing are left out."""
    rows = TrackedLink.objects.filter(pk__in=link_ids, deleted_at=None).values_list("pk", "actions")
    found = {pk: LinkActions.model_validate(actions) for pk, actions in rows}
    return {pk: actions for pk, actions in found.items() if not actions.is_empty}


def folders() -> list[str]:
    """Return the folders that hold links, by name."""
    kept = TrackedLink.objects.filter(deleted_at=None).exclude(folder="")
    return list(kept.order_by("folder").values_list("folder", flat=True).distinct())


def links(*, search: str = "", folder: str | None = None) -> QuerySet[TrackedLink]:
    """Return the links whose name, key or address holds the text, of one folder or of all ("" is no folder)."""
    found = TrackedLink.objects.filter(deleted_at=None).select_related("updated_by")
    if folder is not None:
        found = found.filter(folder=folder)
    if search.strip():
        found = found.filter(Q(name__icontains=search) | Q(key__icontains=search) | Q(url__icontains=search))
    return found


@dataclass(frozen=True, slots=True)
class Clicks:
    """How often a link was clicked since it is counted, by how many, and when last."""

    clicks: int = 0
    people: int = 0
    last: dt.datetime | None = None


def clicks_of(found: Sequence[TrackedLink]) -> dict[int, Clicks]:
    """Return the clicks of each link; one query."""
    counted = Q()
    for link in found:
        since = Q(at__gte=link.counted_since) if link.counted_since else Q()
        counted |= Q(object_id=link.pk) & since
    if not found:
        return {}
    rows = (
        Event.objects.filter(counted, kind=CLICKED)
        .values("object_id")
        .annotate(clicks=Count("id"), people=Count("contact_id", distinct=True), last=Max("at"))
    )
    return {row["object_id"] or 0: Clicks(row["clicks"], row["people"], row["last"]) for row in rows}


def clicks(link: TrackedLink) -> QuerySet[Event]:
    """Return the clicks of a link since it is counted."""
    found = Event.objects.filter(kind=CLICKED, object_id=link.pk)
    return found.filter(at__gte=link.counted_since) if link.counted_since else found


@dataclass(frozen=True, slots=True)
class Click:
    """One click: who (None where the member may not see the contact), when, in which message."""

    at: dt.datetime
    contact: Contact | None
    email_id: int | None
    email_name: str
    sent_at: dt.datetime | None


def click_lines(events: Sequence[Event], *, member: Membership) -> list[Click]:
    """Return clicks with their people and messages; three queries."""
    people = (
        contacts_for(member).filter(pk__in={event.contact_id for event in events}).select_related("company")
    )
    contacts = {contact.pk: contact for contact in people}
    sent = _sent([event.message_id for event in events if event.message_id is not None])
    ids = {event.data.get("email") for event in events} - {None}
    names = dict(
        EmailVersion.objects.filter(email_id__in=ids).values_list("email_id", "email__name").distinct()
    )
    return [
        Click(
            at=event.at, contact=contacts.get(event.contact_id), email_id=event.data.get("email"),
            email_name=names.get(event.data.get("email") or 0, ""), sent_at=sent.get(event.message_id or 0),
        )
        for event in events
    ]  # fmt: skip


def _sent(message_ids: Sequence[int]) -> dict[int, dt.datetime]:
    rows = Message.objects.filter(pk__in=message_ids).values_list("pk", "handed_at", "queued_at")
    return {pk: handed or queued for pk, handed, queued in rows}
