"""What Amazon SNS posts: whether it is from the account's own topic, by Amazon's signature, and that it may come.

Where the certificate is fetched is not read from the message: it follows from the topic, which the tenant gave. Knows
no rows.
Signing: docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from core import clock
from delivery.webhooks.client import NotFetched, fetch

CONFIRMATION: Final = "SubscriptionConfirmation"
END: Final = "UnsubscribeConfirmation"
# SNS tries for an hour at most, and then gives up. What is older was kept by somebody.
OLDEST: Final = dt.timedelta(hours=2)
AHEAD: Final = dt.timedelta(minutes=15)
_HASHES: Final[Mapping[str, type[hashes.SHA1] | type[hashes.SHA256]]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_SIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    END: (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
# A certificate has about two thousand bytes.
_MOST_BYTES = 20_000
_MOST_KEPT = 32
_kept: dict[str, x509.Certificate] = {}
_keeping = threading.Lock()


class Forged(Exception):
    """Not from the account's own topic, or too old."""


class NotNow(Exception):
    """Amazon could not be asked. The same message may come again."""


def checked(body: bytes, *, topic_arn: str) -> dict[str, Any]:
    """Return the message, once it is certain that SNS sent it for this topic; raise Forged and NotNow."""
    try:
        told = json.loads(body)
    except ValueError as error:
        raise Forged("Not what SNS posts.") from error
    if not isinstance(told, dict) or told.get("TopicArn") != topic_arn:
        raise Forged("Of another topic.")
    names = _SIGNED.get(str(told.get("Type")))
    digest = _HASHES.get(str(told.get("SignatureVersion")))
    if names is None or digest is None:
        raise Forged("Not what SNS posts.")
    _check_time(told)
    key = _certificate(str(told.get("SigningCertURL", "")), topic_arn).public_key()
    signed = "".join(f"{name}\n{told[name]}\n" for name in names if told.get(name) is not None)
    try:
        if not isinstance(key, RSAPublicKey):
            raise Forged("The certificate is not SNS's.")
        signature = b64decode(str(told.get("Signature", "")), validate=True)
        key.verify(signature, signed.encode(), padding.PKCS1v15(), digest())
    except (InvalidSignature, ValueError) as error:
        raise Forged("Not signed by SNS.") from error
    return told


def confirm(told: Mapping[str, Any]) -> None:
    """Tell SNS that the topic may post here; raise NotNow. `told` was checked, so its topic is the account's own."""
    arn = str(told["TopicArn"])
    asked = urlencode({"Action": "ConfirmSubscription", "TopicArn": arn, "Token": str(told.get("Token", ""))})
    _fetched(f"https://{_host(arn)}/?{asked}")


def _check_time(told: Mapping[str, Any]) -> None:
    try:
        at = dt.datetime.fromisoformat(str(told.get("Timestamp")))
    except ValueError as error:
        raise Forged("Without a time.") from error
    if at.tzinfo is None or not -AHEAD <= clock.now() - at <= OLDEST:
        raise Forged("Too old.")


def _host(topic_arn: str) -> str:
    """Return where SNS itself answers for the topic's region."""
    _, partition, _, region, *_ = topic_arn.split(":")
    return f"sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"


def _certificate(url: str, topic_arn: str) -> x509.Certificate:
    """Return the certificate at the address, which must be SNS's own; kept as long as the process lives."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise Forged("The certificate is not SNS's.") from error
    if (parts.scheme, parts.netloc, parts.query, parts.fragment) != ("https", _host(topic_arn), "", ""):
        raise Forged("The certificate is not SNS's.")
    if not _CERTIFICATE.fullmatch(parts.path):
        raise Forged("The certificate is not SNS's.")
    found = _kept.get(url)
    if found is None:
        try:
            found = x509.load_pem_x509_certificate(_fetched(url))
        except ValueError as error:
            raise Forged("The certificate is not SNS's.") from error
        with _keeping:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[url] = found
    if not found.not_valid_before_utc <= clock.now() <= found.not_valid_after_utc:
        raise Forged("The certificate is not valid any more.")
    return found


def _fetched(url: str) -> bytes:
    """Return what stands at one of SNS's own addresses, nowhere in a private network."""
    if settings.EMAIL_API_URL:
        url = url.replace(url[: url.index("/", 8)], settings.EMAIL_API_URL.rstrip("/"), 1)
    try:
        return fetch(url, most=_MOST_BYTES)
    except NotFetched as error:
        raise NotNow(str(error)) from error
