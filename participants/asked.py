"""The address of the participants' list, read: what it is narrowed to, how it is laid out. Unknown values mean nothing.

The same address goes along with what is done to everybody who matches, so pages, files and jobs mean the same people.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.http import QueryDict

from accounts.models import Membership
from accounts.queries import tenant_zone
from accounts.rights import DataObject, Reach
from core.localtime import span
from core.tenancy import require_tenant_id
from participants.got import GOT, MessageFilter
from participants.held_people import HELD_BY
from participants.models import Participant, Visit
from participants.queries import COMPLETED, WHENS, ParticipantFilter
from participants.search import contacts_matching
from participants.sorting import USUAL_ORDER, Order, asked_order

# What the numbers of a report ask for, by their names in the URL.
REPORT_FIELDS = ("when", "from", "to", "got", "of", "email", "link", "took", "bought", "since", "met")
# Of one branch, in an address.
MOST_STEPS = 80
# A hundred years: nothing takes longer.
MOST_SECONDS = 100 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Asked:
    """The list's URL, read: unknown values narrow nothing."""

    status: str
    step_id: uuid.UUID | None
    reason: str
    search: str
    before: int | None
    after: int | None
    visited: uuid.UUID | None = None
    went: str = ""
    branch_id: uuid.UUID | None = None
    # Who stands at one of these steps: those in a branch.
    at: tuple[uuid.UUID, ...] = ()
    order: Order = USUAL_ORDER
    when: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    got: MessageFilter | None = None
    took: tuple[int, int | None] | None = None
    bought: str = ""
    since: dt.datetime | None = None
    met: bool = False
    held: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether anything is filtered."""
        chosen = self.status or self.step_id or self.reason or self.search or self.held
        return bool(chosen or self.by_visit or self.by_report)

    @property
    def by_report(self) -> bool:
        """Whether it asks what only reports ask: a period, messages, how long, who bought or met success."""
        return bool(self.when or self.got or self.took or self.bought or self.since or self.met)

    @property
    def by_visit(self) -> bool:
        """Whether it asks who passed or left a step, or took a branch: what the numbers on the canvas open."""
        return self.visited is not None or self.branch_id is not None or bool(self.at)

    def as_filter(self) -> ParticipantFilter:
        """Return what the query narrows by; a search is turned into contacts here, days into moments."""
        begin, end = self._moments()
        return ParticipantFilter(
            when=self.when,
            begin=begin,
            end=end,
            got=self.got,
            took=self.took,
            bought=self.bought,
            since=self.since,
            met=self.met,
            held=self.held,
            status=self.status,
            step_id=self.step_id,
            reason=self.reason,
            contact_ids=contacts_matching(self.search) if self.search else None,
            visited=self.visited,
            went=self.went,
            branch_id=self.branch_id,
            at=self.at,
        )

    def _moments(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        if not self.last:
            return None, None
        return span(self.first, self.last, tenant_zone(require_tenant_id()))


def asked(data: QueryDict, member: Membership) -> Asked:
    """Read the list's URL. Who bought is told to those who may read all sales."""
    sees_sales = member.reach(DataObject.SALE, "read") == Reach.ALL
    status, reason = data.get("status", ""), data.get("reason", "")
    return Asked(
        status=status if status in {*Participant.Status.values, COMPLETED} else "",
        step_id=_uuid(data.get("step", "")),
        reason=reason if reason in Participant.DropReason.values else "",
        search=data.get("q", "").strip()[:100],
        before=number(data.get("before", "")),
        after=number(data.get("after", "")),
        visited=_uuid(data.get("visited", "")),
        went=data.get("went", "") if data.get("went") in {Visit.Ended.WENT_ON, Visit.Ended.LEFT} else "",
        branch_id=_uuid(data.get("branch", "")),
        at=tuple(step for text in data.getlist("at")[:MOST_STEPS] if (step := _uuid(text)) is not None),
        order=asked_order(data.get("sort", ""), data.get("group", "")),
        when=data.get("when", "")
        if data.get("when") in {*WHENS, "came", "left", "message", "bought"}
        else "",
        first=_day(data.get("from", "")),
        last=_day(data.get("to", "")),
        got=_got(data),
        took=_took(data.get("took", "")),
        bought=data.get("bought", "")[:3] if sees_sales else "",
        since=_moment(data.get("since", "")),
        met=data.get("met") == "1",
        held=data.get("held", "") if data.get("held") in HELD_BY else "",
    )


def _took(text: str) -> tuple[int, int | None] | None:
    low, _, high = text.partition("-")
    if (least := number(low)) is None or least > MOST_SECONDS:
        return None
    return least, min(most, MOST_SECONDS) if (most := number(high)) is not None else None


def _got(data: QueryDict) -> MessageFilter | None:
    if (state := data.get("got", "")) not in GOT:
        return None
    return MessageFilter(
        state, _uuid(data.get("of", "")), number(data.get("email", "")), data.get("link", "")[:80]
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str) -> dt.datetime | None:
    """Read a moment with its offset from UTC; without one it means nothing."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None and 1900 < moment.year < 3000 else None


def number(text: str) -> int | None:
    """Return an id out of a URL, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
