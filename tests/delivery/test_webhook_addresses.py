"""Where webhooks must not go: private addresses, however they are written, and what could be smuggled in."""

from __future__ import annotations

import _socket
import socket
from typing import Any

import pytest
from pytest_django import Settings

from delivery.webhooks import client
from delivery.webhooks.base import AddressRefused, WebhookRequest, check_address
from tests.fixtures.receiver import Receiver

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.0.192",  # noqa: S104
    "198.18.0.1", "192.0.2.1", "192.88.99.1",
    "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]",
    "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::10.0.0.1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]",
    "[2001:0:7f00:1::]", "[2001:db8::1]", "[100::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_no_private_address_is_called_however_it_is_written(host: str, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    with pytest.raises(AddressRefused, match="private network"):
        check_address(f"http://{host}/")
    answer = client.call(WebhookRequest("POST", f"http://{host}/"))
    assert (answer.code, answer.is_final) == (None, True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "0"])
def test_other_spellings_of_loopback_are_refused_once_they_are_resolved(
    host: str, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The run's own guard refuses names it does not know; the system's resolver reads these without asking anybody.
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    settings.WEBHOOK_PORTS = frozenset({receiver.port})
    answer = client.call(WebhookRequest("POST", f"http://{host}:{receiver.port}/"))
    assert (answer.code, receiver.got) == (None, [])
    assert answer.is_final or answer.is_down


@pytest.mark.parametrize(
    "meant", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"]
)
def test_a_name_that_means_a_private_address_is_refused(
    meant: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    family = socket.AF_INET6 if ":" in meant else socket.AF_INET
    place = (meant, 80, 0, 0) if ":" in meant else (meant, 80)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(family, socket.SOCK_STREAM, 6, "", place)])
    answer = client.call(WebhookRequest("POST", "http://harmless.example/"))
    assert (answer.is_final, "private network" in answer.error) == (True, True)


def test_a_name_is_resolved_once_so_that_it_cannot_mean_another_address_a_moment_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    asked: list[str] = []

    def turns(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            meant = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (meant, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    reached: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", turns)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert client.call(WebhookRequest("POST", "http://rebinding.example/")).is_down
    assert (asked, reached) == (["rebinding.example"], ["203.0.114.1"])


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://", "http:///x", "//example.com/",
     "http://user:pass@example.com/", "http://example.com:22/", "http://example.com:6379/", "http://example.com:99999/",
     "http://[::1", "javascript:alert(1)"],
)  # fmt: skip
def test_only_plain_web_addresses_and_listed_ports_are_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url)
    assert client.call(WebhookRequest("POST", url)).is_final


def test_loopback_is_closed_unless_a_setting_opens_it(receiver: Receiver, settings: Settings) -> None:
    assert client.call(WebhookRequest("POST", receiver.url())).code == 200
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert client.call(WebhookRequest("POST", receiver.url())).is_final
    assert len(receiver.got) == 1


def test_our_own_proxy_and_passwords_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login us password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client.call(WebhookRequest("POST", receiver.url())).code == 200
    assert "authorization" not in receiver.got[0].headers


def test_a_header_cannot_be_smuggled_in(receiver: Receiver) -> None:
    answer = client.call(WebhookRequest("POST", receiver.url(), {"X-A": "1\r\nX-Evil: 2"}))
    assert (answer.is_final, receiver.got) == (True, [])
