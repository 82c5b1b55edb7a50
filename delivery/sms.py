"""The tenant's SMS account and its senders; numbers that replied STOP."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings

from core.secrets import SecretLost, unseal
from crm.events import NewEvent, Origin, record_events
from delivery.channels.sms import Account
from delivery.models import SmsConnector, SmsOptOut, Stream
from delivery.recheck import Candidate
from delivery.tokens import FIRST_DAY, MessageRef, Purpose, make_message_token

TOKEN_PURPOSE = "sms-connector"  # noqa: S105 - the name of a purpose
_NUMBER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """What sending needs of the connector."""

    account: Account
    senders: tuple[str, ...]

    def sender_for(self, candidate: Candidate, stream: Stream) -> str:
        """Return the step's sender, else the flow's, else the account's first; one that was taken away counts not."""
        wanted = (candidate.values.get("sender"), stream.sender.get("sms"))
        return next((sender for sender in wanted if sender in self.senders), self.senders[0])


def sms_account() -> SmsAccount | None:
    """Return the open tenant's account, or None where there is none or its token cannot be read any more."""
    connector = SmsConnector.objects.first()
    if connector is None or not connector.senders:
        return None
    try:
        token = unseal(connector.auth_token, purpose=TOKEN_PURPOSE)
    except SecretLost:
        return None
    return SmsAccount(Account(connector.account_sid, token), tuple(connector.senders))


def reply_address(tenant_id: int) -> str:
    """Return where Twilio hands in what people answer: the address to enter at their number or service."""
    token = make_message_token(Purpose.SMS_REPLY, MessageRef(tenant_id, FIRST_DAY, 0))
    return f"{settings.PUBLIC_URL}/m/r/{token}"


def sms_senders() -> list[str]:
    """Return what the open tenant may send from; empty without a connector."""
    connector = SmsConnector.objects.only("senders").first()
    return list(connector.senders) if connector else []


def is_sender(text: str) -> bool:
    """Say whether Twilio may take this as a sender: a number, a short code, a name, or a messaging service."""
    return any(pattern.fullmatch(text) for pattern in (_NUMBER, _NAME, _SERVICE))


_HOLDERS = """
SELECT c.id, c.company_id, c.mobile FROM crm_searchword w
JOIN crm_contact c ON c.tenant_id = w.tenant_id AND c.id = w.object_id AND c.deleted_at IS NULL
WHERE w.tenant_id = %s AND w.word = ANY(%s::text[]) AND w.kind = 'contact' AND c.mobile = ANY(%s::text[])
ORDER BY c.id
"""
_OPT_OUT = """
INSERT INTO delivery_smsoptout (tenant_id, number, source, word, at)
SELECT %s, n, %s, %s, %s FROM unnest(%s::text[]) AS n
ON CONFLICT (tenant_id, number) DO NOTHING RETURNING number
"""


def opt_out_numbers(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    numbers: Sequence[str],
    source: SmsOptOut.Source,
    now: dt.datetime,
    word: str = "",
) -> list[str]:
    """Keep these numbers from SMS and tell everyone who has one; return those that were not kept from it before."""
    cursor.execute(_OPT_OUT, [tenant_id, str(source), word[:40], now, sorted(set(numbers))])
    new = [row[0] for row in cursor.fetchall()]
    _tell(cursor, tenant_id=tenant_id, numbers=new, kind="sms.opted_out", now=now)
    return new


def opt_in_number(cursor: psycopg.Cursor[Any], *, tenant_id: int, number: str, now: dt.datetime) -> bool:
    """Let SMS go to a number again; say whether it was kept from them."""
    cursor.execute("DELETE FROM delivery_smsoptout WHERE tenant_id = %s AND number = %s", [tenant_id, number])
    if not cursor.rowcount:
        return False
    _tell(cursor, tenant_id=tenant_id, numbers=[number], kind="sms.opted_in", now=now)
    return True


def _tell(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, numbers: Sequence[str], kind: str, now: dt.datetime
) -> None:
    """Record the event at every contact with one of the numbers; they are found by their search words."""
    if not numbers:
        return
    cursor.execute(_HOLDERS, [tenant_id, [number.removeprefix("+") for number in numbers], list(numbers)])
    events = [
        NewEvent(
            kind=kind,
            contact_id=row[0],
            company_id=row[1],
            at=now,
            origin=Origin.LINK,
            data={"number": row[2]},
        )
        for row in cursor.fetchall()
    ]
    record_events(events, cursor=cursor)
