"""Acts on what an email provider tells of one mail: its fate by the door that bounce mails take, opens and clicks by
those of our own picture and links. Told twice, late or in the wrong order, nothing happens twice."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from core.signing import BadToken
from crm.models import Event
from delivery.models import EmailConnector
from delivery.operations.fates import note_fate
from delivery.operations.recipients import NoSuchMessage, unsubscribe
from delivery.operations.tracking import Seen, message_seen, record_click, record_open
from delivery.provider_events import Did, ProviderEvent, Topic, TopicTold
from delivery.returned import Said
from delivery.tokens import MessageRef, Purpose, read_message_token

MINUTE = dt.timedelta(minutes=1)


def note_provider_event(*, event: ProviderEvent, tenant_id: int, now: dt.datetime) -> bool:
    """Act on one event; say whether it named a message of this tenant. Inside its scope."""
    try:
        ref = read_message_token(Purpose.PROVIDER, event.token)
    except BadToken:
        return False
    if ref.tenant_id != tenant_id:
        return False
    if isinstance(event.told, Said):
        note_fate(ref=ref, said=event.told, words=event.words, now=now)
    elif event.told is Did.UNSUBSCRIBED:
        return _unsubscribed(ref, now)
    else:
        return _seen(ref, event, now)
    return True


def note_heard(*, topic: TopicTold | None, now: dt.datetime) -> None:
    """Keep that the provider told something (to the minute), and what it said of its topic. Inside the scope.

    A topic that posts was confirmed, whoever did it. What was written before it began does not end it, and what was
    written before it ended does not begin it again.
    """
    EmailConnector.objects.filter(Q(heard_at=None) | Q(heard_at__lt=now - MINUTE)).update(heard_at=now)
    if topic is None:
        return
    begun = {"confirmed_topic": topic.arn, "topic_confirmed_at": now, "topic_ended_at": None}
    if topic.told is Topic.CONFIRMED:
        EmailConnector.objects.update(**begun)
    elif topic.told is Topic.POSTS:
        EmailConnector.objects.filter(~Q(confirmed_topic=topic.arn) | Q(topic_ended_at__lt=topic.at)).update(
            **begun
        )
    else:
        known = EmailConnector.objects.filter(confirmed_topic=topic.arn, topic_confirmed_at__lt=topic.at)
        known.update(topic_ended_at=topic.at)


def _unsubscribed(ref: MessageRef, now: dt.datetime) -> bool:
    try:
        unsubscribe(ref=ref, everything=False, now=now)
    except NoSuchMessage:
        return False
    return True


def _seen(ref: MessageRef, event: ProviderEvent, now: dt.datetime) -> bool:
    """Note the first open or click, unless our own picture or link has told it already; machines' are kept as such.

    What ours told as a machine's (a scanner's burst) is told too: the provider must not make a person's of it.
    """
    try:
        with message_seen(ref) as message:
            if event.told is Did.OPENED and (event.machine or not _is_told(message, "opened")):
                record_open(message=message, now=now, machine=event.machine)
            if event.told is Did.CLICKED and (event.machine or not _is_told(message, "clicked")):
                record_click(message=message, link=event.url, label="", now=now, machine=event.machine)
    except NoSuchMessage:
        return False
    return True


def _is_told(message: Seen, deed: str) -> bool:
    told = Event.objects.filter(contact_id=message.contact_id or 0, message_id=message.ref.message_id)
    return told.filter(kind__in=(f"message.{deed}", f"message.machine_{deed}")).exists()
