"""What is odd about addresses, subjects, lines, hours and answers, through the whole way to a real mail server."""

from __future__ import annotations

import datetime as dt
import smtplib
import time
from typing import Any

import pytest

from delivery.models import BlockedAddress, Stream
from tests.delivery.conftest import NOW, House
from tests.delivery.test_bounces import report, sent
from tests.delivery.test_bounces import server as server
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def block(house: House, address: str) -> None:
    with house.scope():
        BlockedAddress.objects.create(address_norm=address, reason="manual", at=NOW)


# --- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "looks_alike",
    [
        "аda@post.test",  # a Cyrillic а
        "ada@pоst.test",  # a Cyrillic о in the domain
        "adа@post.test",
        "ada@post.tеst",
        "ɑda@post.test",  # a Latin alpha
    ],
)
def test_an_address_that_only_looks_like_another_is_another(
    house: House, mailbox: Mailbox, looks_alike: str
) -> None:
    """Blocking one does not block the other, and a mail goes to the one that was written."""
    block(house, "ada@post.test")
    [real, other] = house.queue(house.contact("Ada"), house.contact("Eve", email=looks_alike))
    house.send()
    assert (house.message(real).status, house.message(real).reason) == ("blocked", "address_blocked")
    assert house.message(other).status == "sent"
    [mail] = mailbox.received
    local, _, domain = looks_alike.rpartition("@")
    assert mail.recipients == [f"{local}@{domain.encode('idna').decode()}"]


@pytest.mark.parametrize(
    "written",
    [
        "Anna@Blåbær.test",
        "anna@xn--blbr-roah.test",
        "ANNA@BLÅBÆR.TEST",
        "anna@blåbær.test",
        "ａｎｎａ@blåbær．test",
    ],
)
def test_one_address_in_any_spelling_is_one(house: House, mailbox: Mailbox, written: str) -> None:
    block(house, "anna@xn--blbr-roah.test")
    [message_id] = house.queue(house.contact("Anna", email=written))
    house.send()
    assert (house.message(message_id).reason, mailbox.received) == ("address_blocked", [])


# --- subjects and lines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "subject",
    [
        "🎉 Høst 👩🏽\u200d💻 family 👨\u200d👩\u200d👧\u200d👦 flag 🇳🇴 heart ❤\ufe0f",
        "שלום עולם \u200fמבצע\u200e 50%",
        "مرحبا بكم في متجرنا",
        "\u202eevil\u202c and plain",
        "=?utf-8?b?bm90IGVuY29kZWQ=?= as it stands",
        "x" * 300,
        "ж" * 300,
        "👍" * 200,
        "one\ttwo  three",
    ],
)
def test_every_subject_arrives_as_it_was_written(house: House, mailbox: Mailbox, subject: str) -> None:
    email = house.write(subject=subject)
    house.queue(house.contact("Ada"), email=email)
    house.send()
    [mail] = mailbox.received
    assert str(mail.message["Subject"]) == subject.replace("\t", " ")
    head = mail.raw.partition(b"\r\n\r\n")[0]
    assert all(
        len(line) <= 78 for line in head.split(b"\r\n") if b"Subject" in line or line.startswith(b" =?")
    )
    assert head.isascii()


@pytest.mark.parametrize(
    "text", ["a" * 998, "a" * 5_000, "ø" * 5_000, "🚀" * 2_000, ". " * 3_000, "\u05d0" * 998]
)
def test_a_line_of_any_length_arrives_whole_and_no_line_of_the_mail_is_too_long(
    house: House, mailbox: Mailbox, text: str
) -> None:
    mjml = f"<mjml><mj-body><mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section></mj-body></mjml>"
    house.queue(house.contact("Ada"), email=house.write(mjml=mjml))
    house.send()
    [mail] = mailbox.received
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert b"\n" not in mail.raw.replace(b"\r\n", b"")
    plain, html = mail.message.iter_parts()
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.strip() in html.get_content()
    assert text.replace(" ", "") in "".join(plain.get_content().split())


# --- hours --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "queued", "opens"),
    [
        # On 29 March 2026 there is no 02:30 in Oslo: the clock goes from 02:00 (01:00 UTC) to 03:00.
        (("02:30:00", "04:00:00"), "2026-03-29T00:00", "2026-03-29T01:00"),
        # The day before there is.
        (("02:30:00", "04:00:00"), "2026-03-28T00:00", "2026-03-28T01:30"),
        # All of it lies in the gap: it does not open on that day.
        (("02:10:00", "02:50:00"), "2026-03-29T00:00", "2026-03-30T00:10"),
        # On 25 October 2026 02:30 comes twice (00:30 and 01:30 UTC): the first counts.
        (("02:30:00", "04:00:00"), "2026-10-25T00:00", "2026-10-25T00:30"),
        # Over midnight it belongs to the day on which it began, also in the night of the change.
        (("23:00:00", "02:00:00"), "2026-10-24T20:00", "2026-10-24T21:00"),
    ],
)
def test_a_timeframe_on_the_days_when_the_clock_changes(
    house: House, mailbox: Mailbox, frame: tuple[str, str], queued: str, opens: str
) -> None:
    start, to = frame
    kept: dict[str, Any] = {"weekdays": list(range(7)), "start": start, "to": to, "workdays_only": False}
    with house.scope():
        Stream.objects.filter(pk=house.stream.pk).update(timeframe=kept, timezone="Europe/Oslo")
    house.now = dt.datetime.fromisoformat(queued).replace(tzinfo=dt.UTC)
    at = dt.datetime.fromisoformat(opens).replace(tzinfo=dt.UTC)
    [message_id] = house.queue(house.contact("Ada"))
    house.send()
    assert (house.message(message_id).status, house.message(message_id).send_at) == ("queued", at)
    house.send(now=at - dt.timedelta(seconds=1))
    assert mailbox.received == []
    house.send(now=at)
    assert house.message(message_id).status == "sent"


# --- answers ------------------------------------------------------------------------------------------------------


def test_a_greylisting_server_gets_the_same_mail_again_later(house: House, mailbox: Mailbox) -> None:
    """As real ones do: the first try is refused, one that comes too soon as well, and the next is taken."""
    tries: list[str] = []

    def answer(address: str) -> str:
        tries.append(address)
        return "" if len(tries) > 2 else "450 4.2.0 Greylisted, see http://postgrey.test/"

    mailbox.answers["RCPT"] = answer
    [message_id] = house.queue(house.contact("Ada"))
    house.send()
    first = house.message(message_id)
    assert (first.status, first.attempts) == ("queued", 1)
    moments = []
    while house.message(message_id).status == "queued":
        moments.append(house.message(message_id).send_at)
        house.send(now=moments[-1])
    assert (house.message(message_id).status, house.message(message_id).attempts) == ("sent", 3)
    assert moments[0] - NOW >= dt.timedelta(seconds=30)
    assert moments[1] - moments[0] > moments[0] - NOW
    assert [mail.message["Message-ID"] for mail in mailbox.received] == [f"<{first.uuid}@acme.test>"]
    with house.scope():
        assert not BlockedAddress.objects.exists()


def test_a_bounce_of_ten_megabytes_of_headers_is_taken_and_read_at_once(
    house: House, mailbox: Mailbox, server: int, settings: Any
) -> None:
    settings.BOUNCE_ADDRESS = "bounces@mill.test"
    message_id, address = sent(house)
    bomb = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 990) for number in range(10_000))
    assert len(bomb) > 9_900_000
    begun = time.process_time()
    with smtplib.SMTP("127.0.0.1", server, timeout=60) as session:
        session.sendmail("", [address], bomb + b"\r\nHello")
        assert house.message(message_id).status == "sent"
        # It is not the report's own head that counts, but what it says of the mail.
        session.sendmail("", [address], report(original=f"{bomb[:500_000].decode()}Subject: News"))
    assert house.message(message_id).status == "bounced"
    assert time.process_time() - begun < 20
