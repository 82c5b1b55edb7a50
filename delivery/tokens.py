"""Short signed tokens that name a message in the links of its mail: tenant, day, id, and for some a day of issue.

Shorter than core.signing's (about 22 characters), because a mail holds dozens. 80 bits of HMAC: forging one takes
2^79 requests on average, and would show a link of one mail.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac

from core.signing import BadToken

_MAC_BYTES = 10
FIRST_DAY = dt.date(2020, 1, 1)
_MAX_TOKEN = 80
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Purpose(StrEnum):
    """What a token is good for; one of another purpose does not verify."""

    CLICK = "click"
    OPEN = "open"
    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    VIEW = "view"
    BOUNCE = "bounce"
    SMS_STATUS = "sms_status"
    SMS_REPLY = "sms_reply"  # names a tenant alone
    PROVIDER_EVENTS = "provider_events"  # names a tenant alone
    PROVIDER = "provider"  # what an email provider gives back with every event of a message


@dataclass(frozen=True, slots=True)
class MessageRef:
    """The message that a token names. `issued_on` only where the purpose ends one day."""

    tenant_id: int
    enrolled_on: dt.date
    message_id: int
    issued_on: dt.date | None = None


@lru_cache(maxsize=64)
def key_of(purpose: str, secret: str) -> bytes:
    """Return the key that tokens of a purpose are signed with."""
    return salted_hmac(f"millrace.message.{purpose}", "token", secret=secret, algorithm="sha256").digest()


def _mac(purpose: str, payload: bytes, secret: str) -> bytes:
    return hmac.digest(key_of(purpose, secret), payload, "sha256")[:_MAC_BYTES]


def make_message_token(purpose: Purpose, ref: MessageRef) -> str:
    """Return the token."""
    return make_message_tokens(ref, purpose)[0]


def make_message_tokens(ref: MessageRef, *purposes: Purpose) -> list[str]:
    """Return the message's tokens for several purposes; what they share is made once."""
    numbers = [ref.tenant_id, (ref.enrolled_on - FIRST_DAY).days, ref.message_id]
    if ref.issued_on:
        numbers.append((ref.issued_on - FIRST_DAY).days)
    payload, secret = b"".join(map(pack, numbers)), settings.SECRET_KEY
    made = (payload + _mac(purpose, payload, secret) for purpose in purposes)
    return [binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode() for raw in made]


def read_message_token(purpose: Purpose, token: str) -> MessageRef:
    """Return the message that a token names; raise BadToken for anything that we did not make."""
    if len(token) > _MAX_TOKEN or not token.isascii():
        raise BadToken("This link is not valid.")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken("This link is not valid.") from error
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    secrets = [settings.SECRET_KEY, *(str(secret) for secret in settings.SECRET_KEY_FALLBACKS)]
    if not payload or not any(hmac.compare_digest(mac, _mac(purpose, payload, secret)) for secret in secrets):
        raise BadToken("This link is not valid.")
    tenant_id, day, message_id, *issued = unpack(payload)
    return MessageRef(
        tenant_id=tenant_id,
        enrolled_on=FIRST_DAY + dt.timedelta(days=day),
        message_id=message_id,
        issued_on=FIRST_DAY + dt.timedelta(days=issued[0]) if issued else None,
    )


def pack(number: int) -> bytes:
    """Return a whole number, 0 or more, seven bits a byte, least first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def unpack(payload: bytes) -> list[int]:
    """Return the numbers that `pack` wrote."""
    numbers, number, shift = [], 0, 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(number)
            number, shift = 0, 0
    return numbers
