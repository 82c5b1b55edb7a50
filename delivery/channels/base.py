"""What every channel understands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from delivery.files import FileSet, encoded


class Outcome(StrEnum):
    """What became of a hand-over."""

    SENT = "sent"
    REFUSED = "refused"  # for good, because of the address
    FAILED = "failed"  # for good, because of this mail
    DEFERRED = "deferred"  # not now: again later
    UNKNOWN = "unknown"  # it may have been taken: never again by itself
    OPTED_OUT = "opted_out"  # the owner of the number replied STOP
    DOWN = "down"  # the channel itself does not work: not this mail's fault
    LOST = (
        "lost"  # the connection broke under the mail, which was not taken: the mail's fault or the server's
    )
    SENDER = "sender"  # the sender is refused: a setting to mend, not this mail's fault


@dataclass(frozen=True, slots=True)
class HandOver:
    """The outcome, and what the other side said."""

    outcome: Outcome
    said: str = ""
    reference: str = ""  # what the provider calls the message
    cause: str = ""  # why the channel is DOWN: one of ChannelHold.Cause; empty where it cannot be reached
    wait: int = 0  # how many seconds the other side asks to wait; 0 where it does not say


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail on its way: from and to as the transport needs them (bounces go to `sender`). `token` names the message
    to a provider, which gives it back with every event. `data` is the mail, up to the files that it carries, if any.
    """

    sender: str
    recipient: str
    data: bytes
    token: str = ""
    files: FileSet | None = None

    def following(self) -> tuple[bytes, ...]:
        """Return what follows `data`: the files, encoded once for all mails that carry them."""
        return encoded(self.files) if self.files else ()


@dataclass(frozen=True, slots=True)
class TextEnvelope:
    """One SMS on its way; `callback` is where the provider tells what became of it."""

    sender: str
    recipient: str
    text: str
    callback: str


E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class Channel(Protocol[E_contra]):
    """A way to send messages of one sort."""

    def hand_over(self, envelope: E_contra) -> HandOver: ...

    def close(self) -> None: ...


def one_by_one(hand_over: Callable[[E], HandOver], envelopes: Sequence[E]) -> list[HandOver]:
    """Hand messages over one after another; once the channel is down the rest is not tried."""
    results: list[HandOver] = []
    for envelope in envelopes:
        works = not results or results[-1].outcome is not Outcome.DOWN
        results.append(hand_over(envelope) if works else HandOver(Outcome.DOWN))
    return results
