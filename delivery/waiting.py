"""Which messages wait for a channel or a sender that does not work: how many, why, and what to do, in words."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.email_account import email_provider
from delivery.holds import holds_of_channels
from delivery.models import ChannelHold, Message, Stream

Cause, EMAIL, SMS = ChannelHold.Cause, Message.Channel.EMAIL, Message.Channel.SMS
# Counting stops here: "more than 10,000".
MOST = 10_000
_BY_ITSELF = "Nothing to do: they go by themselves as soon as it works again."
_OPERATOR = "Whoever runs this installation mends that in its settings; the messages then go by themselves."
# What is the matter, what to do, and the page where.
_WORDS: Mapping[tuple[str, str], tuple[str, str, str]] = {
    (EMAIL, Cause.UNREACHABLE): ("The mail server cannot be reached", _BY_ITSELF, ""),
    (EMAIL, Cause.SIGN_IN): ("The mail server refuses our sign-in, or the encryption", _OPERATOR, ""),
    (EMAIL, Cause.BUSY): ("The mail server takes nothing at the moment", _BY_ITSELF, ""),
    (EMAIL, Cause.SENDER): (
        "The mail server refuses the sender’s address",
        "Check the sender in the flow’s settings, and that its domain is verified.",
        "connectors:domains",
    ),
    (SMS, Cause.UNREACHABLE): ("Twilio cannot be reached", _BY_ITSELF, ""),
    (SMS, Cause.SIGN_IN): (
        "Twilio refuses the account or its token",
        "Give the account’s token anew.",
        "connectors:sms",
    ),
    (SMS, Cause.BUSY): ("Twilio takes nothing at the moment", _BY_ITSELF, ""),
    (SMS, Cause.SUSPENDED): ("The account at Twilio is suspended", "See to it at Twilio.", ""),
    (SMS, Cause.NO_ACCOUNT): ("No SMS account is connected", "Connect one.", "connectors:sms"),
    (SMS, Cause.NO_LICENCE): (
        "The licence SMS connector is not in force",
        "Renew it; the messages then go by themselves.",
        "",
    ),
    (SMS, Cause.SENDER): (
        "Twilio refuses the sender",
        "Choose another sender in the flow or the step, or mend it at Twilio.",
        "connectors:sms",
    ),
}
_PROVIDER = "connectors:email"
# The same where a provider sends the tenant's emails; {name} is the provider's.
_BY_PROVIDER: Mapping[str, tuple[str, str, str]] = {
    Cause.UNREACHABLE: ("{name} cannot be reached", _BY_ITSELF, ""),
    Cause.SIGN_IN: ("{name} refuses the account or its key", "Give the key anew.", _PROVIDER),
    Cause.BUSY: ("{name} takes nothing at the moment", _BY_ITSELF, ""),
    Cause.SUSPENDED: ("{name} says that the account may not send", "See to it at {name}.", ""),
    Cause.NO_ACCOUNT: ("The key for {name} cannot be read any more", "Give it anew.", _PROVIDER),
    Cause.SENDER: (
        "{name} refuses the sender’s address",
        "Set the address or its domain up at {name}, or choose another sender in the flow’s settings.",
        "",
    ),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait for one cause. `page` is the URL name of where to mend it, or empty."""

    number: int
    channel: str
    words: str
    advice: str
    page: str
    said: str
    since: dt.datetime
    retry_at: dt.datetime
    by_step: Mapping[uuid.UUID | None, int]

    @property
    def more(self) -> bool:
        """Whether there are more than were counted."""
        return self.number > MOST

    @property
    def shown(self) -> int:
        """The number to show."""
        return min(self.number, MOST)

    def at_step(self, step_id: uuid.UUID) -> int:
        """Return how many of the counted ones are of a step."""
        return self.by_step.get(step_id, 0)


_COUNT = """
SELECT step_id, count(*) FROM (
    SELECT step_id FROM delivery_message
    WHERE tenant_id = %(tenant)s AND status = 'queued' AND reserved_by IS NULL AND channel = %(channel)s
      AND (%(streams)s::bigint[] IS NULL OR stream_id = ANY(%(streams)s::bigint[]))
      AND CASE WHEN %(sender)s THEN reason = 'sender_refused'
               ELSE reason = 'channel_down' OR send_at <= %(now)s END
    LIMIT %(most)s) waiting
GROUP BY step_id
"""


def waiting_messages(*, now: dt.datetime, stream_id: int | None = None) -> list[Waiting]:
    """Return what waits in the tenant, or behind a flow's stream. One query where everything works."""
    holds = holds_of_channels()
    if not holds:
        return []
    streams = None
    if stream_id is not None:
        of_flow = Stream.objects.filter(Q(pk=stream_id) | Q(notes_of=stream_id))
        streams = list(of_flow.values_list("pk", flat=True))
        holds = [hold for hold in holds if hold.stream_id in {None, *streams}]
    found = [_waiting(hold, streams, now) for hold in holds]
    return [one for one in found if one.number]


def cause_words(hold: ChannelHold) -> str:
    """Return what is the matter with a channel or a sender."""
    return _words(hold)[0]


def _waiting(hold: ChannelHold, streams: Sequence[int] | None, now: dt.datetime) -> Waiting:
    of = [hold.stream_id] if hold.stream_id is not None else streams
    with raw_cursor() as cursor:
        cursor.execute(
            _COUNT,
            {
                "tenant": require_tenant_id(),
                "channel": hold.channel,
                "streams": of,
                "sender": hold.cause == Cause.SENDER,
                "now": now,
                "most": MOST + 1,
            },
        )
        by_step = dict(cursor.fetchall())
    words, advice, page = _words(hold)
    return Waiting(
        number=sum(by_step.values()),
        channel=hold.channel,
        words=words,
        advice=advice,
        page=page,
        said=hold.said,
        since=hold.since,
        retry_at=hold.retry_at,
        by_step=by_step,
    )


def _words(hold: ChannelHold) -> tuple[str, str, str]:
    """Return what is the matter, what to do, and the page where."""
    provider = email_provider() if hold.channel == EMAIL else None
    if provider and hold.cause in _BY_PROVIDER:
        words, advice, page = _BY_PROVIDER[hold.cause]
        return words.format(name=provider.name), advice.format(name=provider.name), page
    return _WORDS.get((hold.channel, hold.cause), (hold.get_cause_display(), _BY_ITSELF, ""))
