"""Flows from a contact's side: which flows they are or were in, and whose contacts are in flows.

What one sees of a contact's flows does not depend on the right to look into flows (spec: accounts): name, status,
step and messages are shown, a link into the flow only to those who may open it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from accounts.models import Membership
from crm.models import Contact
from delivery.models import Message
from delivery.reasons import reason_words
from flows.models import Flow
from flows.visibility import visible_flows
from participants.models import Participant
from participants.queries import name_of, step_titles, version_names
from participants.queries_names import names_of
from participants.queries_story import next_at, next_words, why_left
from participants.words import mentioned

MOST = 100
PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ContactMessage:
    """A message that the contact got in a flow."""

    id: int
    email_name: str
    step_title: str
    status: str
    status_label: str
    reason: str
    at: dt.datetime
    opened_at: dt.datetime | None
    clicked_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ContactFlow:
    """One participation of a contact."""

    participant: Participant
    flow: Flow
    may_open: bool
    step_title: str
    why_left: str
    next: str
    next_at: tuple[str, dt.datetime] | None
    messages: Sequence[ContactMessage]


def flows_of_contact(*, member: Membership, contact: Contact, now: dt.datetime) -> list[ContactFlow]:
    """Return the contact's participations, active ones first, newest first; the newest MOST. Seven queries."""
    participants = list(Participant.objects.filter(contact_id=contact.pk).order_by("-pk")[:MOST])
    participants.sort(key=lambda p: p.status != Participant.Status.ACTIVE)
    flow_ids = {p.flow_id for p in participants}
    flows = Flow.objects.defer("draft").in_bulk(list(flow_ids))
    open_to_member = set(visible_flows(member).filter(pk__in=flow_ids).values_list("pk", flat=True))
    titles = step_titles(flow_ids)
    messages = _messages(contact.pk, titles)
    names = names_of(pair for p in participants for pair in mentioned(p.drop_values))
    return [
        ContactFlow(
            participant=p,
            flow=flows[p.flow_id],
            may_open=p.flow_id in open_to_member,
            step_title=titles.get(p.step_id, "") if p.step_id else "",
            why_left=why_left(p, names),
            next=next_words(flows[p.flow_id], p, titles.get(p.step_id, "") if p.step_id else "", now),
            next_at=next_at(flows[p.flow_id], p, now),
            messages=messages.get(p.pk, []),
        )
        for p in participants
        if p.flow_id in flows
    ]


def _messages(contact_id: int, titles: Mapping[uuid.UUID, str]) -> dict[int, list[ContactMessage]]:
    sent = list(
        Message.objects.filter(contact_id=contact_id, participant_id__isnull=False, is_test=False).order_by(
            "-id"
        )[:MOST]
    )
    names = version_names(sent)
    found: dict[int, list[ContactMessage]] = {}
    for message in reversed(sent):
        email_name = name_of(message, names)[1]
        found.setdefault(message.participant_id or 0, []).append(
            ContactMessage(
                id=message.pk,
                email_name=email_name,
                step_title=titles.get(message.step_id, "") if message.step_id else "",
                status=message.status,
                status_label=str(Message.Status(message.status).label),
                reason=reason_words(message.reason),
                at=message.handed_at or message.queued_at,
                opened_at=message.first_opened_at,
                clicked_at=message.first_clicked_at,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class MyContactRow:
    """A contact of mine in a flow."""

    participant: Participant
    contact: Contact
    flow: Flow
    step_title: str


@dataclass(frozen=True, slots=True)
class MyContactsPage:
    """A page of them, newest entry first; `older` is the id to go on from."""

    rows: list[MyContactRow]
    older: int | None


def my_contacts_in_flows(*, user_id: int, only_active: bool, before: int | None = None) -> MyContactsPage:
    """Return the participations of contacts whose *our contact* is this user (the company's, where there is one).

    Keyset-paged by id. Four queries.
    """
    mine = Contact.objects.filter(
        Q(company__isnull=True, our_contact_id=user_id) | Q(company__our_contact_id=user_id), deleted_at=None
    )
    alive = Flow.objects.filter(pk=OuterRef("flow_id"), deleted_at=None)
    rows = Participant.objects.filter(contact_id__in=mine.values("pk")).filter(Exists(alive))
    if only_active:
        rows = rows.filter(status=Participant.Status.ACTIVE)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    page = found[:PAGE_SIZE]
    contacts = Contact.objects.select_related("company").in_bulk([p.contact_id for p in page])
    flows = Flow.objects.defer("draft").in_bulk({p.flow_id for p in page})
    titles = step_titles({p.flow_id for p in page})
    return MyContactsPage(
        rows=[
            MyContactRow(
                p, contacts[p.contact_id], flows[p.flow_id], titles.get(p.step_id, "") if p.step_id else ""
            )
            for p in page
        ],
        older=page[-1].pk if len(found) > PAGE_SIZE else None,
    )
