"""The timeframe of a flow's messages. The rules are in core.timeframe: delivery, which lies below, needs them too."""

from __future__ import annotations

import datetime as dt

from core.timeframe import NeverOpens, counts, is_open, next_open, timeframe_words, window
from flows.steps.base import Hold, StepContext

__all__ = [
    "NeverOpens", "counts", "is_open", "next_open", "outside_timeframe", "timeframe_words", "window",
]  # fmt: skip


def outside_timeframe(ctx: StepContext, opens: dt.datetime) -> Hold:
    """Hold until the timeframe opens; says which one it was."""
    words = timeframe_words(ctx.settings.messages.timeframe)
    reason = f"outside the timeframe ({words}; {ctx.settings.timezone})"
    return Hold(opens, reason, key="timeframe", values={"timeframe": words})
