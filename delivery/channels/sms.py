"""Sending by Twilio through their own client, and what its answers mean.

A request that may have arrived is never made again: Twilio has no key against doubles. Only what certainly was not
taken (no connection, refused, busy) comes again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from delivery.channels.base import HandOver, Outcome, TextEnvelope
from delivery.channels.http_errors import never_connected

TIMEOUT = 15.0
# Twilio's error codes (twilio.com/docs/api/errors) that say something certain.
_CODES: Mapping[int, Outcome] = {
    21610: Outcome.OPTED_OUT,
    **dict.fromkeys((21211, 21217, 21614), Outcome.REFUSED),  # no such number, no mobile
    # Settings to mend, so the message waits for it: the account (suspended), the sender.
    20005: Outcome.DOWN,
    **dict.fromkeys((21212, 21603, 21606, 21659, 21660, 21703), Outcome.SENDER),
}
_STATUSES: Mapping[int, Outcome] = {
    401: Outcome.DOWN,
    403: Outcome.DOWN,
    408: Outcome.UNKNOWN,
    429: Outcome.DOWN,
    503: Outcome.DOWN,
}
_CAUSES: Mapping[int, str] = {20005: "suspended", 401: "sign_in", 403: "sign_in", 429: "busy"}


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Twilio."""

    sid: str
    token: str


class HttpAt(TwilioHttpClient):
    """Twilio's transport, led to another scheme and host: the server that stands in for Twilio in tests and trials."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=TIMEOUT, max_retries=0)
        self.base = urlsplit(base) if base else None

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """Make the request where `base` leads, if there is one. Redirects are not followed."""
        if self.base is not None:
            url = urlsplit(url)._replace(scheme=self.base.scheme, netloc=self.base.netloc).geturl()
        return super().request(method, url, *args, **kwargs)

    def close(self) -> None:
        """Let the connections go."""
        if self.session is not None:
            self.session.close()


class SmsChannel:
    """The connections of one batch. They are not kept: one that dies idle would leave a message unknown."""

    def __init__(self, account: Account) -> None:
        self._http = HttpAt(settings.SMS_API_URL)
        self._client = Client(account.sid, account.token, http_client=self._http)

    def hand_over(self, envelope: TextEnvelope) -> HandOver:
        """Hand one SMS over. Never raises for what becomes of it."""
        sender = {"messaging_service_sid" if is_service(envelope.sender) else "from_": envelope.sender}
        try:
            made = self._client.messages.create(
                to=envelope.recipient, body=envelope.text, status_callback=envelope.callback, **sender
            )
        except TwilioRestException as error:
            cause = _CAUSES.get(error.code or 0) or _CAUSES.get(error.status, "")
            return HandOver(_meaning(error), f"{error.code or error.status}: {error.msg}"[:400], cause=cause)
        except requests.RequestException as error:
            outcome = Outcome.DOWN if never_connected(error) else Outcome.UNKNOWN
            return HandOver(outcome, type(error).__name__)
        except (ValueError, KeyError, TypeError) as error:
            # An answer of 2xx that is not what Twilio answers: it may have been taken.
            return HandOver(Outcome.UNKNOWN, f"{type(error).__name__}: {error}"[:400])
        return HandOver(Outcome.SENT, str(made.status or ""), reference=str(made.sid or "")[:64])

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()


def is_service(sender: str) -> bool:
    """Say whether a sender is one of Twilio's messaging services."""
    return sender.startswith("MG") and len(sender) == 34


def _meaning(error: TwilioRestException) -> Outcome:
    if error.code in _CODES:
        return _CODES[error.code]
    if error.status in _STATUSES:
        return _STATUSES[error.status]
    return Outcome.UNKNOWN if error.status >= 500 else Outcome.FAILED
