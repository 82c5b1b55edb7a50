"""A flow's report out of the counters: totals for all time, the days' sums for a period. Ten queries at most.

Cost does not depend on how many participants there are: a flow of 20 steps has some 100 sums a day. What is told by
messages, sales and single participations is asked for apart (messages.py, outcomes.py).
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.document import FlowDocument, StepNode
from flows.models import Flow
from flows.steps.table import STEP_KINDS
from participants.counters import flow_counts, step_counts
from participants.counters_days import counts_between, flow_days
from participants.figures import DropOuts, FlowFigures, figures_from
from participants.queries import step_titles
from reporting.flow_summary import document_of
from reporting.numbers import StepNumbers, numbers_from
from reporting.reports.charts import Bar, Chart, Days, chart, spans
from reporting.reports.period import Period


@dataclass(frozen=True, slots=True)
class Line:
    """A step, or a branch of one, in the funnel. `share`: of all that entered the flow; of a branch, of its split."""

    id: uuid.UUID
    title: str
    depth: int
    numbers: StepNumbers
    share: float
    icon: str = ""
    family: str = ""
    taken: int | None = None
    is_removed: bool = False

    @property
    def is_branch(self) -> bool:
        """Whether it is a branch."""
        return self.taken is not None

    @property
    def indent(self) -> int:
        """How far it stands to the right."""
        return min(self.depth, 6)


@dataclass(frozen=True, slots=True)
class Series:
    """A chart with its name, its tone and what its bars open."""

    title: str
    tone: str
    query: str
    chart: Chart


@dataclass(frozen=True, slots=True)
class Report:
    """What the tab shows at once."""

    period: Period
    figures: FlowFigures
    before: FlowFigures | None
    active: int
    series: Sequence[Series]
    lines: Sequence[Line]

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, Bar]]]]:
        """The charts as a table: the days in words, and what each bar opens, beside it."""
        bars = zip(*(one.chart.bars for one in self.series), strict=True)
        queries = [one.query for one in self.series]
        return [(row[0].words, list(zip(queries, row, strict=True))) for row in bars]

    @property
    def ended(self) -> int:
        """Who ended in the period, by any way."""
        return self.figures.completed + self.figures.dropped + self.figures.cancelled

    @property
    def success_rate(self) -> float | None:
        """All time: of all enrolled. In a period: of those who ended in it, the others may still come to it."""
        return _rate(self.figures, all_time=self.period.first is None)

    @property
    def success_rate_before(self) -> float | None:
        """The same of the period before."""
        return _rate(self.before, all_time=False) if self.before else None

    @property
    def drops(self) -> list[tuple[DropOuts, int]]:
        """The reasons, with how many dropped out for each in the period before."""
        earlier = {drop.reason: drop.number for drop in self.before.dropped_by} if self.before else {}
        return [(drop, earlier.get(drop.reason, 0)) for drop in self.figures.dropped_by]


def _rate(figures: FlowFigures, *, all_time: bool) -> float | None:
    if all_time:
        return figures.success_rate
    ended = figures.completed + figures.dropped + figures.cancelled
    return 100 * figures.success / ended if ended else None


def report_of(flow: Flow, period: Period) -> Report:
    """Return the report of a flow for a period."""
    now = figures_from(flow_counts([flow.pk])[flow.pk])
    steps = step_counts(flow.pk)
    before = period.before if period.compares else None
    if period.first is None:
        figures = now
    else:
        counts = counts_between(flow_id=flow.pk, first=period.first, last=period.last)
        figures, steps = figures_from(_of_flow(counts)), _in_period(counts, steps)
    figures_before = None
    if before and before.first:
        figures_before = figures_from(
            _summed(flow_days(flow_id=flow.pk, first=before.first, last=before.last))
        )
    return Report(
        period=period,
        figures=figures,
        before=figures_before,
        active=now.active,
        series=_series(flow.pk, period, before),
        lines=_lines(flow, document_of(flow), steps, figures.enrolled),
    )


def period_figures(flow_id: int, period: Period) -> FlowFigures:
    """Return the figures of a period alone; two queries."""
    return figures_from(_summed(flow_days(flow_id=flow_id, first=period.first, last=period.last)))


def _of_flow(counts: Mapping[tuple[uuid.UUID | None, str], int]) -> dict[str, int]:
    return {measure: n for (step_id, measure), n in counts.items() if step_id is None}


def _summed(days: Days) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for measures in days.values():
        for measure, number in measures.items():
            sums[measure] += number
    return sums


def _in_period(
    counts: Mapping[tuple[uuid.UUID | None, str], int], ever: Mapping[uuid.UUID, Mapping[str, int]]
) -> dict[uuid.UUID, dict[str, int]]:
    """The steps' sums of the period; who is here is who is here now, whatever the period."""
    steps: dict[uuid.UUID, dict[str, int]] = {pk: {"here": one.get("here", 0)} for pk, one in ever.items()}
    for (step_id, measure), number in counts.items():
        if step_id is not None:
            one = steps.setdefault(step_id, {})
            one[measure] = number
            if measure.startswith("left:"):
                one["left"] = one.get("left", 0) + number
    return steps


def _series(flow_id: int, period: Period, before: Period | None) -> list[Series]:
    days = flow_days(flow_id=flow_id, first=period.first, last=period.last)
    earlier = (
        flow_days(flow_id=flow_id, first=before.first, last=before.last) if before and before.first else None
    )
    shift = (period.first - before.first).days if before and before.first and period.first else 0
    stretches = spans(period, days)
    made = (
        ("Enrolled", "accent", "when=enrolled", lambda day: day.get("enrolled", 0)),
        ("Finished with success", "info", "status=success&when=ended", lambda day: day.get("success", 0)),
        ("Dropped out", "warn", "status=dropped&when=ended", dropped_of),
    )
    return [
        Series(title, tone, query, chart(stretches, days, measure, before=earlier, shift=shift))
        for title, tone, query, measure in made
    ]


def dropped_of(day: Mapping[str, int]) -> int:
    """Return how many dropped out on a day, for any reason."""
    return sum(n for measure, n in day.items() if measure.startswith("dropped:"))


def _lines(
    flow: Flow, document: FlowDocument, steps: Mapping[uuid.UUID, Mapping[str, int]], enrolled: int
) -> list[Line]:
    lines = list(_walk(document.steps, steps, enrolled, 0))
    drawn = {line.id for line in lines}
    gone = [(pk, counts) for pk, counts in steps.items() if pk not in drawn and counts.get("entered")]
    titles = step_titles([flow.pk]) if gone else {}
    return lines + [
        Line(
            pk,
            titles.get(pk, "A step"),
            0,
            numbers_from(counts),
            _share(counts.get("entered", 0), enrolled),
            icon="trash",
            is_removed=True,
        )
        for pk, counts in gone
    ]


def _walk(
    nodes: Sequence[StepNode], steps: Mapping[uuid.UUID, Mapping[str, int]], enrolled: int, depth: int
) -> Iterator[Line]:
    for node in nodes:
        kind = STEP_KINDS[node.kind]
        numbers = numbers_from(steps.get(node.id, {}))
        share = _share(numbers.entered, enrolled)
        yield Line(
            node.id, node.title or kind.label, depth, numbers, share, icon=kind.icon, family=kind.family
        )
        for branch in node.branches:
            taken = (numbers.branches or {}).get(str(branch.id), 0)
            yield Line(
                branch.id,
                branch.name,
                depth + 1,
                numbers,
                numbers.share(branch.id),
                icon="git-fork",
                taken=taken,
            )
            yield from _walk(branch.steps, steps, enrolled, depth + 2)


def _share(number: int, of: int) -> float:
    return 100 * number / of if of else 0.0
