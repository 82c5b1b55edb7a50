"""Sending by an email provider through django-anymail, and what the provider's answers mean.

A request that may have arrived is never made again: providers keep no key against doubles. Only what certainly was
not taken (no connection, refused, busy) comes again.
"""

from __future__ import annotations

import email
import email.policy
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import EmailMessage as Parsed
from queue import SimpleQueue
from threading import Event
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from anymail.exceptions import AnymailError, AnymailRecipientsRefused, AnymailWarning
from anymail.message import AnymailMessage
from django.conf import settings
from django.utils.module_loading import import_string

from delivery.channels.base import Envelope, HandOver, Outcome, one_by_one
from delivery.channels.http_errors import never_connected, words_of
from delivery.channels.providers import PROVIDERS, Provider
from delivery.files import decoded

TIMEOUT = 15.0
# A provider may ask for patience, but not for more than this.
LONGEST_WAIT = 3600
# The name of our own token among what the provider keeps of a message and gives back with every event.
METADATA = "millrace"
# Headers that the provider makes from what it is given, or by itself.
_MADE = frozenset(
    {"from", "to", "reply-to", "subject", "date", "mime-version", "dkim-signature", "message-id"}
)
# Answers that say something certain, whatever the body.
_STATUSES: Mapping[int, tuple[Outcome, str]] = {
    401: (Outcome.DOWN, "sign_in"),
    402: (Outcome.DOWN, "suspended"),
    403: (Outcome.DOWN, "sign_in"),
    408: (Outcome.UNKNOWN, ""),
    429: (Outcome.DOWN, "busy"),
    503: (Outcome.DOWN, "busy"),
}


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """An account: which provider, and all that it asks for by name, secrets included. `connections` is how many mails
    one process hands over at the same time."""

    provider: str
    given: Mapping[str, str]
    connections: int = 1


class ProviderChannel:
    """The connections of one batch. They are not kept: one that dies idle would leave a message unknown.

    `wait` is called before each request and returns when it may be made.
    """

    def __init__(self, account: ProviderAccount, *, wait: Callable[[], None] = lambda: None) -> None:
        self.provider = PROVIDERS[account.provider]
        self._account, self._wait = account, wait
        self._all = [_backend(self.provider, account.given)]
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._idle.put(self._all[0])

    def hand_over_all(self, envelopes: Sequence[Envelope]) -> list[HandOver]:
        """Hand mails over, as many at the same time as the account may; once it is down the rest is not tried."""
        most = min(self._account.connections, len(envelopes))
        if most <= 1:
            return one_by_one(self.hand_over, envelopes)
        while len(self._all) < most:
            self._all.append(_backend(self.provider, self._account.given))
            self._idle.put(self._all[-1])
        down = Event()

        def hand(envelope: Envelope) -> HandOver:
            if down.is_set():
                return HandOver(Outcome.DOWN)
            result = self.hand_over(envelope)
            if result.outcome is Outcome.DOWN:
                down.set()
            return result

        with ThreadPoolExecutor(max_workers=most) as pool:
            return list(pool.map(hand, envelopes))

    def hand_over(self, envelope: Envelope) -> HandOver:
        """Hand one mail over. Never raises for what becomes of it."""
        self._wait()
        backend = self._idle.get()
        try:
            return self._hand_over(backend, envelope)
        finally:
            self._idle.put(backend)

    def _hand_over(self, backend: Any, envelope: Envelope) -> HandOver:
        mail = whole_mail(envelope) if self.provider.takes_whole else django_mail(envelope, self.provider)
        try:
            backend.open()
            backend.send_messages([mail])
        except AnymailRecipientsRefused as error:
            told = error.response
            return HandOver(
                Outcome.REFUSED, words_of(told) if isinstance(told, requests.Response) else _said(error)
            )
        except AnymailError as error:
            return self._refused(error)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # anymail stumbles over an answer of 2xx that is not what the provider answers: it may have been taken.
            return HandOver(Outcome.UNKNOWN, f"{type(error).__name__}: {error}"[:400])
        status = mail.anymail_status
        reference = str(next(iter(status.recipients.values())).message_id or "") if status.recipients else ""
        if status.status & {"sent", "queued"}:
            return HandOver(Outcome.SENT, ", ".join(status.status), reference=reference[:200])
        return self._refused_within(status)

    def close(self) -> None:
        """Let the connections go."""
        for backend in self._all:
            backend.close()

    def _refused(self, error: AnymailError) -> HandOver:
        """Return what it means that there was no yes."""
        answer = getattr(error, "response", None)
        if answer is not None:
            return self._answered(answer)
        if not isinstance(error, requests.RequestException):
            # Something about this mail that anymail cannot tell the provider: it was not sent.
            return HandOver(Outcome.FAILED, _said(error))
        reason = error.__cause__
        missed = isinstance(reason, requests.RequestException) and never_connected(reason)
        return HandOver(Outcome.DOWN if missed else Outcome.UNKNOWN, _said(error))

    def _answered(self, answer: requests.Response) -> HandOver:
        """Return what an answer that is no yes means. A refused account comes before what its words may hint at."""
        code, said = answer.status_code, words_of(answer)
        refuses_mail = code < 500 and code not in {401, 402, 429}
        if refuses_mail and self.provider.sender.search(answer.text):
            return HandOver(Outcome.SENDER, said)
        if refuses_mail and code != 403 and self.provider.recipient.search(answer.text):
            return HandOver(Outcome.REFUSED, said)
        if code in _STATUSES:
            outcome, cause = _STATUSES[code]
            return HandOver(outcome, said, cause=cause, wait=_wait(answer) if outcome is Outcome.DOWN else 0)
        # A yes that is not what the provider answers: it may have been taken, as after an error of its own.
        unclear = code >= 500 or (code < 300 and not _is_refusal(answer))
        return HandOver(Outcome.UNKNOWN if unclear else Outcome.FAILED, said)

    def _refused_within(self, status: Any) -> HandOver:
        """Return what a yes to the request and a no to its mail means."""
        answer = status.esp_response
        text = str(getattr(answer, "text", ""))
        said = words_of(answer) if isinstance(answer, requests.Response) else ""
        if self.provider.sender.search(text):
            return HandOver(Outcome.SENDER, said)
        if self.provider.recipient.search(text):
            return HandOver(Outcome.REFUSED, said)
        return HandOver(Outcome.FAILED if status.status == {"failed"} else Outcome.UNKNOWN, said)


def _backend(provider: Provider, given: Mapping[str, str]) -> Any:
    """Return anymail's backend for an account."""
    sends = {field.name for field in provider.fields if not field.signs}
    sends -= set() if provider.tells_region else {"region"}
    options = {name: value for name, value in given.items() if value and name in sends}
    address = provider.hosts[given.get("region", "") if len(provider.hosts) > 1 else ""]
    if settings.EMAIL_API_URL:
        other = urlsplit(settings.EMAIL_API_URL)
        address = urlsplit(address)._replace(scheme=other.scheme, netloc=other.netloc).geturl()
    with warnings.catch_warnings():
        # It warns that it tries nothing against SendGrid itself any more.
        warnings.simplefilter("ignore", AnymailWarning)
        backend = import_string(provider.backend)(**options, api_url=address, timeout=TIMEOUT)
    if not isinstance(backend, AnymailRequestsBackend):
        return backend
    make = backend.create_session

    def session() -> requests.Session:
        made = cast(requests.Session, make())
        # Keys go to the provider alone.
        made.max_redirects = 0
        return made

    backend.create_session = session
    return backend


def whole_mail(envelope: Envelope) -> AnymailMessage:
    """Return the assembled mail for a provider that takes it as it is, our token for events among its headers."""
    parsed = email.message_from_bytes(envelope.data, policy=email.policy.default)
    mail = AnymailMessage(body="-", from_email=str(parsed["From"]), to=[envelope.recipient])
    told = f"X-Metadata: {json.dumps({METADATA: envelope.token})}\r\n" if envelope.token else ""
    mail.assembled = b"".join((told.encode(), envelope.data, *envelope.following()))
    return mail


def django_mail(envelope: Envelope, provider: Provider) -> AnymailMessage:
    """Return the assembled mail as anymail takes it: its parts, its own headers, and our token for events."""
    parsed: Parsed = email.message_from_bytes(envelope.data, policy=email.policy.default)
    mail = AnymailMessage(
        subject=str(parsed["Subject"] or ""),
        body=_text(parsed, "plain"),
        from_email=str(parsed["From"]),
        to=[str(parsed["To"] or envelope.recipient)],
        reply_to=[str(parsed["Reply-To"])] if parsed["Reply-To"] else None,
        headers=_headers(parsed, provider),
    )
    html = _text(parsed, "html")
    if html:
        mail.attach_alternative(html, "text/html")
    for file, content in decoded(envelope.files) if envelope.files else ():
        mail.attach(file.name, content, file.kind)
    if envelope.token:
        mail.metadata = {METADATA: envelope.token}
    if provider.switches_tracking:
        # Our own links and picture are in it already.
        mail.track_opens = mail.track_clicks = False
    return mail


def _headers(parsed: Parsed, provider: Provider) -> dict[str, str]:
    kept = {
        name: str(value)
        for name, value in parsed.items()
        if name.lower() not in _MADE and not name.lower().startswith("content-")
    }
    if provider.keeps_message_id:
        kept |= {"Message-ID": str(parsed["Message-ID"]), **(provider.headers or {})}
    return kept


def _text(parsed: Parsed, kind: str) -> str:
    part = parsed.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def _is_refusal(answer: requests.Response) -> bool:
    """Say whether a 2xx answer tells of an error all the same (Postmark's and SparkPost's may)."""
    try:
        told = answer.json()
    except ValueError:
        return False
    return isinstance(told, dict) and bool(told.get("ErrorCode") or told.get("errors"))


def _wait(answer: requests.Response) -> int:
    """Return how many seconds the provider asks to wait; its dates are not read."""
    text = answer.headers.get("Retry-After", "")
    return min(int(text), LONGEST_WAIT) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _said(error: Exception) -> str:
    cause = error.__cause__
    first = str(error).partition("\n")[0]
    return (f"{type(cause).__name__}: {first}" if cause else first)[:400]
