"""The demo's SMS account: at the trial's own Twilio, which never sends anything."""

from __future__ import annotations

import datetime as dt
import secrets

from accounts.models import User
from delivery.operations.connectors import connect_sms


def seed_sms(*, actor: User, now: dt.datetime) -> None:
    """Connect an account with a number and a name to send from."""
    connect_sms(
        account_sid=f"AC{secrets.token_hex(16)}",
        auth_token=secrets.token_hex(16),
        senders=["+4759440000", "Northwind"],
        actor=actor,
        now=now,
    )
