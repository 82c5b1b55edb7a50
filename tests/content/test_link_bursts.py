"""Clicks that no hand makes: right after the hand-over, or all links at once. Kept, marked, and not acted on."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Sequence
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.test import Client

from accounts.models import Tenant
from content.link_actions import LinkActions
from content.operations import clicks
from content.operations.links import LinkDraft, create_link
from core.tenancy import tenant_scope
from crm.models import Event, EventInbox, Selection, SelectionMember
from delivery.models import Message
from delivery.operations.bursts import WINDOW
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"}
LATER = NOW + dt.timedelta(minutes=5)
LINKS = "".join(f'<mj-button href="https://example.com/{n}">Read {n}</mj-button>' for n in range(4))
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello</mj-text>"
    f'{LINKS}<mj-button href="{{{{ links.offer }}}}">Offer</mj-button></mj-column></mj-section></mj-body></mjml>'
)


class Post(House):
    """Acme with an email of four ordinary links and a registered one that adds to a selection."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__(tenant)
        with self.scope():
            self.fans = Selection.objects.create(name="Fans", created_at=NOW)
            actions = LinkActions(add_to_selections=(self.fans.pk,))
            draft = LinkDraft(name="Offer", url="https://example.com/offer", actions=actions)
            self.link = create_link(draft=draft, actor=None, now=NOW)
        self.mail = self.write(mjml=MJML)

    def sent(self, mailbox: Mailbox, first: str = "Ada") -> list[str]:
        """Send the email to somebody; return the paths of its links, the registered one last, and its picture."""
        self.queue(self.contact(first), email=self.mail)
        self.send()
        html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
        links = re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+)\"", html)
        assert len(links) == 5, html
        return [*links, *re.findall(r"http://127.0.0.1:8000(/m/o/[^\"]+)\"", html)]

    def told(self) -> list[tuple[str, str]]:
        """Return kind and link of what recipients did, in order."""
        with self.scope():
            rows = Event.objects.exclude(kind="message.sent").order_by("id")
            return [(kind, data.get("label", "")) for kind, data in rows.values_list("kind", "data")]

    def waiting(self) -> list[str]:
        """Return the kinds that intake has not taken."""
        with self.scope():
            return sorted(EventInbox.objects.exclude(kind="message.sent").values_list("kind", flat=True))

    def state(self) -> tuple[str, dt.datetime | None, dt.datetime | None]:
        """Return status, first open and first click of the newest message."""
        with self.scope():
            message = Message.objects.latest("id")
            return message.status, message.first_opened_at, message.first_clicked_at


@pytest.fixture
def post(acme: Tenant) -> Post:
    return Post(acme)


def get(path: str, at: dt.datetime) -> Any:
    with time_machine.travel(at, tick=False):
        return Client().get(path, headers=PHONE)


def test_the_third_link_within_seconds_makes_all_of_them_a_machines(post: Post, mailbox: Mailbox) -> None:
    first, second, third, fourth, offer, _ = post.sent(mailbox)
    for path in (first, offer):
        assert get(path, LATER).status_code == 302
    assert post.state() == ("clicked", LATER, LATER)
    assert ("link.clicked", "") in post.told()
    assert "link.clicked" in post.waiting()
    for path in (second, third, fourth):
        assert get(path, LATER + dt.timedelta(seconds=1)).status_code == 302
    assert [told for told in post.told() if told[0] != "selection.added"] == [
        ("message.machine_opened", ""),
        ("message.machine_clicked", "Read 0"),
        ("message.machine_clicked", "Offer"),
        ("message.machine_clicked", "Read 1"),
        ("message.machine_opened", ""),
        ("message.machine_clicked", "Read 2"),
        ("message.machine_opened", ""),
        ("message.machine_clicked", "Read 3"),
    ]
    # What the second link had done is done; the click itself is waited for by nobody any more.
    assert post.waiting() == ["selection.added"]
    assert post.state() == ("sent", None, None)


def test_whoever_clicks_two_links_or_three_in_their_own_time_is_a_person(
    post: Post, mailbox: Mailbox
) -> None:
    first, second, third, *_ = post.sent(mailbox)
    get(first, LATER)
    get(second, LATER + dt.timedelta(seconds=1))
    get(first, LATER + dt.timedelta(seconds=2))
    get(third, LATER + dt.timedelta(seconds=1) + WINDOW)
    assert [told for told in post.told() if told[0] != "message.opened"] == [
        ("message.clicked", "Read 0"),
        ("message.clicked", "Read 1"),
        ("message.clicked", "Read 0"),
        ("message.clicked", "Read 2"),
    ]
    assert post.state() == ("clicked", LATER, LATER)


def test_what_somebody_did_before_the_scanner_came_stays(post: Post, mailbox: Mailbox) -> None:
    first, second, third, _, offer, picture = post.sent(mailbox)
    get(picture, LATER)
    scan = LATER + dt.timedelta(hours=1)
    for path in (first, second, third):
        get(path, scan)
    assert post.state() == ("opened", LATER, None)
    # And whoever comes after it counts again.
    get(offer, scan + WINDOW * 2)
    assert post.state() == ("clicked", LATER, scan + WINDOW * 2)
    assert post.told()[-3:] == [("message.clicked", "Offer"), ("link.clicked", ""), ("selection.added", "")]


def test_the_links_of_two_messages_are_no_burst(post: Post, mailbox: Mailbox) -> None:
    """A named scanner counts for no one's burst either: the person behind it is heard."""
    ada, bob = post.sent(mailbox), post.sent(mailbox, "Bob")
    for path in (ada[0], ada[1], bob[2], bob[3]):
        get(path, LATER)
    with time_machine.travel(LATER, tick=False):
        for path in ada[:3]:
            Client().get(path, headers={"user-agent": "Barracuda bot"})
    get(ada[0], LATER)
    kinds = [kind for kind, _ in post.told()]
    assert kinds.count("message.clicked") == 5
    assert kinds.count("message.machine_clicked") == 3


@pytest.mark.django_db(transaction=True)
def test_links_that_are_fetched_side_by_side_see_each_other(post: Post, mailbox: Mailbox) -> None:
    paths = post.sent(mailbox)[:4]
    together = threading.Barrier(len(paths))

    def fetch(path: str) -> None:
        together.wait(timeout=20)
        try:
            assert Client().get(path, headers=PHONE).status_code == 302
        finally:
            connections.close_all()

    with time_machine.travel(LATER, tick=False):
        threads = [threading.Thread(target=fetch, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
    assert sorted(label for kind, label in post.told() if kind == "message.machine_clicked") == [
        "Read 0", "Read 1", "Read 2", "Read 3"
    ]  # fmt: skip
    assert (post.state(), post.waiting()) == (("sent", None, None), [])


@pytest.mark.django_db(transaction=True)
def test_clicks_of_many_messages_at_once_are_one_transaction_and_none_waits_for_a_message_that_is_held(
    post: Post, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ann's message is held by somebody: her click waits for it alone, and the others are answered meanwhile."""
    people = ("Ann", "Bob", "Cid", "Dot", "Eve")
    paths = [post.sent(mailbox, first)[0] for first in people]
    with post.scope():
        ids = list(Message.objects.order_by("id").values_list("id", flat=True))
    works: list[int] = []

    def counted(some: Sequence[clicks.Click]) -> list[clicks.Followed | None]:
        works.append(len(some))
        return clicks._follow_all(some)

    together = threading.Barrier(len(paths))
    statuses: dict[str, int] = {}
    monkeypatch.setattr(clicks._together, "_patience", 5.0)
    monkeypatch.setattr(clicks._together, "_last", len(paths))
    monkeypatch.setattr(clicks._together, "_work", counted)

    def fetch(name: str, path: str) -> None:
        together.wait(timeout=20)
        try:
            statuses[name] = Client().get(path, headers=PHONE).status_code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=fetch, args=one) for one in zip(people, paths, strict=True)]
    with time_machine.travel(LATER, tick=False):
        with post.scope():
            Message.objects.select_for_update(of=("self",)).get(pk=ids[0])
            for thread in threads:
                thread.start()
            for thread in threads[1:]:
                thread.join(timeout=30)
            assert statuses == dict.fromkeys(people[1:], 302)
        threads[0].join(timeout=30)
    assert statuses == dict.fromkeys(people, 302)
    assert works == [5]
    with post.scope():
        events = Event.objects.filter(kind="message.clicked")
        assert sorted(number for number in events.values_list("message_id", flat=True) if number) == ids
        assert len(set(events.filter(message_id__in=ids[1:]).values_list("xid", flat=True))) == 1
        assert set(Message.objects.values_list("status", "first_clicked_at")) == {("clicked", LATER)}


@pytest.mark.parametrize(("seconds", "machine"), [(0, True), (1.9, True), (2, False), (60, False)])
def test_an_open_or_click_right_after_the_hand_over_is_a_machines(
    post: Post, mailbox: Mailbox, settings: Any, seconds: float, machine: bool
) -> None:
    settings.MACHINE_SECONDS = 2
    *_, offer, picture = post.sent(mailbox)
    with post.scope():
        handed = Message.objects.latest("id").handed_at
    assert handed is not None
    for path in (picture, offer):
        assert get(path, handed + dt.timedelta(seconds=seconds)).status_code in {200, 302}
    kinds = [kind for kind, _ in post.told()]
    if machine:
        assert kinds == ["message.machine_opened", "message.machine_clicked"]
    else:
        assert kinds == ["message.opened", "message.clicked", "link.clicked", "selection.added"]
    with post.scope():
        assert SelectionMember.objects.count() == (0 if machine else 1)


def test_another_tenants_burst_touches_nobody_else(post: Post, mailbox: Mailbox, globex: Tenant) -> None:
    other = Post(globex)
    get(post.sent(mailbox)[0], LATER)
    for path in other.sent(mailbox)[:3]:
        get(path, LATER)
    assert post.state() == ("clicked", LATER, LATER)
    assert other.state() == ("sent", None, None)
    with tenant_scope(post.tenant.pk):
        assert Event.objects.filter(kind="message.machine_clicked").count() == 0
