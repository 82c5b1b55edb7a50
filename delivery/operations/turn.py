"""What the parts of one thread's turn of sending share: its messages, made ready, and its channels."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.models import Tenant
from delivery.channels.base import Channel, Envelope, HandOver, TextEnvelope, one_by_one
from delivery.channels.provider import ProviderChannel
from delivery.channels.sms import SmsChannel
from delivery.channels.smtp import SmtpChannel, SmtpSettings
from delivery.domains import SenderDomains
from delivery.files import FileSet
from delivery.models import ChannelHold, Stream
from delivery.recheck import Candidate
from delivery.rendering import Rendered
from delivery.sms import SmsAccount


@dataclass(frozen=True, slots=True)
class Ready:
    """A message, rendered and addressed."""

    candidate: Candidate
    rendered: Rendered
    envelope: Envelope | TextEnvelope


@dataclass(slots=True)
class Turn:
    """What the parts of one turn share."""

    tenant: Tenant
    stream: Stream
    process: int
    now: dt.datetime
    email: Channel[Envelope]
    domains: SenderDomains
    holds: Sequence[ChannelHold]
    # Of time.monotonic(): what has not begun by then is given back.
    ends: float
    # Channels that were found not to work: what comes after is not tried.
    down: set[str] = field(default_factory=set)
    sms: SmsChannel | None = None
    account: SmsAccount | None = None

    def hand_over(self, envelope: Envelope | TextEnvelope) -> HandOver:
        """Hand a message over to the channel of its sort."""
        if isinstance(envelope, Envelope):
            return self.email.hand_over(envelope)
        assert self.account is not None  # noqa: S101 - without an account no envelope was made
        self.sms = self.sms or SmsChannel(self.account.account)
        return self.sms.hand_over(envelope)

    def hand_over_all(self, envelopes: Sequence[Envelope | TextEnvelope]) -> list[HandOver]:
        """Hand a few over, side by side where the channel can."""
        mails = [envelope for envelope in envelopes if isinstance(envelope, Envelope)]
        if isinstance(self.email, ProviderChannel) and len(mails) == len(envelopes):
            return self.email.hand_over_all(mails)
        return one_by_one(self.hand_over, envelopes)

    def close(self) -> None:
        """Let go of what is this turn's own."""
        if self.sms is not None:
            self.sms.close()


def files_of(item: Ready) -> FileSet | None:
    """Return the files that go with a message; only mails have any."""
    return item.envelope.files if isinstance(item.envelope, Envelope) else None


_mine = threading.local()


def process_channel() -> SmtpChannel:
    """Return this thread's SMTP connection."""
    wanted = SmtpSettings.of_installation()
    channel: SmtpChannel | None = getattr(_mine, "channel", None)
    if channel is None or channel.given != wanted:
        if channel is not None:
            channel.close()
        channel = _mine.channel = SmtpChannel(wanted)
    return channel
