"""Messages of which nobody knows whether they arrived: shown, left alone by the machine, decided about by people."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import AuditEntry
from core.tenancy import tenant_scope
from crm.models import Consent, Event
from delivery.models import Message
from delivery.operations.fates import note_fate
from delivery.operations.undelivered import count_as_sent, send_unconfirmed_again, try_again
from delivery.returned import Said
from delivery.tokens import MessageRef
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "content/blocked-addresses/unknown/"


def unknown(house: House, *names: str) -> list[int]:
    """Let a process die between the hand-over and the settling."""
    ids = house.queue(*(house.contact(name) for name in names))
    with house.scope():
        Message.objects.filter(pk__in=ids).update(status="unknown", reason="process_died", handed_at=NOW)
    return ids


def state(house: House, message_id: int) -> tuple[str, str, str]:
    row = house.message(message_id)
    return row.status, row.reason, row.error


def test_they_are_shown_with_what_happened_and_named_on_the_page_of_those_given_up(
    house: House, mailbox: Mailbox, alice: Person
) -> None:
    browser = alice.client()
    given_up = alice.url("content/blocked-addresses/undelivered/")
    assert "Nothing is unknown" in browser.get(alice.url(PATH)).content.decode()
    assert "Decide about them" not in browser.get(given_up).content.decode()
    unknown(house, "Ada")
    page = browser.get(alice.url(PATH)).content.decode()
    assert "ada@post.test" in page
    assert "It was being handed over when the process died" in page
    assert "Decide about them" in browser.get(given_up).content.decode()
    for hours in (1, 24, 72):
        house.send(now=NOW + dt.timedelta(hours=hours))
    assert mailbox.received == []


def test_counted_as_sent_it_was_got_and_what_comes_later_still_counts(house: House, alice: Person) -> None:
    ada, bea = unknown(house, "Ada", "Bea")
    with house.scope():
        Message.objects.filter(pk=bea).update(first_opened_at=NOW)
    browser, url = alice.client(), alice.url(f"{PATH}decide/")
    assert browser.post(url, {"message": str(ada), "as": "sent"}).status_code == 302
    assert (state(house, ada), house.message(bea).status) == (("sent", "", ""), "unknown")
    browser.post(url, {"message": "all", "as": "sent"})
    assert state(house, bea) == ("opened", "", "")
    # A second press finds nothing.
    browser.post(url, {"message": str(ada), "as": "sent"})
    with house.scope():
        told = Event.objects.filter(kind="message.sent").order_by("message_id")
        assert [(one.message_id, one.object_id) for one in told] == [
            (ada, house.email.pk),
            (bea, house.email.pk),
        ]
        assert AuditEntry.objects.filter(action="messages.counted_as_sent").count() == 2
    with house.scope():
        ref = MessageRef(house.tenant.pk, house.message(ada).enrolled_on, ada)
        assert note_fate(ref=ref, said=Said.HARD, words="550 5.1.1 No such user", now=NOW)
    assert house.message(ada).status == "bounced"


def test_sent_again_it_goes_once_and_only_what_may_go(house: House, mailbox: Mailbox, alice: Person) -> None:
    ada, bea, cid = unknown(house, "Ada", "Bea", "Cid")
    with house.scope():
        Consent.objects.filter(contact__first_name="Bea").update(given=False)
        Message.objects.filter(pk=cid).update(withdrawn="left_flow")
    browser, url = alice.client(), alice.url(f"{PATH}decide/")
    for message_id in (ada, ada, bea, cid):
        browser.post(url, {"message": str(message_id), "as": "again"})
    at = house.message(bea).send_at
    house.send(now=at)
    house.send(now=at)
    assert [mail.recipients for mail in mailbox.received] == [["ada@post.test"]]
    assert [state(house, one)[:2] for one in (ada, bea, cid)] == [
        ("sent", ""), ("blocked", "no_consent"), ("unknown", "process_died"),
    ]  # fmt: skip
    # Whoever left the flow is not offered a second one.
    page = browser.get(alice.url(PATH)).content.decode()
    assert "Count as sent" in page
    assert "Send again" not in page


def test_nothing_else_is_taken_for_sent_or_sent_again(house: House, alice: Person) -> None:
    [ada] = unknown(house, "Ada")
    for change in (
        {"status": "queued"}, {"status": "sending"}, {"status": "failed"}, {"status": "bounced"},
        {"status": "cancelled"}, {"is_test": True}, {"to_address": ""},
    ):  # fmt: skip
        plain = {"status": "unknown", "is_test": False, "to_address": "ada@post.test"}
        with house.scope():
            Message.objects.update(**plain | change)
            assert count_as_sent(ids=None, actor=alice.user, now=NOW) == 0, change
            assert send_unconfirmed_again(ids=[ada], actor=alice.user, now=NOW) == 0, change
            Message.objects.update(**plain)
            assert try_again(ids=[ada], actor=alice.user, now=NOW) == 0


def test_an_erased_contact_is_told_nothing(house: House, alice: Person) -> None:
    [ada] = unknown(house, "Ada")
    with house.scope():
        contact = house.message(ada).contact_id
        Message.objects.update(contact_id=contact + 1000 if contact else 1)
        assert count_as_sent(ids=[ada], actor=alice.user, now=NOW) == 1
        assert not Event.objects.filter(kind="message.sent").exists()


def test_strangers_and_readers_change_nothing(
    house: House, alice: Person, wendy: Person, charlie: Person
) -> None:
    [ada] = unknown(house, "Ada")
    shown = wendy.client().get(wendy.url(PATH)).content.decode()
    assert "ada@post.test" in shown
    assert "Count as sent" not in shown
    assert "ada@post.test" not in charlie.client().get(charlie.url(PATH)).content.decode()
    for person, home in ((wendy, alice), (charlie, alice), (charlie, charlie)):
        for how in ("sent", "again"):
            person.client().post(home.url(f"{PATH}decide/"), {"message": str(ada), "as": how})
            person.client().post(home.url(f"{PATH}decide/"), {"message": "all", "as": how})
    for bad in ("", "x", "-1", "9" * 30, "१", "all"):
        for how in ("again", "", "lost"):
            assert (
                alice.client().post(alice.url(f"{PATH}decide/"), {"message": bad, "as": how}).status_code
                == 302
            )
    assert house.message(ada).status == "unknown"
    with tenant_scope(alice.tenant.pk):
        assert not AuditEntry.objects.filter(action__startswith="messages.").exists()
