"""Tokens for links that leave the house. Each carries its tenant, so the scope opens before the first query."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core import signing


class BadToken(ValueError):
    """The token is forged, of another purpose, or too old. Answer as not found."""


@dataclass(frozen=True)
class Token:
    """What a token says: the tenant and the values given when it was made (ints and strings)."""

    tenant_id: int
    values: tuple[int | str, ...]


def make_token(*, purpose: str, tenant_id: int, values: tuple[int | str, ...]) -> str:
    """Return a URL-safe signed text; purpose separates kinds of token from each other."""
    return signing.dumps([tenant_id, *values], salt=f"millrace.{purpose}", compress=False)


def make_lasting_token(*, purpose: str, tenant_id: int, values: tuple[int | str, ...]) -> str:
    """Return the same text every time, for addresses that people publish; it holds no moment, so it never ends."""
    return signing.Signer(salt=f"millrace.lasting.{purpose}").sign_object([tenant_id, *values])


def read_lasting_token(*, purpose: str, token: str) -> Token:
    """Return what a lasting token says, or raise BadToken."""
    try:
        tenant_id, *values = signing.Signer(salt=f"millrace.lasting.{purpose}").unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadToken("This link is not valid.") from error
    return Token(tenant_id=tenant_id, values=tuple(values))


def read_token(*, purpose: str, token: str, max_age: dt.timedelta | None = None) -> Token:
    """Return what a token says, or raise BadToken."""
    try:
        tenant_id, *values = signing.loads(token, salt=f"millrace.{purpose}", max_age=max_age)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadToken("This link is not valid.") from error
    return Token(tenant_id=tenant_id, values=tuple(values))
