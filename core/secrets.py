"""Secrets that must be read again (a provider's token, a header of a webhook): sealed at rest, never shown.

The key is made from SECRET_KEY and the purpose; SECRET_KEY_FALLBACKS still open what was sealed before.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class SecretLost(ValueError):
    """What was sealed cannot be opened: the installation's key is another one. It must be given again."""


def seal(text: str, *, purpose: str) -> str:
    """Return the text, encrypted and signed; another purpose does not open it."""
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Return what was sealed; raise SecretLost."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretLost("This secret cannot be read any more. Give it again.") from error


def _box(purpose: str) -> MultiFernet:
    keys = [settings.SECRET_KEY, *(str(secret) for secret in settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_key(purpose, key)) for key in keys])


def _key(purpose: str, secret: str) -> bytes:
    made = salted_hmac(f"millrace.secret.{purpose}", "key", secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made)
