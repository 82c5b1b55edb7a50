"""Work of requests that wait at the same time, done together: one of their threads does it for all.

A commit waits for the disk. While one thread waits, others come; instead of waiting for a commit each, they share the
next. Nobody is answered before the work is done. Must not know what the work is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

import structlog

Item = TypeVar("Item")
Result = TypeVar("Result")
_log = structlog.get_logger(__name__)


class _Place(Generic[Item, Result]):
    """Somebody who waits in a line. The gate opens when it has its result, or is the one to do the next work."""

    __slots__ = ("error", "gate", "is_done", "item", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: Exception | None = None
        self.is_done = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Combiner(Generic[Item, Result]):
    """Lines of one process, one for each key; in each, one thread at a time works for up to `most` who wait.

    `work` gets their items and returns a result for each, or None for whom it did nothing: whoever gets None does it
    alone. An error in the work of several is nobody's but one's: all of them get None; of one alone, it is raised.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result | None]],
        *,
        most: int = 50,
        patience: float = 0.001,
    ) -> None:
        self._work, self._most, self._patience = work, most, patience
        self._lock = threading.Lock()
        self._came = threading.Condition(self._lock)
        self._lines: dict[Hashable, list[_Place[Item, Result]]] = {}
        # How many there were last: where several come at a time, the next few are worth waiting for.
        self._last = 1

    def __call__(self, key: Hashable, item: Item) -> Result | None:
        """Have one item done with others of the same key; seconds of waiting are those of two works at most."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            line = self._lines.get(key)
            leads = line is None
            if line is None:
                line = self._lines[key] = []
            line.append(place)
            self._came.notify_all()
        if not leads:
            place.gate.acquire()
        if not place.is_done:
            self._lead(key, line)
        if place.error is not None:
            raise place.error
        return place.result

    def _lead(self, key: Hashable, line: list[_Place[Item, Result]]) -> None:
        """Work for the first in the line, whose thread this is, and for those behind it; then the next leads."""
        with self._lock:
            self._gather(line)
            together = line[: self._most]
            del line[: self._most]
            self._last = len(together)
        try:
            self._do(together)
        finally:
            with self._lock:
                following = line[0] if line else None
                if following is None:
                    del self._lines[key]
            for place in together:
                place.is_done = True
                place.gate.release()
            if following is not None:
                following.gate.release()

    def _gather(self, line: list[_Place[Item, Result]]) -> None:
        """Wait for about as many as there were last, but not when nobody comes any more."""
        while len(line) < min(self._last, self._most) and self._came.wait(self._patience):
            pass

    def _do(self, together: list[_Place[Item, Result]]) -> None:
        try:
            results = self._work([place.item for place in together])
        except Exception as error:  # noqa: BLE001 - handed to whoever it belongs to
            if len(together) == 1:
                together[0].error = error
            else:
                _log.warning("combined_work_failed", items=len(together), error=repr(error))
            return
        for place, result in zip(together, results, strict=True):
            place.result = result
