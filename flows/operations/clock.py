"""A flow's clock on its row: when it strikes next, and up to when it has. The caller holds the row and saves it."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flows.clock import judges_daily, next_strike
from flows.document import FlowDocument
from flows.models import Flow

FIELDS: Final = ["clock_at", "clock_since", "judges_daily"]


def wind(flow: Flow, document: FlowDocument, *, now: dt.datetime, anew: bool) -> None:
    """Set the clock at a start (`anew`), or at a save of a flow that is on: nothing from before now strikes, unless
    it is due already. People may wait with older criteria, so judging by the day does not stop before the end."""
    flow.judges_daily = judges_daily(document) or (flow.judges_daily and not anew)
    is_due = flow.clock_at is not None and flow.clock_at <= now
    if anew or not is_due or flow.clock_since is None:
        flow.clock_since = now
    flow.clock_at = next_strike(document, after=flow.clock_since, daily=flow.judges_daily)


def struck(flow: Flow, document: FlowDocument, *, now: dt.datetime) -> None:
    """Note that everything up to now has struck."""
    flow.clock_since = now
    flow.clock_at = next_strike(document, after=now, daily=flow.judges_daily)


def stop(flow: Flow) -> None:
    """Let nothing strike any more."""
    flow.clock_at, flow.clock_since, flow.judges_daily = None, None, False
