"""Our DKIM signatures hold where dkimpy judges them, and only for the mail that they were made for."""

from __future__ import annotations

import base64
import itertools

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dkim.canonicalization import Relaxed

from delivery.signature import _relaxed_body, signature

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
NAMES = [b"from", b"to", b"reply-to", b"subject", b"list-unsubscribe", b"content-type"]
HEADS = {
    "plain": b"From: a@acme.test\r\nTo: b@x.test\r\nSubject: Hi",
    "folded": b"From: =?utf-8?b?w6Q=?=\r\n <a@acme.test>\r\nSubject: =?utf-8?b?w6Q=?=\r\n\t=?utf-8?b?w6Q=?=",
    "spaced": b"From:   a@acme.test  \r\nTO: \tB  \t <b@x.test> \r\nSubject:\r\nX-Other:  not signed ",
    "type": b'From: a@acme.test\r\nList-Unsubscribe: <https://x.test/?a=b>\r\nContent-Type: a/x;\r\n boundary="=_y"',
}
BODIES = {
    "mail": b"--=_x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + b"QUJD\r\n" * 50 + b"--=_x--\r\n",
    "blank lines at the end": b"Hello\r\n\r\n\r\n",
    "no line end": b"Hello",
    "spaces": b"Hello  there \t you \r\n  and you\t\r\n\r\nend \r\n \r\n",
    "a space at the end": b"Hello ",
    "nothing": b"",
    "only line ends": b"\r\n\r\n",
}


def holds(mail: bytes) -> bool:
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(PUBLIC)
    return bool(dkim.verify(mail, dnsfunc=lambda name, timeout=5: record))


def signed(head: bytes, body: bytes) -> bytes:
    made = signature(head, body, (), names=NAMES, domain="acme.test", selector="mr", pem=PEM)
    assert max(map(len, made.split(b"\r\n"))) < 100
    return made + head + b"\r\n\r\n" + body


@pytest.mark.parametrize(("head", "body"), itertools.product(HEADS, BODIES))
def test_a_signature_holds_for_its_mail_and_for_no_other(head: str, body: str) -> None:
    mail = signed(HEADS[head], BODIES[body])
    assert holds(mail)
    assert not holds(mail.replace(b"a@acme.test", b"c@acme.test"))
    assert not holds(mail + b"more\r\n")


def test_what_a_relay_may_change_breaks_no_signature() -> None:
    mail = signed(HEADS["folded"], BODIES["mail"])
    assert holds(mail.replace(b"Subject: ", b"subject:   ").replace(b"\r\n\t=?", b" =?") + b"\r\n\r\n")


def test_a_header_that_is_not_named_is_not_signed_and_one_that_is_missing_is_not_claimed() -> None:
    mail = signed(HEADS["spaced"], b"Hi")
    assert b"h=from:to:subject;" in mail
    assert holds(mail.replace(b"not signed", b"changed on the way"))


@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_relaxed_as_dkimpy_does_it(body: str) -> None:
    assert _relaxed_body(BODIES[body]) == Relaxed.canonicalize_body(BODIES[body])
