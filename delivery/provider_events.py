"""What an email provider tells of mails: checked and read by anymail, then put into our own words. Knows no rows."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from anymail.exceptions import AnymailError, AnymailWarning, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.module_loading import import_string

from delivery import sns
from delivery.channels.provider import METADATA, ProviderAccount
from delivery.channels.providers import PROVIDERS, Provider
from delivery.email_account import PASSWORD, USER
from delivery.machines import is_machine_agent
from delivery.returned import Said

SES: Final = "amazon_ses"
# What reading a body that is not as it should be ends in.
_STUMBLES = (ValueError, LookupError, TypeError, AttributeError)


class Forged(Exception):
    """Not from the tenant's own account, or nothing to check that with."""


class Unreadable(ValueError):
    """Not what the provider tells."""


class Did(StrEnum):
    """What the recipient did."""

    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """One thing that became of one mail: `told` is a fate or a deed. `token` is our own, as it went out."""

    token: str
    told: Said | Did
    words: str = ""
    url: str = ""
    machine: bool = False


class Topic(StrEnum):
    """What a request says of the topic it comes by, apart from mails."""

    CONFIRMED = "confirmed"
    POSTS = "posts"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TopicTold:
    """A genuine message of a topic: what it says of it, and when Amazon wrote it."""

    arn: str
    told: Topic
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A request that is believed: what it tells of mails of ours, in its order, and of the topic, if it came by one."""

    events: list[ProviderEvent]
    topic: TopicTold | None = None


def read_events(account: ProviderAccount, request: HttpRequest) -> Told:
    """Return what the request tells. Raises Forged, Unreadable and sns.NotNow.

    May ask the provider itself (for a certificate, or to say that it may post here): not inside a transaction.
    """
    provider = PROVIDERS[account.provider]
    topic = _check_sns(provider, account.given, request) if provider.key == SES else None
    try:
        view = _view(provider, account.given)
        view.run_validators(request)
    except (AnymailWebhookValidationFailure, ImproperlyConfigured, *_STUMBLES) as error:
        # What a body lacks is asked for before its signature is checked.
        raise Forged(str(error)) from error
    try:
        told = view.parse_events(request)
        found = [_event(provider, event) for event in told]
    except (AnymailError, ImproperlyConfigured, *_STUMBLES) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    return Told([event for event in found if event is not None], topic)


def signing_key_is_one(provider: Provider, given: Mapping[str, str]) -> bool:
    """Say whether the key for checking events can be used; an empty one may stay empty."""
    if provider.signing is None or not given.get(provider.signing.name):
        return True
    try:
        _view(provider, given)
    except (ImproperlyConfigured, ValueError):
        return False
    return True


_TOPIC: Final[Mapping[str, Topic]] = {
    "Notification": Topic.POSTS,
    sns.CONFIRMATION: Topic.CONFIRMED,
    sns.END: Topic.ENDED,
}


def _check_sns(provider: Provider, given: Mapping[str, str], request: HttpRequest) -> TopicTold:
    """Check the signature, which anymail does not, and let the account's own topic begin."""
    topic = given.get(provider.signing.name, "") if provider.signing else ""
    if not topic:
        raise Forged("There is no topic to check events with.")
    try:
        told = sns.checked(request.body, topic_arn=topic)
    except sns.Forged as error:
        raise Forged(str(error)) from error
    if told["Type"] == sns.CONFIRMATION:
        sns.confirm(told)
    return TopicTold(topic, _TOPIC[told["Type"]], dt.datetime.fromisoformat(told["Timestamp"]))


def _view(provider: Provider, given: Mapping[str, str]) -> Any:
    """Return anymail's view for the account; raise Forged where there is nothing to check events with."""
    signing = provider.signing
    secret = given.get(signing.name if signing else PASSWORD, "")
    if not secret:
        raise Forged("There is no key to check events with.")
    checks: dict[str, Any] = {signing.name: secret} if signing else {"webhook_secret": [f"{USER}:{secret}"]}
    if provider.key == SES:
        # Its signature was checked, and its topic told to begin, by ourselves.
        checks = {"auto_confirm_sns_subscriptions": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AnymailWarning)
        return import_string(provider.events)(**checks)


_SAID: Final[Mapping[str, Said | Did]] = {
    EventType.DELIVERED: Said.DELIVERED,
    EventType.FAILED: Said.SOFT,
    EventType.COMPLAINED: Said.COMPLAINT,
    EventType.OPENED: Did.OPENED,
    EventType.CLICKED: Did.CLICKED,
    EventType.UNSUBSCRIBED: Did.UNSUBSCRIBED,
}
_NO_ADDRESS = frozenset({RejectReason.INVALID, RejectReason.BOUNCED})


def _event(provider: Provider, event: AnymailTrackingEvent) -> ProviderEvent | None:
    """Return what an event says of a mail of ours, None where it says nothing."""
    token = event.metadata.get(METADATA) if isinstance(event.metadata, dict) else None
    told = _told(provider, event)
    if not isinstance(token, str) or told is None:
        return None
    raw = event.esp_event if isinstance(event.esp_event, dict) else {}
    by_proxy = "proxy" in str(raw.get("event", ""))
    return ProviderEvent(
        token=token,
        told=told,
        words=str(event.mta_response or event.description or event.reject_reason or "")[:500],
        url=str(event.click_url or "")[:2000],
        machine=by_proxy or (bool(event.user_agent) and is_machine_agent(str(event.user_agent))),
    )


def _told(provider: Provider, event: AnymailTrackingEvent) -> Said | Did | None:
    if event.event_type == EventType.BOUNCED:
        return Said.HARD if _HARD[provider.key](event.esp_event) else Said.SOFT
    if event.event_type == EventType.REJECTED:
        # The provider did not even try. Where it knows the address for no good, so do we.
        return Said.HARD if event.reject_reason in _NO_ADDRESS else Said.SOFT
    if event.event_type == EventType.COMPLAINED and event.description == "not-spam":
        # A report of the opposite: a mail that was taken for spam, and should not have been.
        return None
    return _SAID.get(event.event_type)


def _sparkpost_is_hard(raw: Any) -> bool:
    """Invalid recipient and no such mailbox; the rest is full, blocked, slow or unclear."""
    [event] = raw["msys"].values()
    return str(event.get("bounce_class")) in {"10", "30"}


def _mailgun_is_hard(raw: Any) -> bool:
    """For good, and not because of what the receiver thinks of the mail or its sender."""
    data = raw["event-data"]
    status = data.get("delivery-status", {})
    code = str(status.get("enhanced-code") or "")
    policy = code.startswith(("5.7", "5.3", "5.4", "5.5")) or code == "5.2.2"
    return data.get("severity") == "permanent" and not policy


def _ses_is_hard(raw: Any) -> bool:
    """For good, and because of the address: what is undetermined, full or too large may be better tomorrow."""
    told = raw["bounce"]
    return bool(told["bounceType"] == "Permanent" and told.get("bounceSubType") != "UnsubscribedRecipient")


# anymail calls all of them bounced; whether the address is no good, each tells in its own way.
_HARD: Final[Mapping[str, Callable[[Any], bool]]] = {
    SES: _ses_is_hard,
    "brevo": lambda raw: raw["event"] in {"hard_bounce", "invalid_email"},
    "mailgun": _mailgun_is_hard,
    "mailjet": lambda raw: bool(raw.get("hard_bounce")),
    "postmark": lambda raw: raw.get("Type") in {"HardBounce", "BadEmailAddress"},
    "sendgrid": lambda raw: raw.get("type") != "blocked",
    "sparkpost": _sparkpost_is_hard,
}
