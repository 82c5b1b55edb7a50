"""Reads of participants: the page of a flow's participants, and one participant's row.

Keyset-paged (participants.sorting), so a page costs the same with ten participants and with a million. Knows contacts,
messages and steps by their ids only until a page of rows is known, then reads each kind once.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, QuerySet

from content.models import EmailVersion, SmsVersion
from crm.models import Contact, Sale
from delivery.models import Message
from delivery.reasons import reason_words
from flows.models import Step
from participants.figures import reason_label
from participants.got import MessageFilter
from participants.held_people import is_held
from participants.models import Participant, Visit
from participants.sorting import USUAL_ORDER, Group, Order, few_in_order, many_in_order
from participants.words import source_words

PAGE_SIZE = 50
# A filter, not a status: came to Finish, with success or without.
COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message of a participant: what it was, when, and how it fares."""

    id: int
    subject: str
    email_name: str
    status: str
    status_label: str
    reason: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """A participant as lists and exports show it."""

    participant: Participant
    contact: Contact | None
    step_title: str
    message: LastMessage | None
    # The group that begins with them on the page, in a grouped list.
    group: Group | None = None

    @property
    def contact_name(self) -> str:
        """The contact's name, also where it was erased."""
        return str(self.contact) if self.contact and self.contact.deleted_at is None else "Erased contact"

    @property
    def email(self) -> str:
        """The email address, empty where there is none."""
        return self.contact.email if self.contact else ""

    @property
    def source(self) -> str:
        """By which road they came."""
        return source_words(self.participant.source)

    @property
    def reason(self) -> str:
        """Why they dropped out, empty where they did not."""
        reason = self.participant.drop_reason
        return reason_label(reason) if reason else ""

    @property
    def company_name(self) -> str:
        """The company's name, empty where there is none."""
        return self.contact.company.name if self.contact and self.contact.company else ""


# What a period may be asked of: the moment of the participation. "came" and "left" are moments of its visits.
WHENS: Final = {"enrolled": "enrolled_at", "ended": "ended_at", "success": "success_at"}


@dataclass(frozen=True, slots=True)
class ParticipantFilter:
    """What the Participants tab is narrowed to; empty fields narrow nothing."""

    status: str = ""
    step_id: uuid.UUID | None = None
    reason: str = ""
    contact_ids: Sequence[int] | None = None
    # Who was at a step, and how that visit ended (went_on, left); who took a branch.
    visited: uuid.UUID | None = None
    went: str = ""
    branch_id: uuid.UUID | None = None
    # Who stands at one of these steps.
    at: tuple[uuid.UUID, ...] = ()
    # What must have happened (a key of WHENS), and from which moment to before which.
    when: str = ""
    begin: dt.datetime | None = None
    end: dt.datetime | None = None
    got: MessageFilter | None = None
    # Whose success was met between so many seconds after entering; who bought in a currency after entering.
    took: tuple[int, int | None] | None = None
    bought: str = ""
    # Who entered from a moment on; who met success at any time.
    since: dt.datetime | None = None
    met: bool = False
    # By which rule they are held now (a key of HELD_BY).
    held: str = ""

    def apply(self, rows: QuerySet[Participant]) -> QuerySet[Participant]:
        """Narrow a query set."""
        if self.status == COMPLETED:
            rows = rows.filter(status__in=[Participant.Status.FINISHED, Participant.Status.SUCCESS])
        elif self.status:
            rows = rows.filter(status=self.status)
        if self.step_id is not None:
            rows = rows.filter(step_id=self.step_id)
        if self.at:
            rows = rows.filter(step_id__in=self.at)
        if self.reason:
            rows = rows.filter(drop_reason=self.reason)
        if self.contact_ids is not None:
            rows = rows.filter(contact_id__in=list(self.contact_ids))
        if self.when in WHENS:
            rows = self._in_time(rows, WHENS[self.when])
        if self.got is not None:
            rows = rows.filter(self.got.condition(self._in_time))
        if self.visited is not None or self.branch_id is not None:
            rows = rows.filter(Exists(self._visits()))
        return self._in_the_end(rows)

    def _in_the_end(self, rows: QuerySet[Participant]) -> QuerySet[Participant]:
        """Keep who entered since, met success, is held, whom it took so long, and who bought something."""
        if self.since is not None:
            rows = rows.filter(enrolled_at__gte=self.since)
        if self.met:
            rows = rows.filter(success_at__isnull=False)
        if self.held:
            rows = rows.filter(is_held(self.held))
        if self.took is not None:
            low, high = self.took
            rows = rows.filter(success_at__gte=F("enrolled_at") + dt.timedelta(seconds=low))
            if high is not None:
                rows = rows.filter(success_at__lt=F("enrolled_at") + dt.timedelta(seconds=high))
        if self.bought:
            sales = Sale.objects.filter(contact_id=OuterRef("contact_id"), status=Sale.Status.SOLD)
            sales = sales.filter(currency=self.bought, closed_at__gte=OuterRef("enrolled_at"))
            rows = rows.filter(Exists(self._in_time(sales, "closed_at")))
        return rows

    def _in_time(self, rows: QuerySet[Any], name: str) -> QuerySet[Any]:
        """Keep the rows whose moment is there, and in the time asked for."""
        rows = rows.filter(**{f"{name}__isnull": False})
        if self.begin is not None:
            rows = rows.filter(**{f"{name}__gte": self.begin})
        return rows.filter(**{f"{name}__lt": self.end}) if self.end is not None else rows

    def _visits(self) -> QuerySet[Visit]:
        """The visits of one participant that are asked for, by the visits' own key: nothing is walked through."""
        visits = Visit.objects.filter(
            enrolled_on=OuterRef("enrolled_on"), participant_id=OuterRef("pk"), flow_id=OuterRef("flow_id")
        )
        if self.visited is not None:
            visits = visits.filter(step_id=self.visited)
        if self.went:
            visits = visits.filter(ended=self.went)
        if self.when in {"came", "left"}:
            visits = self._in_time(visits, "came_at" if self.when == "came" else "went_at")
        return visits.filter(branch_id=self.branch_id) if self.branch_id is not None else visits


@dataclass(frozen=True, slots=True)
class ParticipantPage:
    """A page of rows; `previous` and `next` are the ids to go on from, before and after them, None at an end."""

    rows: list[ParticipantRow]
    previous: int | None
    next: int | None


def participants_page(
    *,
    flow_id: int,
    narrowed: ParticipantFilter,
    after: int | None = None,
    before: int | None = None,
    order: Order = USUAL_ORDER,
    few: bool = False,
    size: int = PAGE_SIZE,
) -> ParticipantPage:
    """Return a page in its order: the rows behind `after`, or those before `before`, or the first ones. `few` says that
    they are few enough for any order and for groups. Eight queries at most, five in the usual order."""
    rows = narrowed.apply(Participant.objects.filter(flow_id=flow_id))
    if few and not order.is_usual:
        found = few_in_order(rows, flow_id=flow_id, order=order, after=after, before=before, size=size)
    else:
        searched = narrowed.contact_ids is not None
        found = many_in_order(
            rows, order=order.for_many(), after=after, before=before, size=size, not_by_index=searched
        )
    page = found.participants
    return ParticipantPage(
        rows=_with_heads(with_details(page), found.groups) if page else [],
        previous=page[0].pk if found.has_previous else None,
        next=page[-1].pk if found.has_next else None,
    )


def _with_heads(rows: list[ParticipantRow], groups: Mapping[int, Group]) -> list[ParticipantRow]:
    """Name each group at the first of its rows on the page."""
    told: list[ParticipantRow] = []
    last: Group | None = None
    for row in rows:
        group = groups.get(row.participant.pk)
        told.append(replace(row, group=group) if group != last else row)
        last = group
    return told


def with_details(participants: Sequence[Participant]) -> list[ParticipantRow]:
    """Add contact, company, step title and last message to a page of participants: one query a kind."""
    contacts = contacts_by_id(p.contact_id for p in participants)
    titles = step_titles({p.flow_id for p in participants})
    messages = last_messages(participants)
    return [
        ParticipantRow(
            participant=p,
            contact=contacts.get(p.contact_id),
            step_title=titles.get(p.step_id, "") if p.step_id else "",
            message=messages.get(p.last_message_id) if p.last_message_id else None,
        )
        for p in participants
    ]


def contacts_by_id(ids: Iterable[int]) -> dict[int, Contact]:
    """Return contacts with their companies, by id; one query."""
    return Contact.objects.select_related("company").in_bulk(list(set(ids)))


def step_titles(flow_ids: Iterable[int]) -> dict[uuid.UUID, str]:
    """Return the titles of the flows' steps, removed ones too; one query."""
    return dict(Step.objects.filter(flow_id__in=list(flow_ids)).values_list("pk", "title"))


def last_messages(participants: Sequence[Participant]) -> dict[int, LastMessage]:
    """Return the last messages by id. Two queries; the enrolment days keep PostgreSQL to their partitions."""
    ids = [p.last_message_id for p in participants if p.last_message_id]
    if not ids:
        return {}
    days = {p.enrolled_on for p in participants if p.last_message_id}
    messages = list(Message.objects.filter(enrolled_on__in=days, id__in=ids))
    return {message.pk: _last(message, names) for names in [version_names(messages)] for message in messages}


VersionNames = Mapping[tuple[str, int], tuple[str, str]]


def version_names(messages: Iterable[Message]) -> VersionNames:
    """Return (subject, name of the email or beginning of the SMS) by channel and content version; a query each."""
    wanted: dict[str, set[int]] = {}
    for message in messages:
        wanted.setdefault(message.channel, set()).add(message.content_version_id)
    found: dict[tuple[str, int], tuple[str, str]] = {}
    if ids := wanted.get(Message.Channel.EMAIL):
        rows = EmailVersion.objects.filter(pk__in=ids).values_list("pk", "subject", "email__name")
        found |= {("email", pk): (subject, name) for pk, subject, name in rows}
    if ids := wanted.get(Message.Channel.SMS):
        texts = SmsVersion.objects.filter(pk__in=ids).values_list("pk", "source")
        found |= {
            ("sms", pk): (source, f"SMS “{shorten(source, 50, placeholder='…')}”") for pk, source in texts
        }
    return found


def name_of(message: Message, names: VersionNames) -> tuple[str, str]:
    """Return the subject and the name of what a message says."""
    return names.get((message.channel, message.content_version_id), ("", ""))


def _last(message: Message, names: VersionNames) -> LastMessage:
    subject, name = name_of(message, names)
    status = Message.Status(message.status)
    return LastMessage(
        id=message.pk,
        subject=subject,
        email_name=name,
        status=status.value,
        status_label=str(status.label),
        reason=reason_words(message.reason),
        at=message.handed_at or message.queued_at,
    )
