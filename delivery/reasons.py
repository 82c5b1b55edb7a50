"""Why a message has not gone yet, and until when, or why it did not go, in words. Reads only.

The codes are Message.reason's: who wrote them is said beside each group.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from delivery.holds import holds_of_channels
from delivery.models import Message, Stream
from delivery.waiting import cause_words

OUTSIDE_TIMEFRAME, PACED = "outside_timeframe", "paced"
CHANNEL_DOWN, SENDER_REFUSED = "channel_down", "sender_refused"
_WAITS: Mapping[str, str] = {
    # delivery.reserve
    OUTSIDE_TIMEFRAME: "Waits for the flow’s timeframe",
    PACED: "Waits its turn: so many go in a minute, and no more",
    # delivery.settle
    CHANNEL_DOWN: "Waits for its channel",
    SENDER_REFUSED: "Waits: the sender was refused",
    "deferred": "The other side asked for another try later",
}
_REASONS: Mapping[str, str] = {
    # delivery.recheck, in the order of the guards
    "contact_deleted": "the contact was erased",
    "former_employee": "the contact was marked as former employee",
    "excluded": "the contact was on the exclusion list",
    "no_consent": "there was no valid e-marketing consent",
    "unsubscribed": "the contact had unsubscribed from this type of message",
    "no_mobile": "there was no valid mobile number",
    "sms_opt_out": "the number had opted out of SMS",
    "no_email": "there was no email address",
    "address_blocked": "the email address was blocked",
    # delivery.settle and delivery.operations
    "refused": "the other side refused it for good",
    "gave_up": "it was not taken, however often it was tried",
    "not_confirmed": "it was handed over, but nobody confirmed it",
    "process_died": "it was being handed over when the process died",
    "not_rendered": "its content could not be put together",
    "bad_address": "the address cannot be used",
    "came_back": "it came back",
    "unreachable": "the phone could not be reached",
    "unknown_number": "there is no such number",
    "not_a_mobile": "the number is no mobile",
    "filtered": "the phone network or the provider filtered it",
    # who withdrew it: delivery.queue, participants
    "flow_ended": "the flow was ended",
    "cancelled": "the flow was ended",
    "left_flow": "the contact had left the flow or reached its goal",
    "step_removed": "its step was removed",
    "moved": "the contact had moved to another flow",
    "removed_by_user": "the contact was taken out of the flow",
    "merged": "the contact was merged with another one",
}
_HELD = "Waits until the flow runs: it is paused, or has not begun"


@dataclass(frozen=True, slots=True)
class Fate:
    """Why a message waits, with the moment at which it is tried (None: nobody knows), or why it did not go."""

    words: str = ""
    until: dt.datetime | None = None


def fates_of(messages: Iterable[Message], *, now: dt.datetime) -> dict[int, Fate]:
    """Return by id what is to be said of the messages; nothing of those that simply went. Two queries at most."""
    given = list(messages)
    queued = [message for message in given if message.status == Message.Status.QUEUED]
    held = _held_streams(queued)
    causes = _causes(queued)
    found: dict[int, Fate] = {}
    for message in given:
        if message.status == Message.Status.QUEUED:
            found[message.pk] = _waiting(message, message.stream_id in held, causes, now)
        elif message.reason:
            found[message.pk] = Fate(reason_words(message.reason))
    return found


def reason_words(code: str) -> str:
    """Return why a message did not go, or waits; empty for no reason."""
    words = _WAITS.get(code) or _REASONS.get(code, code.replace("_", " "))
    return words[:1].upper() + words[1:]


def _held_streams(queued: list[Message]) -> set[int]:
    if not queued:
        return set()
    streams = Stream.objects.filter(pk__in={one.stream_id for one in queued}, state=Stream.State.HELD)
    return set(streams.values_list("pk", flat=True))


def _causes(queued: list[Message]) -> dict[tuple[str, int | None], str]:
    """Return the causes of holds in words, by channel and stream (None: the whole channel)."""
    if not any(one.reason in {CHANNEL_DOWN, SENDER_REFUSED} for one in queued):
        return {}
    return {(hold.channel, hold.stream_id): cause_words(hold) for hold in holds_of_channels()}


def _waiting(
    message: Message, is_held: bool, causes: Mapping[tuple[str, int | None], str], now: dt.datetime
) -> Fate:
    if is_held:
        return Fate(_HELD)
    if message.reserved_by is not None or message.send_at <= now:
        return Fate()
    words = _WAITS.get(message.reason, "Waits")
    of = message.stream_id if message.reason == SENDER_REFUSED else None
    if message.reason in {CHANNEL_DOWN, SENDER_REFUSED}:
        words = causes.get((message.channel, of), words)
    return Fate(words, message.send_at)
