"""Columns of the participants' list after who it is: what may be shown, and how many there are to do something to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from flows.models import Step
from participants.asked import Asked
from participants.counters import step_counts
from participants.figures import FlowFigures
from participants.models import Participant
from participants.queries import COMPLETED, ParticipantFilter, ParticipantPage, participants_page
from participants.sorting import ALWAYS, SORTS, Order

COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "contact": ("Contact", ""),
    "company": ("Company", "col-wide"),
    "enrolled": ("Enrolled", "col-wide nowrap"),
    "source": ("Enrolled by", "col-wide"),
    "status": ("Status", ""),
    "reason": ("Drop-out reason", "col-wide"),
    "step": ("Current step", ""),
    "since": ("There since", "col-wide nowrap"),
    "until": ("Waits until", "col-wide nowrap"),
    "success": ("Success met", "col-wide nowrap"),
    "ended": ("Ended", "col-wide nowrap"),
    "message": ("Last message", "col-wide"),
    "message_at": ("When", "col-wide nowrap"),
    "message_status": ("Its status", "col-wide"),
}
# spec: e-mail address, company, enrolled, status, current step, last message, when, its status.
USUAL: Final = ("contact", "company", "enrolled", "status", "step", "message", "message_at", "message_status")
MOST_COUNTED: Final = 10_000
_STATUSES: Final = Participant.Status.choices


# Orders to choose where there is no head to press: at phone width.
_ORDERS: Final = {
    "-enrolled": "Newest first",
    "enrolled": "Oldest first",
    "until": "Next to go on first",
    "-ended": "Ended last first",
    "-success": "Success met last first",
    "contact": "Contact, A to Z",
    "company": "Company, A to Z",
    "status": "Status",
    "step": "Current step",
}
# How the ways to the pages before and after are called.
ORDER_WAYS: Final = {"-enrolled": ("Newer", "Older"), "enrolled": ("Older", "Newer")}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown."""

    name: str
    title: str
    classes: str
    # What sorts it, "" where nothing does.
    sort: str


def columns_of(names: Sequence[str]) -> list[Column]:
    """Return the columns with these names in the table's order; the usual ones where none is known."""
    chosen = [name for name in COLUMNS if name in names] or list(USUAL)
    return [Column(name, *COLUMNS[name], name if name in SORTS else "") for name in chosen]


def offered_orders(few: bool, order: Order) -> list[tuple[str, str]]:
    """Return the orders to choose from, with the one that the heads chose."""
    found = [(sort, label) for sort, label in _ORDERS.items() if few or sort.removeprefix("-") in ALWAYS]
    if order.asked not in _ORDERS:
        title = "Email address" if order.by == "email" else COLUMNS[order.by][0]
        found.append((order.asked, f"{title}, {'downwards' if order.descending else 'upwards'}"))
    return found


def sorts_of_many() -> str:
    """Name the columns that sort a list of very many: Enrolled, Waits until, Success met and Ended."""
    *first, last = (COLUMNS[name][0] for name in COLUMNS if name in ALWAYS)
    return f"{', '.join(first)} and {last}"


def without_sorts_for_few(columns: Sequence[Column]) -> list[Column]:
    """Return the columns of a list of very many: only what an index has in its order sorts."""
    return [replace(column, sort=column.sort if column.sort in ALWAYS else "") for column in columns]


@dataclass(frozen=True, slots=True)
class Matching:
    """How many match; `is_more` says that counting stopped there."""

    number: int
    is_more: bool = False

    @property
    def words(self) -> str:
        """12,431, or more than 10,000."""
        return f"more than {self.number:,}" if self.is_more else f"{self.number:,}"


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list with how many match, and whether they are few enough for any order and for groups."""

    page: ParticipantPage
    matching: Matching

    @property
    def few(self) -> bool:
        """Whether every column sorts and groups can be made."""
        return not self.matching.is_more and self.matching.number <= MOST_COUNTED


def listed(*, flow_id: int, asked: Asked, figures: FlowFigures) -> Listed:
    """Return the page that the address asks for. How many match is known from the page, the counters, or counted up to
    MOST_COUNTED; an order of its own, or groups, must know it first."""
    narrowed = asked.as_filter()

    def page(few: bool) -> ParticipantPage:
        return participants_page(
            flow_id=flow_id,
            narrowed=narrowed,
            after=asked.after,
            before=asked.before,
            order=asked.order,
            few=few,
        )

    if asked.order.is_usual:
        found = page(False)
        if found.previous is None and found.next is None:
            return Listed(found, Matching(len(found.rows)))
        number = _matching_number(flow_id, asked, narrowed, figures)
        return Listed(found, replace(number, number=max(number.number, len(found.rows))))
    number = _matching_number(flow_id, asked, narrowed, figures)
    return Listed(page(not number.is_more and number.number <= MOST_COUNTED), number)


@dataclass(frozen=True, slots=True)
class BigGroup:
    """A group of a list that is too long to be grouped: what narrows the list to it."""

    label: str
    number: int
    name: str
    value: str


def big_groups(flow_id: int, asked: Asked, figures: FlowFigures) -> list[BigGroup]:
    """Return the groups of the whole flow with what the counters know of them; none where the list is narrowed, or by
    company. Two queries at most."""
    if asked.narrowed:
        return []
    if asked.order.group == "status":
        numbers = {
            "active": figures.active,
            "finished": figures.finished,
            "success": figures.success,
            "dropped": figures.dropped,
            "cancelled": figures.cancelled,
        }
        found = [BigGroup(str(label), numbers[value], "status", value) for value, label in _STATUSES]
    elif asked.order.group == "reason":
        found = [BigGroup(drop.label, drop.number, "reason", drop.reason) for drop in figures.dropped_by]
    elif asked.order.group == "step":
        counts = step_counts(flow_id)
        steps = Step.objects.filter(flow_id=flow_id).values_list("pk", "title")
        found = [BigGroup(title, counts.get(pk, {}).get("here", 0), "step", str(pk)) for pk, title in steps]
    else:
        return []
    return [group for group in found if group.number]


def _matching_number(
    flow_id: int, asked: Asked, narrowed: ParticipantFilter, figures: FlowFigures
) -> Matching:
    known = _known(flow_id, asked, figures)
    if known is not None:
        return Matching(known)
    rows = narrowed.apply(Participant.objects.filter(flow_id=flow_id)).order_by().values("pk")
    found = rows[: MOST_COUNTED + 1].count()
    return Matching(min(found, MOST_COUNTED), found > MOST_COUNTED)


def _known(flow_id: int, asked: Asked, figures: FlowFigures) -> int | None:
    """Return what the counters know by themselves."""
    if asked.search or asked.held or asked.by_visit or asked.by_report:
        return None
    if asked.step_id is not None:
        active = asked.status == "active" and not asked.reason
        return step_counts(flow_id).get(asked.step_id, {}).get("here", 0) if active else None
    if asked.reason:
        drops = {drop.reason: drop.number for drop in figures.dropped_by}
        return drops.get(asked.reason, 0) if asked.status in {"", "dropped"} else 0
    return {
        "": figures.enrolled,
        "active": figures.active,
        "finished": figures.finished,
        "success": figures.success,
        COMPLETED: figures.completed,
        "dropped": figures.dropped,
        "cancelled": figures.cancelled,
    }[asked.status]
