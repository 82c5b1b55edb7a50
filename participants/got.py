"""Narrows participants by what became of their messages, by the messages' own key: nothing is walked through."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from content.models import EmailVersion
from crm.models import Event
from delivery.models import Message

# What may be asked: in words, and which states of a message it means. A click is an opening too.
_NAMED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "made": ("A message was made", ()),
    "waiting": ("A message waits", ("queued", "sending")),
    "sent": (
        "A message was sent",
        ("sent", "delivered", "opened", "clicked", "soft_bounced", "bounced", "complained"),
    ),
    "delivered": ("A message was delivered", ("sent", "delivered", "opened", "clicked", "complained")),
    "opened": ("Opened a message", ("opened", "clicked")),
    "clicked": ("Clicked in a message", ("clicked",)),
    "bounced": ("A message came back", ("soft_bounced", "bounced")),
    "complained": ("Marked a message as spam", ("complained",)),
    "not_sent": ("A message was not sent", ("blocked", "cancelled", "failed", "unknown")),
    "unsubscribed": ("Unsubscribed by a message", ()),
    "waits_timeframe": ("A message waits for the timeframe", ("queued",)),
    "waits_turn": ("A message waits its turn by the pace", ("queued",)),
    "waits_channel": ("A message waits for its channel", ("queued",)),
    "waits_sender": ("A message waits: the sender was refused", ("queued",)),
    "waits_retry": ("A message waits for another try", ("queued",)),
}
# A state and nothing else: what the canvas tells of one step's messages.
GOT: Final = _NAMED | {
    f"is_{value}": (f"Message: {label.lower()}", (value,)) for value, label in Message.Status.choices
}
UNSUBSCRIBED: Final = "unsubscribed"
# A message that waits for one cause (Message.reason): the state that is asked for, and the cause.
_WAITS_FOR: Final = {
    "waits_timeframe": "outside_timeframe",
    "waits_turn": "paced",
    "waits_channel": "channel_down",
    "waits_sender": "sender_refused",
    "waits_retry": "deferred",
}


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a message of theirs must be: of a step, of an email, in a state (a key of GOT), with a link clicked."""

    state: str
    step_id: uuid.UUID | None = None
    email_id: int | None = None
    link: str = ""

    def condition(self, in_time: Callable[[QuerySet[Any], str], QuerySet[Any]]) -> Q | Exists:
        """Return what narrows a query set of participants; `in_time` keeps the messages of a time."""
        messages = Message.objects.filter(
            enrolled_on=OuterRef("enrolled_on"), participant_id=OuterRef("pk"), flow_id=OuterRef("flow_id")
        )
        if self.step_id is not None:
            messages = messages.filter(step_id=self.step_id)
        if self.email_id is not None:
            versions = EmailVersion.objects.filter(email_id=self.email_id).values_list("pk", flat=True)
            messages = messages.filter(channel=Message.Channel.EMAIL, content_version_id__in=list(versions))
        if states := GOT[self.state][1]:
            messages = messages.filter(status__in=states)
        if self.state in _WAITS_FOR:
            messages = messages.filter(reason=_WAITS_FOR[self.state])
        messages = in_time(messages.annotate(at=Coalesce("handed_at", "queued_at")), "at")
        kind, key = ("message.clicked", self.link) if self.link else (UNSUBSCRIBED, "")
        if self.link or self.state == UNSUBSCRIBED:
            # By the contact's own timeline: an event names its message.
            events = Event.objects.filter(
                contact_id=OuterRef("contact_id"), kind=kind, message_id=OuterRef("pk")
            )
            messages = messages.filter(Exists(events.filter(object_key=key) if key else events))
        return Exists(messages)
