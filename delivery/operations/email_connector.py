"""Connecting an email provider, changing it, taking it away, trying it. Secrets go in and never come out."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from html import escape
from secrets import token_urlsafe

from django.conf import settings
from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Tenant, User
from core.secrets import SecretLost, seal
from delivery import mime
from delivery.channels.base import Envelope, HandOver
from delivery.channels.provider import ProviderChannel
from delivery.channels.providers import PROVIDERS, Field
from delivery.email_account import PASSWORD, SECRETS_PURPOSE, account_of, channel_of
from delivery.holds import hasten
from delivery.models import EmailConnector, Message
from delivery.provider_events import signing_key_is_one


class NoConnector(LookupError):
    """No provider is connected."""


class FieldRefused(ValueError):
    """Something that the provider asks for cannot be taken so; `name` is the field."""

    words = ""

    def __init__(self, field: Field) -> None:
        super().__init__(self.words.format(field.label))
        self.name = field.name


class FieldMissing(FieldRefused):
    """It was not given."""

    words = "{} is needed."


class KeyUnreadable(FieldRefused):
    """It is no key."""

    words = "{}: this is not a key. Copy it as it stands at the provider."


class OddShape(FieldRefused):
    """It cannot be what the provider calls so."""

    words = "{}: this does not look like one. Copy it as it stands at the provider."


@transaction.atomic
def connect_provider(
    *,
    provider: str,
    given: Mapping[str, str],
    connections: int = 4,
    most_a_second: int | None = None,
    actor: User,
    now: dt.datetime,
) -> EmailConnector:
    """Connect a provider, or change its account. An empty secret keeps the one that is there, of the same provider.

    `connections` is how many mails a worker hands over at the same time (1 to 10), `most_a_second` how many all of
    them together. What waits for the channel goes at once. Raises FieldRefused.
    """
    chosen = PROVIDERS[provider]
    kept = EmailConnector.objects.select_for_update().first()
    before = _secrets(kept) if kept and kept.provider == provider else {}
    values = {field.name: given.get(field.name, "").strip() for field in chosen.fields}
    secrets = {name: values.pop(name) or before.get(name, "") for name in sorted(chosen.secrets)}
    for field in chosen.fields:
        if field.required and not field.choices and not {**values, **secrets}[field.name]:
            raise FieldMissing(field)
        if field.shape and values.get(field.name) and not field.shape.fullmatch(values[field.name]):
            raise OddShape(field)
    if chosen.signing and not signing_key_is_one(chosen, {**values, **secrets}):
        raise KeyUnreadable(chosen.signing)
    secrets[PASSWORD] = before.get(PASSWORD) or token_urlsafe(24)
    connector = kept or EmailConnector()
    if connector.provider != provider:
        connector.heard_at = None
    if connector.confirmed_topic != values.get("topic_arn", ""):
        connector.confirmed_topic, connector.topic_confirmed_at, connector.topic_ended_at = "", None, None
    connector.provider, connector.options, connector.updated_at = provider, values, now
    connector.secrets = seal(json.dumps(secrets), purpose=SECRETS_PURPOSE)
    connector.connections, connector.most_a_second = connections, most_a_second
    connector.save()
    hasten(Message.Channel.EMAIL, now=now)
    _note("email_connector.changed" if kept else "email_connector.connected", connector, actor)
    return connector


@transaction.atomic
def disconnect_provider(*, actor: User, now: dt.datetime) -> None:
    """Take the account away: mails go by the installation's mail server again. Nothing to take: nothing happens."""
    connector = EmailConnector.objects.select_for_update().first()
    if connector is None:
        return
    _note("email_connector.disconnected", connector, actor)
    connector.delete()
    hasten(Message.Channel.EMAIL, now=now)


def has_key(connector: EmailConnector) -> bool:
    """Say whether events of the provider can be checked."""
    signing = PROVIDERS[connector.provider].signing
    try:
        given = account_of(connector).given
    except SecretLost:
        return False
    return bool(given.get(signing.name if signing else PASSWORD))


def trial_mail(*, tenant: Tenant, to: str, now: dt.datetime) -> tuple[ProviderChannel, Envelope]:
    """Return the open tenant's channel and a mail to try it with. Raises NoConnector, SecretLost, BadAddress.

    The mail is no message of a flow and leaves no row: whoever asks hands it over, outside the transaction.
    """
    connector = EmailConnector.objects.first()
    if connector is None:
        raise NoConnector("No provider is connected.")
    sender = mime.checked_address(tenant.from_email or settings.DEFAULT_FROM_EMAIL)
    recipient = mime.checked_address(to)
    name = PROVIDERS[connector.provider].name
    text = f"This mail was sent by {name} for {tenant.name}. If you can read it, the account works."
    mail = mime.Mail(
        message_id=f"<{uuid.uuid4()}@{sender.rpartition('@')[2]}>",
        date=now,
        sender_name=tenant.from_name or tenant.name,
        sender=sender,
        to_name="",
        to=recipient,
        subject=f"[Test] {tenant.name} sends by {name}",
        text=text,
        html=f"<p>{escape(text)}</p>",
    )
    return channel_of(connector), Envelope(sender, recipient, mime.assemble(mail))


def try_provider(channel: ProviderChannel, envelope: Envelope) -> HandOver:
    """Hand the mail over and say what became of it. Not inside a transaction: it may take seconds."""
    try:
        return channel.hand_over(envelope)
    finally:
        channel.close()


def _secrets(connector: EmailConnector) -> dict[str, str]:
    try:
        given = account_of(connector).given
    except SecretLost:
        return {}
    return {name: given.get(name, "") for name in {*PROVIDERS[connector.provider].secrets, PASSWORD}}


def _note(action: str, connector: EmailConnector, actor: User) -> None:
    write_audit(
        actor=actor,
        action=action,
        object_kind="email_connector",
        object_id=connector.pk,
        object_name=PROVIDERS[connector.provider].name,
        payload={
            **connector.options,
            "connections": connector.connections,
            "most_a_second": connector.most_a_second,
        },
    )
