"""What every channel understands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """What became of a hand-over."""

    SENT = "sent"
    REFUSED = "refused"  # for good, because of the address
    FAILED = "failed"  # for good, because of this mail
    DEFERRED = "deferred"  # not now: again later
    UNKNOWN = "unknown"  # it may have been taken: never again by itself
    DOWN = "down"  # the channel itself does not work: not this mail's fault


@dataclass(frozen=True, slots=True)
class HandOver:
    """The outcome, and what the other side said."""

    outcome: Outcome
    said: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail on its way: from and to as the transport needs them (bounces go to `sender`)."""

    sender: str
    recipient: str
    data: bytes


class Channel(Protocol):
    """A way to send e-mail."""

    def hand_over(self, envelope: Envelope) -> HandOver: ...

    def close(self) -> None: ...
