"""Sender domains: what DNS must say, mails that are signed, addresses that may not send, and who may change it."""

from __future__ import annotations

import re
from typing import Any

import dkim
import pytest

from accounts.models import AuditEntry
from delivery.dns_records import LookupFailed, judge, look_up
from delivery.models import SenderDomain
from delivery.operations.sender_domains import DomainRefused, add_domain, note_findings
from delivery.operations.streams import apply_settings
from tests.delivery.conftest import NOW, House
from tests.fixtures.dns import NameServer
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
SPF = "include:spf.mill.test"


def good(name_server: NameServer, row: SenderDomain) -> None:
    """Set the records as the page tells."""
    name_server.records.update(
        {
            row.domain: ["verify=1", f"v=spf1 {SPF} ~all"],
            f"{row.selector}._domainkey.{row.domain}": [f"v=DKIM1; k=rsa; p={row.public_key}"],
            f"_dmarc.{row.domain}": ["v=DMARC1; p=none"],
        }
    )


def added(house: House, alice: Person, domain: str = "acme.test") -> SenderDomain:
    with house.scope():
        return add_domain(domain=domain, actor=alice.user, now=NOW)


def verify(house: House, row: SenderDomain) -> None:
    found = judge(domain=row.domain, selector=row.selector, public_key=row.public_key, allows=SPF)
    assert found.ok, found
    with house.scope():
        note_findings(domain_id=row.pk, findings=found, now=NOW)


def test_the_page_leads_from_adding_to_verified(
    house: House, alice: Person, name_server: NameServer, settings: Any
) -> None:
    settings.SPF_MECHANISM = SPF
    browser, url = alice.client(), alice.url("settings/connectors/domains/")
    assert "No sender domain yet" in browser.get(url).content.decode()
    assert browser.post(url, {"domain": " News.Acme.TEST. "}).status_code == 302
    with house.scope():
        row = SenderDomain.objects.get()
    assert row.domain == "news.acme.test"
    assert "PRIVATE" not in row.private_key
    page = browser.get(url).content.decode()
    assert f"{row.selector}._domainkey.news.acme.test" in page
    assert row.public_key in page
    assert "Not checked yet" in page

    check = f"{url}{row.pk}/check/"
    assert browser.post(check).status_code == 302
    page = browser.get(url).content.decode()
    for words in (
        "Not verified",
        "There is no SPF record.",
        "There is no DKIM record",
        "There is no DMARC record.",
    ):
        assert words in page, words

    good(name_server, row)
    # The parent's policy counts for a subdomain.
    name_server.records["_dmarc.acme.test"] = name_server.records.pop("_dmarc.news.acme.test")
    assert browser.post(check).status_code == 302
    assert "Verified</span>" in browser.get(url).content.decode()

    # Nobody answers: what was known still counts.
    name_server.silent = True
    browser.post(check)
    with house.scope():
        assert SenderDomain.objects.get().is_verified
    assert browser.post(f"{url}{row.pk}/remove/").status_code == 302
    with house.scope():
        assert not SenderDomain.objects.exists()
        actions = list(
            AuditEntry.objects.filter(object_kind="sender_domain")
            .order_by("pk")
            .values_list("action", flat=True)
        )
    assert actions == ["sender_domain.added", "sender_domain.removed"]


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ([], "There is no SPF record."),
        (["v=spf10 all"], "There is no SPF record."),
        (["v=spf1 -all", "v=spf1 mx"], "several SPF records"),
        (["v=spf1 +all"], "lets everybody send"),
        ([f"v=spf1 {SPF} all"], "lets everybody send"),
        (["v=spf1 mx -all"], f"add {SPF}"),
        ([f"V=SPF1 +{SPF.upper()} -ALL"], ""),
    ],
)
def test_spf(records: list[str], problem: str) -> None:
    found = judge(
        domain="a.test",
        selector="s",
        public_key="K",
        allows=SPF,
        lookup=lambda name: records if name == "a.test" else [],
    )
    assert problem in found.spf.problem
    assert found.spf.ok is (problem == "")


@pytest.mark.parametrize(
    ("name", "records", "ok"),
    [
        ("_dmarc.a.b.test", ["v=DMARC1; p=reject"], True),
        ("_dmarc.b.test", ["v=DMARC1;p=quarantine; rua=mailto:x@b.test"], True),
        ("_dmarc.test", ["v=DMARC1; p=reject"], False),
        ("_dmarc.a.b.test", ["v=DMARC1"], False),
        ("_dmarc.a.b.test", ["v=DMARC1; p=none", "v=DMARC1; p=none"], False),
        ("_dmarc.a.b.test", ["something else"], False),
    ],
)
def test_dmarc(name: str, records: list[str], ok: bool) -> None:
    found = judge(
        domain="a.b.test",
        selector="s",
        public_key="K",
        allows="",
        lookup=lambda asked: records if asked == name else [],
    )
    assert found.dmarc.ok is ok


def test_the_look_up_tells_nothing_there_from_nobody_answering(name_server: NameServer) -> None:
    name_server.records["a.test"] = ["one", "x" * 450]
    assert sorted(look_up("a.test")) == ["one", "x" * 450]
    assert look_up("none.test") == []
    name_server.silent = True
    with pytest.raises(LookupFailed):
        look_up("a.test")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        "a b.test",
        "-a.test",
        "a..test",
        "x@a.test/",
        "a.test;",
        "1.2.3.4",
        "é" * 70 + ".test",
    ],
)
def test_what_is_no_domain_is_refused(house: House, alice: Person, text: str) -> None:
    with house.scope(), pytest.raises(DomainRefused):
        add_domain(domain=text, actor=alice.user, now=NOW)


def test_a_domain_is_kept_once_and_in_ascii(house: House, alice: Person) -> None:
    assert added(house, alice, "møller.test").domain == "xn--mller-vua.test"
    with house.scope(), pytest.raises(DomainRefused, match="there already"):
        add_domain(domain="MØLLER.test", actor=alice.user, now=NOW)


def test_mails_from_a_verified_domain_are_signed_so_that_receivers_can_check(
    house: House, alice: Person, name_server: NameServer, mailbox: Mailbox
) -> None:
    row = added(house, alice)
    house.queue(house.contact("Ada"))
    house.send()
    assert mailbox.received[0].message["DKIM-Signature"] is None
    good(name_server, row)
    verify(house, row)
    house.queue(house.contact("Bea"))
    house.send()
    raw = mailbox.received[1].raw

    def key(name: bytes, timeout: int = 5) -> bytes:
        return look_up(name.decode().rstrip("."))[0].encode()

    assert dkim.verify(raw, dnsfunc=key)
    signed = re.sub(r"\s", "", str(mailbox.received[1].message["DKIM-Signature"]))
    assert "d=acme.test" in signed
    assert "list-unsubscribe-post" in signed
    assert not dkim.verify(raw.replace(b"Subject: News", b"Subject: Olds"), dnsfunc=key)


def test_a_colleagues_address_on_another_domain_gives_way_and_replies_reach_them(
    house: House, alice: Person, bob: Person, name_server: NameServer, mailbox: Mailbox
) -> None:
    row = added(house, alice, "mill.test")
    good(name_server, row)
    verify(house, row)
    with house.scope():
        apply_settings(
            stream_id=house.stream.pk, name="Autumn", timezone="UTC", timeframe=None,
            subscription_type_id=house.news.pk, override_consent=False,
            sender={"source": "our_contact", "name": "The mill", "email": "news@mill.test"},
            reply_to={"source": "same"},
        )  # fmt: skip
    house.queue(house.contact("Ada", our_contact=bob.user))
    house.send()
    mail = mailbox.received[0].message
    assert mail["From"] == "The mill <news@mill.test>"
    assert bob.user.email in str(mail["Reply-To"])

    other = added(house, alice, "acme.test")
    good(name_server, other)
    verify(house, other)
    house.queue(house.contact("Bea", our_contact=bob.user))
    house.send()
    mail = mailbox.received[1].message
    assert bob.user.email in str(mail["From"])
    assert mail["Reply-To"] is None


def test_strangers_and_team_mates_change_nothing(
    house: House, alice: Person, bob: Person, charlie: Person, name_server: NameServer
) -> None:
    row = added(house, alice)
    good(name_server, row)
    url = "settings/connectors/domains/"
    for person in (bob, charlie):
        assert person.client().post(alice.url(url), {"domain": "evil.test"}).status_code == 404
        for action in ("check", "remove"):
            assert person.client().post(alice.url(f"{url}{row.pk}/{action}/")).status_code == 404
    # Charlie's own tenant does not know it either.
    for action in ("check", "remove"):
        assert charlie.client().post(charlie.url(f"{url}{row.pk}/{action}/")).status_code == 404
    assert name_server.asked == []
    with house.scope():
        assert [one.is_verified for one in SenderDomain.objects.all()] == [False]
