"""Makes one request to an address from outside, and to nothing else: no private network, no other port, no
redirect, no proxy of ours, and never longer than a few seconds. Knows HTTP; must not know the database.

requests-hardened resolves the name once, refuses private addresses and connects to exactly the address it looked at,
so a name cannot mean something else a moment later (docs/adr/0005).
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import requests
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from delivery.webhooks.base import (
    AddressRefused,
    Answer,
    WebhookRequest,
    check_address,
    literal_address,
    may_reach,
)

TIMEOUT = 10.0
# Everything together, from the connection on: a server that answers a letter a second ends here.
WHOLE = 20.0


def call(request: WebhookRequest) -> Answer:
    """Make the request; never raises for what becomes of it. The answer's body is not read."""
    with _session() as session:
        try:
            check_address(request.url)
            answer = session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=dict(request.headers),
                stream=True,
            )
        except (AddressRefused, InvalidIPAddress) as error:
            told = (
                str(error) if isinstance(error, AddressRefused) else "This address lies in a private network."
            )
            return Answer(error=told, is_final=True)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError) as error:
            return Answer(error=f"The request cannot be made: {error}"[:300], is_final=True)
        except (requests.RequestException, OSError, ValueError) as error:
            return Answer(error=_words(error), is_down=True)
        answer.close()
    return _judged(answer.status_code)


class NotFetched(Exception):
    """What stands at an address was not got; the message says why."""


def fetch(url: str, *, most: int) -> bytes:
    """Return what stands at an address, at most so many bytes; raise NotFetched. Guarded as `call` is."""
    with _session() as session:
        try:
            check_address(url)
            answer = session.request("GET", url, stream=True)
            found = answer.raw.read(most + 1, decode_content=True)
        except (
            AddressRefused,
            InvalidIPAddress,
            requests.RequestException,
            HTTPError,
            OSError,
            ValueError,
        ) as error:
            raise NotFetched(_words(error)) from error
        if answer.status_code != 200 or len(found) > most:
            raise NotFetched(f"Answered {answer.status_code}.")
        return bytes(found)


def _session() -> HTTPSession:
    session = HTTPSession(_CONFIG)
    # No proxies, .netrc or certificates from our own environment.
    session.trust_env = False
    session.mount("http://", _GuardedAdapter(is_https_proto=False))
    session.mount("https://", _GuardedAdapter(is_https_proto=True))
    return session


def _judged(code: int) -> Answer:
    if 300 <= code < 400:
        return Answer(code, "Redirects are not followed.")
    return Answer(code, "" if code < 300 else f"Answered {code}.", is_final=code == 410)


def _words(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "No answer in time."
    if isinstance(error, requests.exceptions.SSLError):
        return "The certificate is not valid."
    return "No connection."


_CONFIG = Config(
    ip_filter_enable=True,
    ip_filter_allow_loopback_ips=False,
    never_redirect=True,
    default_timeout=(TIMEOUT, TIMEOUT),
    user_agent_override="Millrace-Webhooks/1",
)


class _GuardedAdapter(IPFilterAdapter):
    """The library's adapter, which resolves, filters and pins, with a second look at the address, and a deadline."""

    def __init__(self, *, is_https_proto: bool) -> None:
        super().__init__(is_https_proto=is_https_proto, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(*args, **kwargs)
        found = literal_address(host_params["host"])
        if found is None or not may_reach(found):
            raise AddressRefused("This address lies in a private network.")
        return host_params, pool_kwargs


class _Deadline:
    """Cuts a connection off when it has taken too long in all: time-outs of a socket only count from byte to byte."""

    sock: Any

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        self._timer = threading.Timer(WHOLE, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        sock = self.sock
        if sock is not None:
            try:
                # The plain socket's: an encrypted one must not be taken apart under the thread that reads it.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return

    def close(self) -> None:
        timer = getattr(self, "_timer", None)
        if timer is not None:
            timer.cancel()
        super().close()  # type: ignore[misc]


class _Connection(_Deadline, HTTPConnection):
    """See _Deadline."""


class _SecureConnection(_Deadline, HTTPSConnection):
    """See _Deadline."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
