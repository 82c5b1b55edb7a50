"""What Twilio tells afterwards: how a message fared, and what people answer. Each call may come twice, late, or in
the wrong order; a later fact never becomes an earlier one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from core.db.cursors import raw_cursor
from core.limits import within_limit
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact
from delivery.models import Message, SmsConnector, SmsOptOut
from delivery.sms import opt_in_number, opt_out_numbers
from delivery.tokens import MessageRef

Status = Message.Status
# What may still change: everything else is known already, or was never handed over.
_OPEN = frozenset({Status.SENDING, Status.SENT, Status.UNKNOWN})
_TAKEN = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
_ARRIVED = frozenset({"delivered", "read"})
_LOST = frozenset({"undelivered", "failed"})


@dataclass(frozen=True, slots=True)
class Fate:
    """What an error code means for the message."""

    status: str
    reason: str


# 30003 and 30008: unreachable or unknown, perhaps tomorrow again. 30005, 30006: no such mobile. The rest was filtered.
_FATES: Mapping[int, Fate] = {
    30003: Fate(Status.SOFT_BOUNCED, "unreachable"),
    30008: Fate(Status.SOFT_BOUNCED, "unreachable"),
    30005: Fate(Status.BOUNCED, "unknown_number"),
    30006: Fate(Status.BOUNCED, "not_a_mobile"),
    30004: Fate(Status.FAILED, "filtered"),
    30007: Fate(Status.FAILED, "filtered"),
    21610: Fate(Status.BLOCKED, "sms_opt_out"),
}
STOP_WORDS = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT", "OPT-OUT", "OPT OUT"}
)
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
HELP_WORDS = frozenset({"HELP", "INFO"})
# How many answers one number gets in an hour: two machines must not talk to each other for ever.
MOST_ANSWERS = 5


@transaction.atomic
def note_sms_status(*, ref: MessageRef, provider_id: str, told: str, code: int, now: dt.datetime) -> bool:
    """Write down how a message fared; say whether that changed anything. Inside its tenant's scope.

    A message that nobody knows of (`unknown`) becomes known by this. Nothing is ever sent again.
    """
    found = Message.objects.select_for_update(no_key=True)
    message = found.filter(
        enrolled_on=ref.enrolled_on, pk=ref.message_id, channel=Message.Channel.SMS
    ).first()
    if message is None or message.status not in _OPEN:
        return False
    if provider_id and message.provider_id and message.provider_id != provider_id:
        return False
    fate = _fate(message.status, told, code)
    if fate is None:
        return False
    changes = {"status": fate.status, "reason": fate.reason, "error": f"{told} {code}" if code else ""}
    if provider_id:
        changes["provider_id"] = provider_id[:64]
    Message.objects.filter(enrolled_on=message.enrolled_on, pk=message.pk).update(**changes)
    if fate.reason == "sms_opt_out":
        _stop(message.to_address, source=SmsOptOut.Source.PROVIDER, now=now)
    _tell(message, fate, now)
    return True


def _fate(status: str, told: str, code: int) -> Fate | None:
    if told in _TAKEN:
        # It was taken after all. Our own settling says so for messages that are still being handed over.
        return Fate(Status.SENT, "") if status == Status.UNKNOWN else None
    if told in _ARRIVED:
        return Fate(Status.DELIVERED, "")
    if told in _LOST:
        return _FATES.get(code, Fate(Status.FAILED, "refused"))
    return None


def _tell(message: Message, fate: Fate, now: dt.datetime) -> None:
    contact = Contact.objects.filter(pk=message.contact_id or 0, deleted_at=None).only("company_id").first()
    if contact is None or message.is_test:
        return
    event = NewEvent(
        kind=f"message.{fate.status}",
        contact_id=contact.pk,
        company_id=contact.company_id,
        at=now,
        origin=Origin.FLOW if message.flow_id else Origin.SYSTEM,
        data={"channel": message.channel, **({"reason": fate.reason} if fate.reason else {})},
        flow_id=message.flow_id,
        step_id=message.step_id,
        participant_id=message.participant_id,
        message_id=message.pk,
    )
    record_events([event])


@transaction.atomic
def take_sms_reply(*, number: str, text: str, opt_out_type: str, now: dt.datetime) -> str:
    """Act on an answer: STOP and START (and their synonyms, in any case, alone in the message) count, the rest not.

    Returns "stop", "start", "help" or "". `opt_out_type` is what Twilio's advanced opt-out understood, if it is on.
    Inside the tenant's scope. A second STOP changes nothing.
    """
    word = " ".join(text.split()).strip(" .!\"'").upper()
    kind = opt_out_type.strip().upper()
    if kind == "STOP" or word in STOP_WORDS:
        _stop(number, source=SmsOptOut.Source.REPLY, now=now, word=word)
        return "stop"
    if kind == "START" or word in START_WORDS:
        with raw_cursor() as cursor:
            opt_in_number(cursor, tenant_id=require_tenant_id(), number=number, now=now)
        return "start"
    return "help" if kind == "HELP" or word in HELP_WORDS else ""


def answer_to(*, word: str, number: str, opt_out_type: str) -> str:
    """Return what Millrace answers to "stop", "start" or "help"; empty where Twilio does, or did already.

    Inside the tenant's scope. Twilio tells `opt_out_type` where its advanced opt-out has answered.
    """
    connector = SmsConnector.objects.only("answers").first()
    text = str(connector.answers.get(word, "")) if connector and word and not opt_out_type.strip() else ""
    key = f"sms-answer:{require_tenant_id()}:{number}"
    return text if text and within_limit(key, most=MOST_ANSWERS, seconds=3600) else ""


def _stop(number: str, *, source: SmsOptOut.Source, now: dt.datetime, word: str = "") -> None:
    with raw_cursor() as cursor:
        opt_out_numbers(
            cursor, tenant_id=require_tenant_id(), numbers=[number], source=source, now=now, word=word
        )
