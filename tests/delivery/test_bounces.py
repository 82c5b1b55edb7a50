"""Mails that come back: what they say, what that does to message, address and consent; and who may not say anything."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import Tenant
from crm.models import Consent, Event
from delivery.bounce_address import bounce_address, ref_of
from delivery.bounce_server import protocol
from delivery.models import BlockedAddress, Message
from delivery.operations.bounces import take_returned
from delivery.returned import Said, read_returned
from delivery.tokens import MessageRef, Purpose, make_message_token
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def bounce_mailbox(settings: Any) -> None:
    settings.BOUNCE_ADDRESS = "bounces@mill.test"


def report(
    status: str = "5.1.1", *, action: str = "failed", diagnostic: str = "", original: str = ""
) -> bytes:
    """Return a delivery report as Postfix writes it."""
    return f"""From: MAILER-DAEMON@mx.post.test
To: bounces@mill.test
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.post.test
Arrival-Date: Mon, 23 Nov 2026 12:00:00 +0000

Final-Recipient: rfc822; ada@post.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic or f"550 {status} no"}

--b1
Content-Type: message/rfc822

Subject: News
{original}

body
--b1--
""".replace("\n", "\r\n").encode()


def complaint(original: str = "", kind: str = "abuse") -> bytes:
    """Return a feedback report (RFC 5965)."""
    return f"""From: <fbl@post.test>
To: bounces@mill.test
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain

This is an email abuse report.

--b2
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: PostFBL/1.0
Version: 1

--b2
Content-Type: message/rfc822

Subject: News
{original}

body
--b2--
""".replace("\n", "\r\n").encode()


def sent(house: House, name: str = "Ada") -> tuple[int, str]:
    """Send one message; return its id and the address that its bounces come to."""
    [message_id] = house.queue(house.contact(name))
    house.send()
    return message_id, bounce_address(MessageRef(house.tenant.pk, NOW.date(), message_id))


@pytest.mark.parametrize(
    ("status", "diagnostic", "said"),
    [
        ("5.1.1", "", Said.HARD),
        ("5.1.10", "", Said.HARD),
        ("5.2.1", "550 5.2.1 Mailbox disabled", Said.HARD),
        ("5.2.2", "552 5.2.2 Mailbox full", Said.SOFT),
        ("5.7.1", "550 5.7.1 Policy", Said.SOFT),
        ("5.4.4", "Host not found", Said.SOFT),
        ("4.4.7", "Message expired", Said.SOFT),
        ("5.0.0", "550 5.1.1 No such user", Said.HARD),
        ("", "550 No such user here", Said.HARD),
        ("", "451 Try later", Said.SOFT),
    ],
)
def test_a_report_is_hard_only_where_the_address_is_no_good(status: str, diagnostic: str, said: Said) -> None:
    assert read_returned(report(status, diagnostic=diagnostic)).said is said


@pytest.mark.parametrize(
    ("action", "said"),
    [("delivered", Said.DELIVERED), ("delayed", Said.NOTHING), ("relayed", Said.NOTHING), ("", Said.NOTHING)],
)
def test_only_failures_and_deliveries_say_something(action: str, said: Said) -> None:
    assert read_returned(report("2.0.0", action=action)).said is said


def test_out_of_office_and_rubbish_say_nothing_and_a_header_bomb_is_read_at_once() -> None:
    away = b"Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away. 5.1.1"
    assert read_returned(away).said is Said.NOTHING
    assert read_returned(b"").said is Said.NOTHING
    assert read_returned(b"\xff\x00" * 1000).said is Said.NOTHING
    bomb = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 990) for n in range(10_000))
    assert len(bomb) > 9_000_000
    assert read_returned(bomb + b"\r\n").said is Said.NOTHING


def test_mail_leaves_with_an_address_of_its_own_for_bounces_in_any_case(
    house: House, mailbox: Mailbox
) -> None:
    message_id, address = sent(house)
    assert mailbox.received[0].sender == address
    assert len(address.partition("@")[0]) <= 64
    assert ref_of(address.upper()) == MessageRef(house.tenant.pk, NOW.date(), message_id)


def test_a_hard_bounce_blocks_the_address_and_is_told_once(house: House, mailbox: Mailbox) -> None:
    message_id, address = sent(house)
    assert take_returned(recipient=address, content=report())
    assert not take_returned(recipient=address, content=report())
    row = house.message(message_id)
    assert (row.status, row.reason, row.error) == ("bounced", "came_back", "550 5.1.1 no")
    with house.scope():
        blocked = BlockedAddress.objects.get()
        assert (blocked.address_norm, blocked.reason, blocked.message_id) == (
            "ada@post.test", "hard_bounce", message_id,
        )  # fmt: skip
        kinds = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["message.sent", "message.bounced", "address.blocked"]


def test_five_soft_bounces_in_a_row_block_and_one_that_arrived_breaks_the_row(
    house: House, mailbox: Mailbox
) -> None:
    ada = house.contact()
    full = report("5.2.2", diagnostic="552 5.2.2 Mailbox full")
    for said in [full, full, full, report("2.0.0", action="delivered"), full, full, full, full]:
        [message_id] = house.queue(ada)
        house.send()
        take_returned(
            recipient=bounce_address(MessageRef(house.tenant.pk, NOW.date(), message_id)), content=said
        )
        with house.scope():
            assert not BlockedAddress.objects.exists()
    [message_id] = house.queue(ada)
    house.send()
    take_returned(recipient=bounce_address(MessageRef(house.tenant.pk, NOW.date(), message_id)), content=full)
    assert house.message(message_id).status == "soft_bounced"
    with house.scope():
        assert BlockedAddress.objects.get().reason == "repeated_bounces"


def test_a_report_settles_an_unknown_message_and_a_late_one_never_turns_back(
    house: House, mailbox: Mailbox
) -> None:
    message_id, address = sent(house)
    with house.scope():
        Message.objects.filter(pk=message_id).update(status="unknown", reason="process_died")
    arrived = report("2.0.0", action="delivered")
    assert take_returned(recipient=address, content=arrived)
    assert (house.message(message_id).status, house.message(message_id).reason) == ("delivered", "")
    assert take_returned(recipient=address, content=report())
    assert not take_returned(recipient=address, content=arrived)
    assert not take_returned(recipient=address, content=report("4.4.7"))
    assert house.message(message_id).status == "bounced"
    assert house.send(now=NOW + dt.timedelta(days=3)).handed == 0


def test_a_complaint_takes_consent_away_also_when_it_comes_to_the_mailbox_itself(
    house: House, mailbox: Mailbox
) -> None:
    message_id, _ = sent(house)
    raw = mailbox.received[0].message["List-Unsubscribe"]
    assert take_returned(recipient="bounces@mill.test", content=complaint(f"List-Unsubscribe: {raw}"))
    assert house.message(message_id).status == "complained"
    with house.scope():
        assert not Consent.objects.get().given
        assert BlockedAddress.objects.get().reason == "complaint"
    assert not take_returned(recipient="bounces@mill.test", content=complaint(f"List-Unsubscribe: {raw}"))


def test_not_spam_and_reports_to_the_mailbox_itself_do_nothing(house: House, mailbox: Mailbox) -> None:
    message_id, address = sent(house)
    raw = f"List-Unsubscribe: {mailbox.received[0].message['List-Unsubscribe']}"
    assert not take_returned(recipient=address, content=complaint(kind="not-spam"))
    # Whoever was sent a mail to could otherwise have an address blocked that the mail was forwarded from.
    assert not take_returned(recipient="bounces@mill.test", content=report(original=raw))
    assert house.message(message_id).status == "sent"


def test_forged_and_foreign_addresses_do_nothing(house: House, mailbox: Mailbox, globex: Tenant) -> None:
    message_id, address = sent(house)
    local, _, domain = address.partition("@")
    for recipient in (
        f"{local[:-4]}{'a' if local[-4] != 'a' else 'b'}{local[-3:]}@{domain}",
        f"{local}@other.test",
        f"other+{local.partition('+')[2]}@{domain}",
        "bounces+@mill.test",
        "bounces+ø@mill.test",
        "bounces@mill.test",
        bounce_address(MessageRef(globex.pk, NOW.date(), message_id)),
    ):
        assert not take_returned(recipient=recipient, content=report()), recipient
    # An unsubscribe token is no bounce token.
    token = make_message_token(Purpose.UNSUBSCRIBE, MessageRef(house.tenant.pk, NOW.date(), message_id))
    assert not take_returned(recipient="bounces@mill.test", content=complaint(f"X: /m/u/{token}"))
    assert house.message(message_id).status == "sent"


@pytest.fixture
def server() -> Iterator[int]:
    """The mail server that bounces come to; yields its port."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    begun = asyncio.run_coroutine_threadsafe(_start(loop), loop).result(10)
    yield begun.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(begun.close)
    loop.call_soon_threadsafe(loop.stop)


async def _start(loop: asyncio.AbstractEventLoop) -> Any:
    return await loop.create_server(protocol, "127.0.0.1", 0)


def test_the_bounce_server_takes_what_is_ours_and_refuses_the_rest(
    house: House, mailbox: Mailbox, server: int
) -> None:
    message_id, address = sent(house)
    with smtplib.SMTP("127.0.0.1", server, timeout=20) as session:
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            session.sendmail("", ["somebody@mill.test"], report())
        session.sendmail("", [address], report())
    assert house.message(message_id).status == "bounced"


def test_whoever_may_update_the_contact_sets_it_as_former_employee(
    house: House, mailbox: Mailbox, alice: Person, charlie: Person
) -> None:
    _, address = sent(house)
    take_returned(recipient=address, content=report())
    with house.scope():
        blocked = BlockedAddress.objects.get()
        ada = Event.objects.filter(kind="message.sent").get().contact_id
    page = alice.client().get(alice.url("content/blocked-addresses/?reason=hard_bounce")).content.decode()
    assert "ada@post.test" in page
    assert "Former employee</button>" in page
    none = alice.client().get(alice.url("content/blocked-addresses/?reason=complaint")).content.decode()
    assert "ada@post.test" not in none
    url = alice.url(f"content/blocked-addresses/{blocked.pk}/former-employee/")
    assert charlie.client().post(url).status_code == 404
    assert Client().post(url).status_code in {302, 404}
    assert alice.client().get(url).status_code == 405
    with house.scope():
        from crm.models import Contact

        assert not Contact.objects.get(pk=ada).former_employee
    assert alice.client().post(url).status_code == 302
    with house.scope():
        assert Contact.objects.get(pk=ada).former_employee
        assert Event.objects.filter(kind="contact.updated", contact_id=ada).count() == 1
    assert alice.client().post(url).status_code == 404
