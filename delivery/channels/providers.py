"""The email providers that a tenant may send by, as one table: what each asks for and how it says no.

Sending is django-anymail's; here stands what anymail leaves to its caller. A new provider is one more entry. Knows no
rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """Something the provider asks for. `choices` are (value, label), the first is the default. `signs`: it is not for
    sending but for checking that events come from the provider. `shape` is what it looks like, where that is known."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    signs: bool = False
    shape: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `hosts` are its regions' API addresses; `names` what anymail calls our fields, where it differs.

    `recipient` and `sender` find in a refusal (4xx, its body) that the address, or the sender, is to blame.
    """

    key: str
    name: str
    backend: str
    fields: tuple[Field, ...]
    recipient: re.Pattern[str]
    sender: re.Pattern[str]
    hosts: Mapping[str, str]
    # anymail's view of its events, where at the provider their address is entered, and what is ticked there.
    events: str
    where: str
    tick: str = "tick all events"
    # Whether it can be told to leave our links and pictures alone.
    switches_tracking: bool = True
    # Whether our Message-ID may stay; the others make their own and refuse the header.
    keeps_message_id: bool = False
    headers: Mapping[str, str] | None = None
    # Whether the region goes into each request, beside leading to its address.
    tells_region: bool = False
    # Whether it takes a mail as it was put together, not in parts.
    takes_whole: bool = False

    @property
    def secrets(self) -> frozenset[str]:
        """The names of what is never shown."""
        return frozenset(field.name for field in self.fields if field.secret)

    @property
    def signing(self) -> Field | None:
        """The key that its events are signed with; None where it signs in with a password instead."""
        return next((field for field in self.fields if field.signs), None)


def _api_key(where: str) -> Field:
    return Field("api_key", "API key", where, secret=True)


def _region(*choices: tuple[str, str]) -> Field:
    return Field("region", "Region", "Where your account is.", choices=choices)


_EU, _US = ("eu", "Europe"), ("us", "United States")


def _words(*texts: str) -> re.Pattern[str]:
    return re.compile("|".join(texts), re.IGNORECASE | re.DOTALL)


# Where Amazon SES is, by Amazon's own names.
_SES_REGIONS: Final = (
    ("eu-west-1", "Europe (Ireland)"), ("eu-central-1", "Europe (Frankfurt)"), ("eu-north-1", "Europe (Stockholm)"),
    ("eu-south-1", "Europe (Milan)"), ("eu-west-2", "Europe (London)"), ("eu-west-3", "Europe (Paris)"),
    ("us-east-1", "US East (N. Virginia)"), ("us-east-2", "US East (Ohio)"), ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"), ("ca-central-1", "Canada (Central)"),
    ("sa-east-1", "South America (São Paulo)"),
    ("af-south-1", "Africa (Cape Town)"), ("il-central-1", "Israel (Tel Aviv)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"), ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"), ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"), ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
)  # fmt: skip

_ALL: Final = (
    Provider(
        key="amazon_ses",
        name="Amazon SES",
        backend="delivery.channels.amazon.SesBackend",
        fields=(
            _region(*_SES_REGIONS),
            Field(
                "access_key_id",
                "Access key ID",
                "Of an IAM user that may do ses:SendEmail and ses:SendRawEmail, and nothing else.",
                shape=re.compile(r"[A-Z0-9]{16,128}"),
            ),
            Field("secret_access_key", "Secret access key", secret=True),
            Field(
                "configuration_set",
                "Configuration set",
                "The one that publishes its events to the topic below. Empty: the identity's default one.",
                required=False,
                shape=re.compile(r"[A-Za-z0-9_-]{1,64}"),
            ),
            Field(
                "topic_arn",
                "ARN of the SNS topic",
                "Where SES tells what became of mails; it begins with arn:aws:sns. Without it events are refused.",
                required=False,
                signs=True,
                shape=re.compile(r"arn:aws(-cn|-us-gov)?:sns:[a-z]{2}(-[a-z]+){1,2}-\d:\d{12}:[A-Za-z0-9_-]{1,256}"),
            ),
        ),
        # SES takes any address that could be one and tells the rest by its events.
        recipient=_words(r"(?!)"),
        sender=_words(r"address is not verified", r"MailFromDomainNotVerified"),
        events="anymail.webhooks.amazon_ses.AmazonSESTrackingWebhookView",
        where="Amazon SNS › your topic › Create subscription, with the protocol HTTPS and without raw message delivery",
        tick="let the configuration set publish deliveries, bounces, complaints and rejects to that topic",
        hosts={region: f"https://email.{region}.amazonaws.com" for region, _ in _SES_REGIONS},
        switches_tracking=False,
        # It puts its own in its place.
        keeps_message_id=True,
        tells_region=True,
        takes_whole=True,
    ),
    Provider(
        key="brevo",
        name="Brevo",
        backend="anymail.backends.brevo.EmailBackend",
        fields=(_api_key("SMTP & API › API keys; it begins with xkeysib."),),
        recipient=_words(r"email is not valid in to", r"invalid email address in to"),
        sender=_words(r"sender .*(invalid|not valid)", r"valid sender email", r"sender is not"),
        events="anymail.webhooks.brevo.BrevoTrackingWebhookView",
        where="Transactional › Settings › Webhooks",
        hosts={"": "https://api.brevo.com/v3/"},
        switches_tracking=False,
    ),
    Provider(
        key="mailgun",
        name="Mailgun",
        backend="anymail.backends.mailgun.EmailBackend",
        fields=(
            _api_key("A sending key of your domain, or the account's."),
            Field(
                "sender_domain",
                "Sending domain",
                "As it stands at Mailgun. Empty: the domain of each from-address.",
                required=False,
            ),
            Field(
                "webhook_signing_key",
                "HTTP webhook signing key",
                "Send › Webhooks; it shows that events come from Mailgun. Without it they are refused.",
                secret=True,
                required=False,
                signs=True,
            ),
            _region(_US, _EU),
        ),
        recipient=_words(r"'?to'? parameter is not a valid", r"to parameter is missing"),
        sender=_words(r"'?from'? parameter is not", r"unknown sender domain", r"domain not found"),
        events="anymail.webhooks.mailgun.MailgunTrackingWebhookView",
        where="Send › Webhooks",
        hosts={"us": "https://api.mailgun.net/v3/", "eu": "https://api.eu.mailgun.net/v3/"},
        keeps_message_id=True,
    ),
    Provider(
        key="mailjet",
        name="Mailjet",
        backend="anymail.backends.mailjet.EmailBackend",
        fields=(_api_key("Account settings › API key management."), Field("secret_key", "Secret key", secret=True)),
        recipient=_words(r"\"To(\[\d+\])?\.Email\""),
        sender=_words(r"\"From(\.Email)?\""),
        events="anymail.webhooks.mailjet.MailjetTrackingWebhookView",
        where="Account settings › Event notifications (webhooks)",
        hosts={"": "https://api.mailjet.com/v3.1/"},
    ),
    Provider(
        key="postmark",
        name="Postmark",
        backend="anymail.backends.postmark.EmailBackend",
        fields=(
            Field("server_token", "Server API token", "Your server › API Tokens.", secret=True),
            Field(
                "message_stream",
                "Message stream",
                "For marketing Postmark wants a stream of its own, such as broadcast. Empty: outbound.",
                required=False,
            ),
        ),
        recipient=_words(r"invalid 'to'", r"error parsing 'to'", r"inactive"),
        sender=_words(r"'from'", r"sender signature"),
        events="anymail.webhooks.postmark.PostmarkTrackingWebhookView",
        where="your server › the message stream › Webhooks",
        hosts={"": "https://api.postmarkapp.com/"},
        keeps_message_id=True,
        headers={"X-PM-KeepID": "true"},
    ),
    Provider(
        key="sendgrid",
        name="SendGrid",
        backend="anymail.backends.sendgrid.EmailBackend",
        fields=(
            _api_key("Settings › API Keys, with the right Mail Send; it begins with SG."),
            Field(
                "tracking_webhook_verification_key",
                "Verification key of the event webhook",
                "Turn Signature Verification on there and copy the key. Without it events are refused.",
                required=False,
                signs=True,
            ),
            _region(("us", "Global"), _EU),
        ),
        recipient=_words(r"\"field\": ?\"personalizations[.\d]*to"),
        sender=_words(r"\"field\": ?\"from", r"sender identity"),
        events="anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
        where="Settings › Mail Settings › Event Webhooks",
        hosts={"us": "https://api.sendgrid.com/v3/", "eu": "https://api.eu.sendgrid.com/v3/"},
        keeps_message_id=True,
    ),
    Provider(
        key="sparkpost",
        name="SparkPost",
        backend="anymail.backends.sparkpost.EmailBackend",
        fields=(
            _api_key("Configuration › API Keys, with the right Transmissions."),
            Field("subaccount", "Subaccount", "Its number, where you have one.", required=False),
            _region(_US, _EU),
        ),
        recipient=_words(r"at least one valid recipient", r"invalid recipient"),
        sender=_words(r"(unconfigured|invalid|unverified) (sending )?domain", r"from address"),
        events="anymail.webhooks.sparkpost.SparkPostTrackingWebhookView",
        where="Configuration › Webhooks",
        hosts={
            "us": "https://api.sparkpost.com/api/v1/",
            "eu": "https://api.eu.sparkpost.com/api/v1/",
        },
    ),
)  # fmt: skip
PROVIDERS: Final[Mapping[str, Provider]] = {provider.key: provider for provider in _ALL}
