"""How many participants a batch takes: as many as take about a second, so that nobody waits long for it to end."""

from __future__ import annotations

SECONDS = 1.0
FEWEST = 50


class Pace:
    """The size of the next batch of one process, learnt from the last full one. Begins with `most`."""

    def __init__(self, *, most: int) -> None:
        self.most, self.size = most, most

    def took(self, seconds: float, *, number: int) -> None:
        """Learn from a batch; one that was not full says little. Grows and shrinks by half or double at once."""
        if number < self.size or seconds <= 0:
            return
        wanted = self.size * SECONDS / seconds
        bounded = max(self.size / 2, min(self.size * 2, wanted))
        self.size = max(min(FEWEST, self.most), min(self.most, round(bounded)))
