"""Mails with files: proper MIME to the byte, signed whole, encoded once, and never more than one set in memory."""

from __future__ import annotations

import base64
import io
import re
import tracemalloc
from collections.abc import Iterator

import dkim
import pytest

from content.models import Email
from content.operations.attachments import keep_file
from content.operations.emails import Draft, save_email
from content.operations.variants import add_variant
from content.queries_attachment import Attached
from delivery import files as mail_files
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.domains import Signer
from delivery.files import FileSet, MailFile, encoded
from delivery.models import Message
from delivery.operations import sending
from delivery.operations.sending import send_batch
from tests.delivery.conftest import House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7\n"
MB = 1024 * 1024
NAMES = [
    "plain.pdf", 'with "quotes" & spaces.pdf', "Prisliste våren 🚀.pdf", "قائمة الأسعار.pdf", "ø" * 196 + ".pdf",
]  # fmt: skip


def keep(house: House, name: str, data: bytes, beside: tuple[Attached, ...] = ()) -> Attached:
    with house.scope():
        return keep_file(file=io.BytesIO(data), name=name, size=len(data), beside=beside, now=house.now)


def attach(house: House, *files: Attached, email: Email | None = None, language: str = "") -> None:
    with house.scope():
        email = Email.objects.get(pk=(email or house.email).pk)
        draft = Draft("Welcome", email.subject, email.mjml, attachments=files)
        saved = save_email(
            email_id=email.pk, draft=draft, revision=email.revision, actor=None, now=house.now, language=language
        )  # fmt: skip
        assert saved.is_saved, saved.problems
        house.email = saved.email


def test_files_arrive_to_the_byte_with_their_names_and_kinds(house: House, mailbox: Mailbox) -> None:
    contents = {name: PDF + bytes(range(256)) * (5 + 900 * number) for number, name in enumerate(NAMES)}
    kept: tuple[Attached, ...] = ()
    for name, data in contents.items():
        kept = (*kept, keep(house, name, data, kept))
    attach(house, *kept, keep(house, "tall.csv", b"a;b\r\n.\r\n..c\r\n", kept))
    house.queue(house.contact("Ada"), house.contact("Bea"))
    assert house.send().handed == 2
    for received in mailbox.received:
        mail = received.message
        assert mail.get_content_type() == "multipart/mixed"
        assert not mail.defects
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert text is not None
        assert html is not None
        assert "of your company" in text.get_content()
        assert "See the offer" in html.get_content()
        parts = list(mail.iter_attachments())
        assert [part.get_filename() for part in parts] == [*NAMES, "tall.csv"]
        assert [part.get_content_type() for part in parts] == ["application/pdf"] * 5 + ["text/csv"]
        assert [part.get_payload(decode=True) for part in parts] == [
            *contents.values(),
            b"a;b\r\n.\r\n..c\r\n",
        ]
        assert all(part.get_content_disposition() == "attachment" and not part.defects for part in parts)
        assert max(len(line) for line in received.raw.split(b"\r\n")) <= 998
        assert received.raw.isascii()


def test_each_language_takes_its_own_files_and_a_test_takes_them_too(
    house: House, wendy: Person, mailbox: Mailbox
) -> None:
    from content.operations.test_sends import send_test

    ours, theirs = keep(house, "list.pdf", PDF + b"en"), keep(house, "liste.pdf", PDF + b"nb")
    attach(house, ours)
    with house.scope():
        add_variant(
            email_id=house.email.pk, language="nb", revision=house.email.revision, actor=None, now=house.now
        )
    attach(house, theirs, language="nb")
    house.queue(house.contact("Ada"), house.contact("Kari", language="nb"), house.contact("Bea"))
    with house.scope():
        send_test(
            email_id=house.email.pk, addresses=["w@post.test"], contact_id=None, actor=wendy.user, now=house.now,
            language="nb",
        )  # fmt: skip
    house.send()
    house.send()
    got = {
        received.recipients[0]: [
            part.get_payload(decode=True) for part in received.message.iter_attachments()
        ]
        for received in mailbox.received
    }
    assert got == {
        "ada@post.test": [PDF + b"en"], "kari@post.test": [PDF + b"nb"], "bea@post.test": [PDF + b"en"],
        "w@post.test": [PDF + b"nb"],
    }  # fmt: skip


def test_a_signature_covers_the_files(house: House, mailbox: Mailbox) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )  # fmt: skip
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pieces = [PDF + b"x" * (57 * 200 - len(PDF)), b"end"]
    files = FileSet(
        house.tenant.pk, (MailFile("Prisliste  våren 🚀 " + "ø" * 90 + ".pdf", "application/pdf", 1, 57 * 200 + 3),),
        lambda tenant, file: iter(pieces),
    )  # fmt: skip
    head = b"From: a@acme.test\r\nSubject: Hi\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    head += b"--x\r\n\r\nHello  you \r\n"
    end = b"".join(encoded(files))
    raw = Signer("acme.test", "mr", pem).signed(head, encoded(files)) + end
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    def holds(mail: bytes) -> bool:
        return bool(dkim.verify(mail, dnsfunc=lambda name, timeout=5: record))

    assert holds(raw)
    assert not holds(raw.replace(base64.b64encode(b"end"), base64.b64encode(b"End")))
    assert not holds(raw.replace(b"Hello", b"Hallo"))


class Sink:
    """A channel that takes everything and keeps nothing but the numbers."""

    def __init__(self) -> None:
        self.mails = self.bytes = 0
        self.ends: set[int] = set()

    def hand_over(self, envelope: Envelope) -> HandOver:
        following = envelope.following()
        self.mails += 1
        self.bytes += len(envelope.data) + sum(map(len, following))
        self.ends.add(id(following))
        return HandOver(Outcome.SENT)

    def close(self) -> None:
        """Nothing to let go of."""


def test_200_mails_with_25_megabytes_each_hold_one_encoding_and_read_the_file_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(house, keep(house, "large.pdf", PDF + b"\xa5" * (25 * MB - len(PDF))))
    house.queue(*(house.contact(f"P{number}") for number in range(200)))
    reads = []
    encode = mail_files._encode

    def counted(files: FileSet) -> Iterator[bytes]:
        reads.append(files)
        return encode(files)

    monkeypatch.setattr(mail_files, "_encode", counted)
    mail_files.let_go()
    sink = Sink()
    # Watched like this, it takes longer than a turn may.
    monkeypatch.setattr(sending, "TURN_SECONDS", 500.0)
    tracemalloc.start()
    sent = send_batch(tenant_id=house.tenant.pk, channel=sink, now=house.now, limit=200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    mail_files.let_go()
    assert (sent.handed, sink.mails, len(reads), len(sink.ends)) == (200, 200, 1, 1)
    assert sink.bytes > 200 * 34 * MB
    # One encoding of 34 MB, a piece on its way into it, and 200 small mails.
    assert peak < 60 * MB, peak


def test_a_server_that_says_what_it_takes_is_not_sent_more(house: House, mailbox: Mailbox) -> None:
    mailbox.answers["MAIL"] = lambda address: ""
    attach(house, keep(house, "large.pdf", PDF + b"\xa5" * (25 * MB - len(PDF))))
    (message_id,) = house.queue(house.contact("Ada"))
    house.send()
    with house.scope():
        message = Message.objects.get(pk=message_id)
    # aiosmtpd takes 32 MiB, and says so.
    assert message.status == Message.Status.FAILED
    assert re.fullmatch(
        r"552 5\.3\.4 With its files the mail has 35,\d{3},\d{3} bytes; the mail server takes 33,554,432\.",
        message.error,
    )  # fmt: skip
    assert mailbox.received == []
    house.email = house.write()
    house.queue(house.contact("Bea"))
    assert house.send().handed == 1


def test_a_file_that_is_gone_fails_its_own_mails_alone(house: House, mailbox: Mailbox) -> None:
    from content.models import StoredPiece

    file = keep(house, "list.pdf", PDF)
    plain = house.email
    house.email = house.write()
    attach(house, file)
    with house.scope():
        StoredPiece.objects.all().delete()
    mail_files.let_go()
    first, second = house.queue(house.contact("Ada")), house.queue(house.contact("Bea"), email=plain)
    house.send()
    with house.scope():
        rows = {row.pk: row for row in Message.objects.filter(pk__in=[*first, *second])}
    assert (rows[first[0]].status, rows[first[0]].error) == ("failed", "The attachment “list.pdf” is gone.")
    assert rows[second[0]].status == "sent"
