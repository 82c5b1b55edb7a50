"""The address that bounces of one message come to (VERP): our mailbox, and the message's token.

Mail servers may change the case of what stands before the @, so the token is written in letters that have none.
"""

from __future__ import annotations

import base64
import binascii

from django.conf import settings

from core.signing import BadToken
from delivery.tokens import MessageRef, Purpose, make_message_token, read_message_token


def bounce_address(ref: MessageRef) -> str:
    """Return where bounces of the message go; empty where the installation has no mailbox for them."""
    if not settings.BOUNCE_ADDRESS:
        return ""
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    token = make_message_token(Purpose.BOUNCE, ref)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return f"{local}+{base64.b32encode(raw).decode().rstrip('=').lower()}@{domain}"


def ref_of(address: str) -> MessageRef:
    """Return the message whose bounces come to this address; raise BadToken where it is none of ours."""
    local, _, domain = address.rpartition("@")
    mine, _, own = settings.BOUNCE_ADDRESS.rpartition("@")
    name, plus, token = local.rpartition("+")
    if not mine or not plus or name.lower() != mine.lower() or domain.lower() != own.lower():
        raise BadToken("This is not an address for bounces.")
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError) as error:
        raise BadToken("This is not an address for bounces.") from error
    return read_message_token(Purpose.BOUNCE, base64.urlsafe_b64encode(raw).rstrip(b"=").decode())


def is_bounce_mailbox(address: str) -> bool:
    """Say whether this is the mailbox itself, where feedback loops send complaints."""
    return bool(settings.BOUNCE_ADDRESS) and address.lower() == settings.BOUNCE_ADDRESS.lower()
