"""The tenant's account at an email provider, and the channel that sends by it."""

from __future__ import annotations

import json
import time

from django.conf import settings

from core.limits import within_limit
from core.secrets import SecretLost, unseal
from core.tenancy import require_tenant_id
from delivery.channels.base import Channel, Envelope, HandOver, Outcome
from delivery.channels.provider import ProviderAccount, ProviderChannel
from delivery.channels.providers import PROVIDERS, Provider
from delivery.models import EmailConnector
from delivery.tokens import FIRST_DAY, MessageRef, Purpose, make_message_token

SECRETS_PURPOSE = "email-connector"
# Among the secrets, made by us: what the provider signs its events in with where it has no signature of its own.
PASSWORD = "events_password"  # noqa: S105 - the name of one
USER = "millrace"


class _Unreadable:
    """Stands where an account's secrets cannot be read: nothing goes out by another way behind its tenant's back."""

    def hand_over(self, envelope: Envelope) -> HandOver:
        """Say that the channel is down."""
        return HandOver(
            Outcome.DOWN, "The secrets of the account cannot be read any more.", cause="no_account"
        )

    def close(self) -> None:
        """Nothing is open."""


def email_provider() -> Provider | None:
    """Return the provider that the open tenant sends by, None for the installation's mail server."""
    connector = EmailConnector.objects.only("provider").first()
    return PROVIDERS[connector.provider] if connector else None


def account_of(connector: EmailConnector) -> ProviderAccount:
    """Return the account with its secrets; raise SecretLost."""
    secrets = json.loads(unseal(connector.secrets, purpose=SECRETS_PURPOSE))
    return ProviderAccount(connector.provider, {**connector.options, **secrets}, connector.connections)


def channel_of(connector: EmailConnector) -> ProviderChannel:
    """Return a channel that keeps the account's pace; raise SecretLost. Close it."""
    tenant_id, most = require_tenant_id(), connector.most_a_second

    def wait() -> None:
        """Wait until one more fits into this second, counted over all workers."""
        while most is not None:
            second = time.time()
            if within_limit(f"provider:{tenant_id}:{int(second)}", most=most, seconds=2):
                return
            time.sleep(1.0 - second % 1.0)

    return ProviderChannel(account_of(connector), wait=wait)


def provider_channel() -> Channel[Envelope] | None:
    """Return a channel for one batch by the open tenant's provider, None where it has none. Close it."""
    connector = EmailConnector.objects.first()
    if connector is None:
        return None
    try:
        return channel_of(connector)
    except SecretLost:
        return _Unreadable()


def topic_of(connector: EmailConnector) -> str:
    """Return the SNS topic that may tell what became of mails; empty where there is none, or none is needed."""
    return str(connector.options.get("topic_arn", ""))


def events_address(connector: EmailConnector) -> str:
    """Return the address to enter at the provider, where it tells what became of mails; empty where the secrets are
    lost. The password stands in it where the provider has no signature of its own."""
    try:
        given = account_of(connector).given
    except SecretLost:
        return ""
    token = make_message_token(Purpose.PROVIDER_EVENTS, MessageRef(require_tenant_id(), FIRST_DAY, 0))
    address = f"{settings.PUBLIC_URL}/m/e/{token}"
    if PROVIDERS[connector.provider].signing:
        return address
    return address.replace("://", f"://{USER}:{given.get(PASSWORD, '')}@", 1)
