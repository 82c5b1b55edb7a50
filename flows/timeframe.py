"""The timeframe of a flow's messages. The rules are in core.timeframe: delivery, which lies below, needs them too."""

from core.timeframe import NeverOpens, counts, is_open, next_open, window

__all__ = ["NeverOpens", "counts", "is_open", "next_open", "window"]
