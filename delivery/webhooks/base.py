"""A request as it is to be made, its answer, and which addresses may be called at all. Loads no HTTP library."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """What to send. `body` is empty for methods without one."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status code, or none and why. `is_final` says that trying again is in vain."""

    code: int | None = None
    error: str = ""
    is_final: bool = False
    # The server itself did not answer: the next one will not be answered either.
    is_down: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the receiver has taken it."""
        return self.code is not None and 200 <= self.code < 300


class AddressRefused(ValueError):
    """The address is none that a webhook may go to; the message is for the user."""


def check_address(url: str) -> None:
    """Raise AddressRefused unless the address may be called, as far as that can be said without resolving it."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError as error:
        raise AddressRefused("This is no web address.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise AddressRefused("Write an address that begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Name and password do not belong into the address: use a secret header.")
    literal = literal_address(parts.hostname)
    if literal is not None and not may_reach(literal):
        raise AddressRefused("This address lies in a private network.")
    is_local = settings.WEBHOOK_ALLOW_LOOPBACK and _is_loopback(parts.hostname, literal)
    if port not in settings.WEBHOOK_PORTS and not is_local:
        allowed = ", ".join(str(number) for number in sorted(settings.WEBHOOK_PORTS))
        raise AddressRefused(f"Only these ports may be called: {allowed}.")


_IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def literal_address(host: str) -> _IP | None:
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _is_loopback(host: str, literal: _IP | None) -> bool:
    return literal.is_loopback if literal is not None else host == "localhost"


def may_reach(address: _IP) -> bool:
    """Say whether an address lies in the internet. Addresses of v4 inside v6 are looked at as what they are."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return may_reach(inner)
        if address.is_site_local:
            return False
    if settings.WEBHOOK_ALLOW_LOOPBACK and address.is_loopback:
        return True
    if any(address.version == net.version and address in net for net in _NOT_THE_INTERNET):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


# What older Pythons take for public: IPv4 inside IPv6 by old and by translating ways, relays, special purposes.
_NOT_THE_INTERNET = tuple(
    ipaddress.ip_network(net)
    for net in (
        "::/96", "64:ff9b::/32", "2001:20::/28", "3fff::/20", "5f00::/16", "100.64.0.0/10", "192.0.0.0/24",
        "192.88.99.0/24",
    )
)  # fmt: skip
