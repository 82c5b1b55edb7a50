"""Connecting the tenant's SMS account, changing it, taking it away. The token goes in and never comes out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.secrets import seal
from delivery.holds import hasten
from delivery.models import Message, SmsConnector
from delivery.sms import TOKEN_PURPOSE, is_sender

ANSWERED: Final = ("stop", "start", "help")


class ConnectorRefused(ValueError):
    """The connector cannot be saved so; the message is for the user."""


class TokenMissing(ConnectorRefused):
    """A new account needs its token."""


class NoAccount(ConnectorRefused):
    """There is no account."""


class BadSenders(ConnectorRefused):
    """A sender is none, or there is none."""


@transaction.atomic
def connect_sms(
    *, account_sid: str, auth_token: str, senders: Sequence[str], actor: User, now: dt.datetime
) -> SmsConnector:
    """Connect or change the account. An empty token keeps the one that is there, for the same account only.

    Raises TokenMissing and BadSenders.
    """
    kept = SmsConnector.objects.select_for_update().first()
    wanted = list(dict.fromkeys(sender.strip() for sender in senders if sender.strip()))
    bad = [sender for sender in wanted if not is_sender(sender)]
    if bad:
        raise BadSenders(
            f"“{bad[0][:40]}” is no number in international form, no name of up to 11 letters and no MG…."
        )
    if not wanted:
        raise BadSenders("Name at least one sender.")
    if not auth_token and (kept is None or kept.account_sid != account_sid):
        raise TokenMissing("Give the account's auth token.")
    connector = kept or SmsConnector()
    connector.account_sid, connector.senders, connector.updated_at = account_sid, wanted, now
    if auth_token:
        connector.auth_token = seal(auth_token, purpose=TOKEN_PURPOSE)
    connector.save()
    hasten(Message.Channel.SMS, now=now)
    write_audit(
        actor=actor,
        action="sms_connector.changed" if kept else "sms_connector.connected",
        object_kind="sms_connector",
        object_id=connector.pk,
        object_name=account_sid,
        payload={"senders": wanted, "token": "changed" if auth_token else "kept"},
    )
    return connector


@transaction.atomic
def set_sms_answers(*, answers: Mapping[str, str], actor: User) -> None:
    """Set what Millrace answers to "stop", "start" and "help"; nothing at all: Twilio answers. Raises NoAccount."""
    connector = SmsConnector.objects.select_for_update().first()
    if connector is None:
        raise NoAccount("No SMS account is connected.")
    wanted = {word: " ".join(answers.get(word, "").split()) for word in ANSWERED if answers}
    if not all(wanted.values()):
        raise ConnectorRefused("Each of the three needs an answer.")
    if wanted == connector.answers:
        return
    connector.answers = wanted
    connector.save(update_fields=["answers"])
    write_audit(
        actor=actor, action="sms_connector.answers", object_kind="sms_connector", object_id=connector.pk,
        object_name=connector.account_sid, payload=wanted or {"answers": "Twilio"},
    )  # fmt: skip


@transaction.atomic
def disconnect_sms(*, actor: User) -> None:
    """Take the account away: queued SMS wait for another one. Nothing to take away: nothing happens."""
    connector = SmsConnector.objects.select_for_update().first()
    if connector is None:
        return
    write_audit(
        actor=actor,
        action="sms_connector.disconnected",
        object_kind="sms_connector",
        object_id=connector.pk,
        object_name=connector.account_sid,
    )
    connector.delete()
