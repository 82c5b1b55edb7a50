"""Columns of the participants' list after who it is: what may be shown, and how many there are to do something to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from participants.asked import Asked
from participants.counters import step_counts
from participants.figures import FlowFigures
from participants.models import Participant
from participants.queries import COMPLETED, ParticipantFilter, ParticipantPage

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


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown."""

    name: str
    title: str
    classes: str


def columns_of(names: Sequence[str]) -> list[Column]:
    """Return the columns with these names in the table's order; the usual ones where none is known."""
    chosen = [name for name in COLUMNS if name in names] or list(USUAL)
    return [Column(name, *COLUMNS[name]) for name in chosen]


@dataclass(frozen=True, slots=True)
class Matching:
    """How many match; `is_more` says that counting stopped there."""

    number: int
    is_more: bool = False

    @property
    def words(self) -> str:
        """12,431, or more than 10,000."""
        return f"more than {self.number:,}" if self.is_more else f"{self.number:,}"


def matching_number(
    *, flow_id: int, asked: Asked, narrowed: ParticipantFilter, figures: FlowFigures, page: ParticipantPage
) -> Matching:
    """Return how many match: known from the page or the counters, else counted up to MOST_COUNTED."""
    if page.older is None and page.newer is None:
        return Matching(len(page.rows))
    known = _known(flow_id, asked, figures)
    if known is not None:
        return Matching(max(known, len(page.rows)))
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
