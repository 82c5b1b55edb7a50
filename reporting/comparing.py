"""Flows beside each other: the same numbers of each, and who is best. Reads, never writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count

from accounts.models import Membership
from delivery.models import Message
from flows.models import Flow
from flows.visibility import visible_flows
from participants.figures import FlowFigures, flow_figures
from participants.flow_page import Status, status_of
from reporting.numbers import SENT

MOST: Final = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of one flow: a count or a share in percent, and the share of the largest, for the bar."""

    number: float | None
    is_rate: bool
    is_best: bool = False
    bar: int = 0
    query: str = ""
    flow_id: int = 0

    @property
    def opens(self) -> bool:
        """Whether there is anybody behind it."""
        return bool(self.number and self.flow_id)


@dataclass(frozen=True, slots=True)
class Row:
    """A measure over all flows."""

    title: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Compared:
    """The flows in the order asked for, with the numbers."""

    flows: list[Flow]
    rows: list[Row]

    @property
    def statuses(self) -> list[tuple[Flow, Status]]:
        """The flows with their badges."""
        return [(flow, status_of(flow)) for flow in self.flows]


def compared(*, member: Membership, flow_ids: Sequence[int]) -> Compared:
    """Return at most MOST of the flows that the member sees. Four queries, whatever their size."""
    wanted = list(dict.fromkeys(flow_ids))[:MOST]
    there = visible_flows(member).select_related("owner", "folder").defer("draft").in_bulk(wanted)
    flows = [there[pk] for pk in wanted if pk in there]
    figures = flow_figures([flow.pk for flow in flows])
    sent = _messages([flow.pk for flow in flows])
    rows = [
        _row(title, [measure(figures[flow.pk]) for flow in flows], query) for title, measure, query in _COUNTS
    ]
    rows += [
        _rate(title, [measure(figures[flow.pk]) for flow in flows], low, query)
        for title, measure, low, query in _RATES
    ]
    rows.append(_row("Messages sent", [sent[flow.pk][0] for flow in flows], "got=sent"))
    for title, at in (("Opened", 1), ("Clicked", 2)):
        shares = [100 * sent[flow.pk][at] / sent[flow.pk][0] if sent[flow.pk][0] else None for flow in flows]
        rows.append(_rate(title, shares, low=False, query=f"got={title.lower()}"))
    return Compared(flows, [Row(row.title, _opening(row.cells, flows)) for row in rows])


def _opening(cells: Sequence[Cell], flows: Sequence[Flow]) -> list[Cell]:
    """Each number opens the people of its own flow."""
    return [replace(cell, flow_id=flow.pk) for cell, flow in zip(cells, flows, strict=True)]


_COUNTS: Final[list[tuple[str, Callable[[FlowFigures], int], str]]] = [
    ("Enrolled", lambda one: one.enrolled, ""),
    ("In progress", lambda one: one.active, "status=active"),
    ("Completed", lambda one: one.completed, "status=completed"),
    ("Finished with success", lambda one: one.success, "status=success"),
    ("Dropped out", lambda one: one.dropped, "status=dropped"),
    ("Cancelled", lambda one: one.cancelled, "status=cancelled"),
]


def _share(number: int, of: int) -> float | None:
    return 100 * number / of if of else None


_RATES: Final[list[tuple[str, Callable[[FlowFigures], float | None], bool, str]]] = [
    ("Success rate", lambda one: one.success_rate, False, "status=success"),
    ("Completed of enrolled", lambda one: _share(one.completed, one.enrolled), False, "status=completed"),
    ("Dropped out of enrolled", lambda one: _share(one.dropped, one.enrolled), True, "status=dropped"),
]


def _row(title: str, numbers: Sequence[int], query: str = "") -> Row:
    most = max(numbers, default=0)
    return Row(
        title,
        [
            Cell(number, False, bar=round(100 * number / most) if most else 0, query=query)
            for number in numbers
        ],
    )


def _rate(title: str, numbers: Sequence[float | None], low: bool, query: str) -> Row:
    """The best is the highest, or the lowest where less is better; nobody is when all are equal or one is alone."""
    known = [number for number in numbers if number is not None]
    best = (min(known) if low else max(known)) if len(set(known)) > 1 else None
    cells = [
        Cell(n, True, is_best=n is not None and n == best, bar=round(n or 0), query=query) for n in numbers
    ]
    return Row(title, cells)


def _messages(flow_ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    """Return how many messages of each flow were sent, opened (a click is an opening too) and clicked."""
    rows = Message.objects.filter(flow_id__in=flow_ids, status__in=SENT).order_by()
    found = {pk: [0, 0, 0] for pk in flow_ids}
    for flow_id, status, number in rows.values_list("flow_id", "status").annotate(number=Count("id")):
        one = found[flow_id]
        one[0] += number
        one[1] += number if status in {"opened", "clicked"} else 0
        one[2] += number if status == "clicked" else 0
    return {pk: (one[0], one[1], one[2]) for pk, one in found.items()}
