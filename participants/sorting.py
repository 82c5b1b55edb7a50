"""The participants' list in an order, and in groups: which there are, and a page of them.

Few (participants.columns.MOST_COUNTED at most): one query reads their ids and what decides, they are put in order here,
and any column sorts and groups. Very many: by the moments that have an index of their own, else as they came in. Either
way a page goes on from the participant at its edge. Reads only.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, NullIf

from content.models import EmailVersion, SmsVersion
from core.text import norm
from crm.models import Contact
from delivery.models import Message
from flows.models import Step
from participants.figures import reason_label
from participants.models import Participant
from participants.words import source_words

ACTIVE: Final = Participant.Status.ACTIVE
ENROLLED: Final = "enrolled"
_STATUSES: Final = {value: rank for rank, value in enumerate(Participant.Status.values)}
_MESSAGE_STATUSES: Final = {value: rank for rank, value in enumerate(Message.Status.values)}
Ranks = Mapping[uuid.UUID, tuple[int, str]]


def _of_contact(name: str) -> Subquery:
    return Subquery(Contact.objects.filter(pk=OuterRef("contact_id"), deleted_at=None).values(name)[:1])


def _of_message(value: Any) -> Subquery:
    # The enrolment day keeps PostgreSQL to one partition.
    messages = Message.objects.filter(enrolled_on=OuterRef("enrolled_on"), pk=OuterRef("last_message_id"))
    return Subquery(messages.annotate(asked=value).values("asked")[:1])


def _name_of_message() -> Case:
    """What the column shows of a message: the email's name, else its subject; the words of an SMS."""
    version = OuterRef("content_version_id")
    email = EmailVersion.objects.filter(pk=version)
    name = Coalesce(NullIf("email__name", Value("")), "subject", output_field=TextField())
    sms = SmsVersion.objects.filter(pk=version)
    text = Concat(Value("SMS “"), "source", output_field=TextField())
    return Case(
        When(channel=Message.Channel.EMAIL, then=Subquery(email.annotate(asked=name).values("asked")[:1])),
        When(channel=Message.Channel.SMS, then=Subquery(sms.annotate(asked=text).values("asked")[:1])),
        output_field=TextField(),
    )


def _plain(value: Any, ranks: Ranks) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Sort:
    """What decides an order: what is read, and how it is compared (None and "" come last either way)."""

    read: Callable[[], Any]
    rank: Callable[[Any, Ranks], Any] = _plain
    # The moment that an index of the flow's participants has in its order.
    indexed: str = ""


# By the name of the column; the first, the email address, is always shown.
SORTS: Final[Mapping[str, Sort]] = {
    "email": Sort(lambda: _of_contact("email_norm")),
    "contact": Sort(lambda: _of_contact("name_norm")),
    "company": Sort(lambda: _of_contact("company__name_norm")),
    ENROLLED: Sort(lambda: F("pk")),
    "source": Sort(lambda: F("source"), lambda value, _: source_words(value)),
    "status": Sort(lambda: F("status"), lambda value, _: _STATUSES[value]),
    "reason": Sort(lambda: F("drop_reason"), lambda value, _: value and reason_label(value)),
    "step": Sort(lambda: F("step_id"), lambda value, ranks: ranks.get(value)),
    "since": Sort(lambda: Case(When(status=ACTIVE, then=F("step_since")))),
    "until": Sort(lambda: F("due_at"), indexed="due_at"),
    "success": Sort(lambda: F("success_at"), indexed="success_at"),
    "ended": Sort(lambda: F("ended_at"), indexed="ended_at"),
    "message": Sort(lambda: _of_message(_name_of_message()), lambda value, _: value and norm(value)),
    "message_at": Sort(lambda: _of_message(Coalesce("handed_at", "queued_at"))),
    "message_status": Sort(
        lambda: _of_message(F("status")), lambda value, _: value and _MESSAGE_STATUSES.get(value)
    ),
}
# Sorts however many there are.
ALWAYS: Final = frozenset({ENROLLED, *(name for name, sort in SORTS.items() if sort.indexed)})
GROUPS: Final = {
    "status": "Status",
    "step": "Current step",
    "company": "Company",
    "reason": "Drop-out reason",
}


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is laid out: by a key of SORTS, in groups of a key of GROUPS or none."""

    by: str = ENROLLED
    descending: bool = True
    group: str = ""

    @property
    def is_usual(self) -> bool:
        """Whether it is as they came in, without groups."""
        return self.by == ENROLLED and not self.group

    @property
    def asked(self) -> str:
        """How an address asks for it."""
        return f"-{self.by}" if self.descending else self.by

    @property
    def has_index(self) -> bool:
        """Whether very many can have it too."""
        return self.by in ALWAYS

    def for_many(self) -> Order:
        """Return the order that very many can have: this one where an index has it."""
        return Order(self.by, self.descending) if self.by in ALWAYS else Order()


USUAL_ORDER: Final = Order()


def asked_order(sort: str, group: str) -> Order:
    """Read an address: `-ended` is downwards; unknown means newest first, and no groups."""
    group = group if group in GROUPS else ""
    # As addresses said it before columns sorted.
    name = {"": "-enrolled", "oldest": "enrolled"}.get(sort, sort)
    if (by := name.removeprefix("-")) not in SORTS:
        return Order(group=group)
    return Order(by, name.startswith("-"), group)


@dataclass(frozen=True, slots=True)
class Group:
    """A group's label, and how many of the list are in it."""

    label: str
    number: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """A page in its order; `groups` names the group of each, in a grouped list."""

    participants: Sequence[Participant]
    has_previous: bool
    has_next: bool
    groups: Mapping[int, Group] = field(default_factory=dict)


def few_in_order(
    rows: QuerySet[Participant],
    *,
    flow_id: int,
    order: Order,
    after: int | None,
    before: int | None,
    size: int,
) -> Ordered:
    """Return a page of a list of few: the rows behind `after`, or those before `before`. Three queries at most."""
    ranks = _ranks(flow_id) if "step" in {order.by, order.group} else {}
    grouping = _GROUPING[order.group] if order.group else None
    read = {"by": SORTS[order.by].read()}
    if grouping is not None:
        read["in_group"] = grouping.read()
    found = list(rows.order_by().annotate(**read).values_list("pk", *read))
    ids = _in_order(found, order, ranks)
    labels: dict[int, str] = {}
    if grouping is not None:
        places = {pk: grouping.place(value, ranks) for pk, _, value in found}
        ids.sort(key=lambda pk: places[pk][:2])
        labels = {pk: place[2] for pk, place in places.items()}
    numbers = Counter(labels.values())
    begin, end = _slice(ids, after=after, before=before, size=size)
    by_id = Participant.objects.in_bulk(ids[begin:end])
    return Ordered(
        participants=[by_id[pk] for pk in ids[begin:end] if pk in by_id],
        has_previous=begin > 0,
        has_next=end < len(ids),
        groups={pk: Group(labels[pk], numbers[labels[pk]]) for pk in ids[begin:end]} if labels else {},
    )


def _in_order(found: Sequence[tuple[Any, ...]], order: Order, ranks: Ranks) -> list[int]:
    rank = SORTS[order.by].rank
    valued: list[tuple[Any, int]] = []
    without: list[int] = []
    for pk, value, *_ in found:
        ranked = rank(value, ranks)
        if ranked is None or ranked == "":
            without.append(pk)
        else:
            valued.append((ranked, pk))
    valued.sort(reverse=order.descending)
    return [pk for _, pk in valued] + sorted(without, reverse=order.descending)


def _slice(ids: Sequence[int], *, after: int | None, before: int | None, size: int) -> tuple[int, int]:
    """Return the page's bounds; an edge that is not in the list any more means its beginning."""
    if after is not None and after in ids:
        begin = ids.index(after) + 1
        return begin, min(begin + size, len(ids))
    if after is None and before is not None and before in ids:
        end = ids.index(before)
        return max(0, end - size), end
    return 0, min(size, len(ids))


@dataclass(frozen=True, slots=True)
class _Grouping:
    """What decides a group, and where it stands: (first, among those the order, label)."""

    read: Callable[[], Any]
    place: Callable[[Any, Ranks], tuple[int, Any, str]]


def _by_status(value: Any, ranks: Ranks) -> tuple[int, Any, str]:
    return 0, _STATUSES[value], str(Participant.Status(value).label)


def _by_step(value: Any, ranks: Ranks) -> tuple[int, Any, str]:
    if value == _LEFT:
        return 2, 0, "Not in the flow any more"
    if value == "":
        return 0, 0, "Before the first step"
    rank, title = ranks.get(uuid.UUID(value), (0, "A step that is gone"))
    return 1, (rank, value), title


def _by_reason(value: Any, ranks: Ranks) -> tuple[int, Any, str]:
    return (0, reason_label(value), reason_label(value)) if value else (1, "", "Did not drop out")


def _by_company(value: Any, ranks: Ranks) -> tuple[int, Any, str]:
    return (0, norm(value), value) if value else (1, "", "No company")


def _step_or_left() -> Case:
    step = Coalesce(Cast("step_id", TextField()), Value(""))
    return Case(When(status=ACTIVE, then=step), default=Value(_LEFT), output_field=TextField())


def _ranks(flow_id: int) -> Ranks:
    steps = Step.objects.filter(flow_id=flow_id).values_list("pk", "rank", "title")
    return {pk: (rank, title) for pk, rank, title in steps}


_LEFT: Final = "left"
_GROUPING: Final[Mapping[str, _Grouping]] = {
    "status": _Grouping(lambda: F("status"), _by_status),
    "step": _Grouping(_step_or_left, _by_step),
    "reason": _Grouping(lambda: F("drop_reason"), _by_reason),
    "company": _Grouping(lambda: _of_contact("company__name"), _by_company),
}


def many_in_order(
    rows: QuerySet[Participant],
    *,
    order: Order,
    after: int | None,
    before: int | None,
    size: int,
    not_by_index: bool = False,
) -> Ordered:
    """Return a page of a list of any length, by an index of the flow's participants: the rows behind `after`, or those
    before `before`. Three queries at most. `not_by_index`: they are few of the flow, and found another way."""
    backwards = before is not None and after is None
    edge = before if backwards else after
    walk = _Walk(rows, order.descending != backwards, size + 1, not_by_index)
    moment = SORTS[order.by].indexed
    found = walk.by_moment(moment, edge, backwards=backwards) if moment else walk.by_id(edge)
    more, page = len(found) > size, found[:size]
    return Ordered(
        participants=page[::-1] if backwards else page,
        has_previous=bool(page) and (more if backwards else after is not None),
        has_next=bool(page) and (backwards or more),
    )


@dataclass(frozen=True, slots=True)
class _Walk:
    """Reads `most` rows from an edge on, downwards or upwards."""

    rows: QuerySet[Participant]
    down: bool
    most: int
    not_by_index: bool

    def by_id(self, edge: int | None, most: int | None = None) -> list[Participant]:
        """By the order in which they came in."""
        rows = self.rows if edge is None else self.rows.filter(**{self._beyond("pk"): edge})
        # Who is searched for is found by contact and sorted then: the flow's index would be walked through for them.
        key = F("pk") + 0 if self.not_by_index else F("pk")
        return list(rows.order_by(key.desc() if self.down else key.asc())[: most or self.most])

    def by_moment(self, name: str, edge: int | None, *, backwards: bool) -> list[Participant]:
        """By a moment of theirs; those without it come last, as they came in."""
        at = Participant.objects.filter(pk=edge).values_list(name, flat=True).first() if edge else None
        without = _Walk(self.rows.filter(**{name: None}), self.down, self.most, self.not_by_index)
        if not backwards:
            if edge is not None and at is None:
                return without.by_id(edge)
            found = self._dated(name, at, edge)
            left = self.most - len(found)
            return found + (without.by_id(None, left) if left else [])
        if at is not None:
            return self._dated(name, at, edge)
        found = without.by_id(edge)
        left = self.most - len(found)
        return found + (self._dated(name, None, None)[:left] if left else [])

    def _dated(self, name: str, at: dt.datetime | None, edge: int | None) -> list[Participant]:
        # `due_at` is of active ones alone: said, the index of those can be used.
        rows = (
            self.rows.filter(status=ACTIVE)
            if name == "due_at"
            else self.rows.filter(**{f"{name}__isnull": False})
        )
        if name == "due_at":
            rows = rows.filter(due_at__isnull=False)
        if at is not None:
            further = Q(**{self._beyond(name): at}) | Q(**{name: at, self._beyond("pk"): edge})
            rows = rows.filter(Q(**{f"{self._beyond(name)}e": at}) & further)
        sign = "-" if self.down else ""
        return list(rows.order_by(f"{sign}{name}", f"{sign}pk")[: self.most])

    def _beyond(self, name: str) -> str:
        return f"{name}__{'lt' if self.down else 'gt'}"
