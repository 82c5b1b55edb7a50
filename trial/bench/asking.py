"""Requests over a few kept connections as fast as a web server answers them, with the time that each took."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# What a person's mail program and browser say.
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass(slots=True)
class Answers:
    """What came back: how often each status, seconds each, and seconds over all."""

    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.took) / self.seconds

    def within(self, share: float) -> float:
        """Return the milliseconds within which this share of the answers came."""
        return sorted(self.took)[min(len(self.took) - 1, int(share * len(self.took)))] * 1000


def ask(port: int, paths: Sequence[str], *, connections: int) -> Answers:
    """GET every path once; each connection asks for the next path when its answer has come."""
    return asyncio.run(_ask_all(port, paths, connections))


async def _ask_all(port: int, paths: Sequence[str], connections: int) -> Answers:
    answers, left = Answers(), iter(paths)
    start = time.perf_counter()
    await asyncio.gather(*(_ask_on_one(port, left, answers) for _ in range(connections)))
    answers.seconds = time.perf_counter() - start
    return answers


async def _ask_on_one(port: int, left: Iterator[str], answers: Answers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in left:
        start = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: {AGENT}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        length = next((int(line[15:]) for line in head if line.startswith("content-length:")), 0)
        await reader.readexactly(length)
        answers.took.append(time.perf_counter() - start)
        answers.statuses[int(head[0].split()[1])] += 1
    writer.close()
