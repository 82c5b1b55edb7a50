"""STARTTLS: a mail goes only over a connection whose certificate is good for the server's name."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.embedded.process import free_port
from delivery.channels.base import Envelope, Outcome
from delivery.channels.smtp import SmtpChannel, SmtpSettings
from tests.support.smtp import Mailbox

MAIL = Envelope("news@mill.test", "ada@post.test", b"Subject: Hi\r\n\r\nHello\r\n")


class Begin(Protocol):
    def __call__(self, *, address: str, trusts: bool, tls: bool = True) -> tuple[Mailbox, SmtpChannel]: ...


def certificate(folder: Path, address: str) -> Path:
    """Write a certificate for one address, signed by itself, and its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    with ExitStack() as stack:

        def start(*, address: str, trusts: bool, tls: bool = True) -> tuple[Mailbox, SmtpChannel]:
            box = Mailbox()
            path = certificate(tmp_path, address)
            how: dict[str, Any] = {}
            if tls:
                context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                context.load_cert_chain(path)
                how = {"tls_context": context, "require_starttls": True}
            controller = Controller(box, hostname="127.0.0.1", port=free_port(), decode_data=False, **how)
            controller.start()
            stack.callback(controller.stop)
            given = SmtpSettings(
                "127.0.0.1", controller.port, starttls=True, timeout=10, authority=str(path) if trusts else ""
            )
            channel = SmtpChannel(given)
            stack.callback(channel.close)
            return box, channel

        yield start


def test_a_mail_goes_encrypted_where_the_certificate_is_vouched_for(begin: Begin) -> None:
    box, channel = begin(address="127.0.0.1", trusts=True)
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    assert [mail.recipients for mail in box.received] == [["ada@post.test"]]


@pytest.mark.parametrize(
    ("address", "trusts"), [("127.0.0.1", False), ("127.0.0.2", True)], ids=["nobody vouches", "another name"]
)
def test_no_mail_goes_to_a_server_that_is_not_the_one_that_was_named(
    begin: Begin, address: str, trusts: bool
) -> None:
    box, channel = begin(address=address, trusts=trusts)
    result = channel.hand_over(MAIL)
    assert result.outcome is Outcome.DOWN
    assert "certificate verify failed" in result.said
    assert box.received == []


def test_no_mail_goes_open_where_encryption_is_wanted(begin: Begin) -> None:
    box, channel = begin(address="127.0.0.1", trusts=True, tls=False)
    assert channel.hand_over(MAIL).outcome is Outcome.DOWN
    assert box.received == []
