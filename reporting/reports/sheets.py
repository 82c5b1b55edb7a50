"""The parts of a report as rows of a file, headings first. Small: a row a step, day, reason or message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from flows.models import Flow
from participants.counters_days import flow_days
from reporting.reports.messages import message_rows
from reporting.reports.report import dropped_of, report_of

Rows = Iterator[Sequence[object]]


def steps(flow: Flow, asked: Mapping[str, Any]) -> Rows:
    """A row a step and branch, in the order of the canvas."""
    yield (
        "Step", "Branch", "Entered", "Here now", "Went on", "Skipped", "Left", "Share of enrolled, %", "Removed"
    )  # fmt: skip
    title = ""
    for line in report_of(flow, asked["period"]).lines:
        n = line.numbers
        if line.is_branch:
            yield (title, line.title, line.taken, "", "", "", "", round(line.share, 2), "")
            continue
        title = line.title
        yield (
            title, "", n.entered, n.here, n.went_on, n.skipped, n.left, round(line.share, 2),
            "yes" if line.is_removed else "",
        )  # fmt: skip


def days(flow: Flow, asked: Mapping[str, Any]) -> Rows:
    """A row a day on which anything happened."""
    period = asked["period"]
    yield ("Day", "Enrolled", "Finished with success", "Finished", "Dropped out", "Cancelled", "Success met")
    for day, sums in flow_days(flow_id=flow.pk, first=period.first, last=period.last).items():
        ended = (sums.get(name, 0) for name in ("success", "finished"))
        yield (
            day.isoformat(), sums.get("enrolled", 0), *ended, dropped_of(sums), sums.get("cancelled", 0),
            sums.get("success_met", 0),
        )  # fmt: skip


def reasons(flow: Flow, asked: Mapping[str, Any]) -> Rows:
    """A row a drop-out reason, largest first."""
    yield ("Reason", "Dropped out", "Share of enrolled, %")
    for drop in report_of(flow, asked["period"]).figures.dropped_by:
        yield (drop.label, drop.number, round(drop.share, 2))


def messages(flow: Flow, asked: Mapping[str, Any]) -> Rows:
    """A row a message of a step."""
    yield (
        "Step", "Email", "Channel", "Recipients", "Sent", "Delivered", "Opened", "Clicked", "Came back", "Complained",
        "Unsubscribed", "Not sent", "Open rate, %", "Click rate, %", "Clicked of opened, %",
    )  # fmt: skip
    for row in message_rows(**asked).rows:
        rates = (row.open_rate, row.click_rate, row.click_to_open)
        yield (
            row.step, row.name, row.channel, row.recipients, row.sent, row.delivered, row.opened, row.clicked,
            row.bounced, row.states.get("complained", 0), row.unsubscribed, row.not_sent,
            *("" if rate is None else round(rate, 2) for rate in rates),
        )  # fmt: skip


SHEETS: Final[Mapping[str, Callable[[Flow, Mapping[str, Any]], Rows]]] = {
    "steps": steps,
    "days": days,
    "reasons": reasons,
    "messages": messages,
}
