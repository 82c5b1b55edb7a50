"""What Amazon SNS posts to an address, signed as it signs, with a key and a certificate of our own."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-west-1:123456789012:mill-events"
HOST = "https://sns.eu-west-1.amazonaws.com"
PATH = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(*, days: int = 90, key: Any = _KEY) -> bytes:
    """Return a certificate (PEM) that ends after so many days; it began half a year ago."""
    name, now = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")]),
        dt.datetime.now(dt.UTC),
    )
    made = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=x509.random_serial_number(),
        not_valid_before=now - dt.timedelta(days=180), not_valid_after=now + dt.timedelta(days=days),
    )  # fmt: skip
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


CERTIFICATE = certificate()


def message(text: str, *, kind: str = "Notification", version: str = "2", **other: str) -> dict[str, str]:
    """Return a signed message; `other` stands in it instead, signed as well."""
    told = {
        "Type": kind, "MessageId": str(uuid.uuid4()), "TopicArn": TOPIC, "Message": text,
        "Timestamp": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "SignatureVersion": version, "SigningCertURL": HOST + PATH,
    }  # fmt: skip
    if kind != "Notification":
        told |= {"Token": "t" * 64, "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&Token=x"}
    return signed(told | other)


def signed(told: dict[str, str], *, key: Any = _KEY) -> dict[str, str]:
    """Return the message with SNS's signature, or another's."""
    names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{told[name]}\n" for name in names if name in told)
    digest = hashes.SHA1() if told["SignatureVersion"] == "1" else hashes.SHA256()  # noqa: S303 - version 1 is that
    return told | {
        "Signature": base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), digest)).decode()
    }


def headers(body: bytes) -> dict[str, str]:
    """Return the headers that come with a message."""
    try:
        told = dict(json.loads(body))
    except (ValueError, TypeError):
        told = {}
    return {
        "X-Amz-Sns-Message-Type": str(told.get("Type")),
        "X-Amz-Sns-Message-Id": str(told.get("MessageId")),
    }
