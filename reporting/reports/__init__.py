"""The Reports tab: a period, the counters' sums in it, what became of messages, and what came of it all."""
