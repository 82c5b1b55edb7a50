"""Messages that were given up: who sees them, and that trying again sends each once and checks everything anew."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from crm.models import Consent
from delivery.models import Message
from delivery.operations.undelivered import try_again
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def given_up(house: House, mailbox: Mailbox, *names: str) -> list[int]:
    """Let messages be refused by a policy."""
    ids = house.queue(*(house.contact(name) for name in names))
    mailbox.answers["DATA"] = lambda to: "554 5.7.1 Your server is listed"
    house.send()
    mailbox.answers.clear()
    return ids


def test_one_is_tried_again_and_goes_once(house: House, mailbox: Mailbox, alice: Person) -> None:
    ada, bea = given_up(house, mailbox, "Ada", "Bea")
    browser, url = alice.client(), alice.url("content/blocked-addresses/undelivered/")
    page = browser.get(url).content.decode()
    assert "554 5.7.1 Your server is listed" in page
    assert browser.post(f"{url}again/", {"message": str(ada)}).status_code == 302
    row = house.message(ada)
    assert (row.status, row.reason, row.error, row.attempts) == ("queued", "", "", 0)
    assert house.message(bea).status == "failed"
    # A second press finds nothing.
    browser.post(f"{url}again/", {"message": str(ada)})
    with house.scope():
        assert AuditEntry.objects.filter(action="messages.tried_again").count() == 1
    house.send(now=row.send_at)
    house.send(now=row.send_at)
    assert [mail.recipients for mail in mailbox.received] == [["ada@post.test"]]
    assert "bea@post.test" in browser.get(url).content.decode()


def test_all_of_them_and_everything_is_checked_again(house: House, mailbox: Mailbox, alice: Person) -> None:
    ada, bea = given_up(house, mailbox, "Ada", "Bea")
    with house.scope():
        Consent.objects.filter(contact__first_name="Bea").update(given=False)
        assert try_again(ids=None, actor=alice.user, now=NOW) == 2
    house.send()
    assert house.message(ada).status == "sent"
    assert (house.message(bea).status, house.message(bea).reason) == ("blocked", "no_consent")


def test_what_may_have_arrived_was_a_test_or_is_on_its_way_is_left_alone(
    house: House, mailbox: Mailbox, alice: Person
) -> None:
    [ada] = given_up(house, mailbox, "Ada")
    for change in (
        {"status": "unknown"}, {"status": "bounced"}, {"status": "sent"}, {"status": "cancelled"},
        {"status": "sending"}, {"is_test": True}, {"to_address": ""},
    ):  # fmt: skip
        with house.scope():
            Message.objects.update(
                **{"status": "failed", "is_test": False, "to_address": "ada@post.test", **change}
            )
            assert try_again(ids=[ada], actor=alice.user, now=NOW) == 0, change
            assert try_again(ids=None, actor=alice.user, now=NOW) == 0, change


def test_strangers_and_readers_change_nothing(
    house: House, mailbox: Mailbox, alice: Person, wendy: Person, charlie: Person
) -> None:
    [ada] = given_up(house, mailbox, "Ada")
    path = "content/blocked-addresses/undelivered/"
    assert "Try again" not in wendy.client().get(wendy.url(path)).content.decode().split("<tbody>")[1]
    assert charlie.client().get(alice.url(path)).status_code == 404
    assert "ada@post.test" not in charlie.client().get(charlie.url(path)).content.decode()
    for person, url in ((wendy, alice.url(path)), (charlie, alice.url(path)), (charlie, charlie.url(path))):
        person.client().post(f"{url}again/", {"message": str(ada)})
        person.client().post(f"{url}again/", {"message": "all"})
        assert house.message(ada).status == "failed"
    for bad in ("", "x", "-1", "9" * 30, "१"):
        assert alice.client().post(alice.url(f"{path}again/"), {"message": bad}).status_code == 302
    assert house.message(ada).status == "failed"
