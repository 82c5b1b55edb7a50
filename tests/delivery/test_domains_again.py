"""Verified domains are looked at again by themselves: what lapses is told, once it is certain, and comes back alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from core import clock
from core.tenancy import tenant_scope
from crm.models import Notification
from delivery.dns_records import LookupFailed
from delivery.domains import sender_problem
from delivery.models import SenderDomain
from delivery.operations.sender_domains import add_domain, recheck_domain
from delivery.queries import tenants_with_domains_to_check
from delivery.tasks import recheck_domains
from tests.delivery.conftest import NOW, House
from tests.delivery.test_sender_domains import SPF, added, good, verify
from tests.fixtures.dns import NameServer
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def row(house: House, alice: Person, name_server: NameServer, settings: Any) -> SenderDomain:
    """Acme's domain, verified."""
    settings.SPF_MECHANISM = SPF
    made = added(house, alice)
    good(name_server, made)
    verify(house, made)
    name_server.asked.clear()
    return made


class Later:
    """Lets hours pass, and what is due be done."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.house, self.now = house, clock.now()
        monkeypatch.setattr(clock, "now", lambda: self.now)

    def pass_by(self, hours: float) -> SenderDomain:
        self.now += hours * HOUR
        while self.house.tenant.pk in tenants_with_domains_to_check(self.now):
            assert recheck_domain(tenant_id=self.house.tenant.pk)
        assert not recheck_domain(tenant_id=self.house.tenant.pk)
        with self.house.scope():
            return SenderDomain.objects.get(domain="acme.test")

    def told(self) -> list[tuple[int, str, str]]:
        with self.house.scope():
            return list(Notification.objects.order_by("id").values_list("user_id", "text", "path"))


@pytest.fixture
def later(house: House, monkeypatch: pytest.MonkeyPatch) -> Later:
    return Later(house, monkeypatch)


def test_a_fine_domain_is_looked_at_twice_a_day_and_nobody_is_told(
    row: SenderDomain, later: Later, name_server: NameServer
) -> None:
    assert later.pass_by(11).is_verified
    assert name_server.asked == []
    for hours in (1.1, 12, 12):
        assert later.pass_by(hours).is_verified
    assert len(name_server.asked) == 3 * 3
    assert later.told() == []


def test_a_domain_that_lapses_is_told_to_administrators_once_and_comes_back_alone(
    row: SenderDomain, later: Later, name_server: NameServer, alice: Person, bob: Person, house: House,
    mailbox: Mailbox,
) -> None:  # fmt: skip
    spf = name_server.records.pop("acme.test")
    first = later.pass_by(12.1)
    # Once is not certain: a name server may have had a bad moment.
    assert (first.is_verified, first.failing_since is not None) == (True, True)
    page = alice.client().get(alice.url("settings/connectors/domains/")).content.decode()
    assert "If they still do not within an hour" in page
    second = later.pass_by(1.1)
    assert (second.is_verified, second.failing_since, second.lapsed_at is not None) == (False, None, True)
    words = "acme.test is no longer verified, so nothing new can be sent from it: There is no SPF record."
    assert later.told() == [(alice.user.pk, words, "settings/connectors/domains/")]
    with house.scope():
        assert sender_problem("news@acme.test").startswith(
            "The domain acme.test is no longer verified since "
        )
        assert "(There is no SPF record): see Settings" in sender_problem("news@acme.test")
        assert "other.test is not verified" in sender_problem("news@other.test")
    page = alice.client().get(alice.url("settings/connectors/domains/")).content.decode()
    assert "No longer verified" in page
    # Mails are signed no more.
    house.queue(house.contact("Ada"))
    house.send()
    assert mailbox.received[0].message["DKIM-Signature"] is None
    for _ in range(3):
        assert not later.pass_by(1.1).is_verified
    assert len(later.told()) == 1
    name_server.records["acme.test"] = spf
    back = later.pass_by(1.1)
    assert (back.is_verified, back.lapsed_at, back.spf_problem) == (True, None, "")
    assert [text for _, text, _ in later.told()] == [words, "acme.test is verified again."]
    with house.scope():
        assert sender_problem("news@acme.test") == ""
        noted = AuditEntry.objects.filter(object_kind="sender_domain").order_by("pk")
        assert [(entry.action, entry.actor_id) for entry in noted] == [
            ("sender_domain.added", alice.user.pk),
            ("sender_domain.lapsed", None),
            ("sender_domain.verified_again", None),
        ]


def test_a_bad_moment_of_the_name_server_lets_nothing_lapse(
    row: SenderDomain, later: Later, name_server: NameServer
) -> None:
    dkim = name_server.records.pop(f"{row.selector}._domainkey.acme.test")
    assert later.pass_by(12.1).failing_since is not None
    name_server.records[f"{row.selector}._domainkey.acme.test"] = dkim
    fine = later.pass_by(1.1)
    assert (fine.is_verified, fine.failing_since, fine.dkim_problem) == (True, None, "")
    assert later.told() == []


def test_where_nobody_answers_what_was_known_counts(row: SenderDomain, later: Later, house: House) -> None:
    def silent(name: str) -> list[str]:
        raise LookupFailed(name)

    for _ in range(4):
        later.now += 13 * HOUR
        assert recheck_domain(tenant_id=house.tenant.pk, lookup=silent)
        assert not recheck_domain(tenant_id=house.tenant.pk, lookup=silent)
    with house.scope():
        assert SenderDomain.objects.get().is_verified
    assert later.told() == []


def test_a_domain_that_was_never_verified_is_left_to_its_people(
    house: House, alice: Person, later: Later, name_server: NameServer
) -> None:
    added(house, alice)
    assert not later.pass_by(100).is_verified
    assert name_server.asked == []


def test_domains_verified_before_there_was_a_next_time_are_looked_at_too(
    row: SenderDomain, later: Later, name_server: NameServer, house: House
) -> None:
    with house.scope():
        SenderDomain.objects.update(next_check_at=None)
    assert later.pass_by(0).is_verified
    assert len(name_server.asked) == 3


def test_tenants_are_looked_at_each_for_itself_by_the_workers_task(
    row: SenderDomain, later: Later, name_server: NameServer, globex: Tenant, alice: Person, house: House
) -> None:
    with tenant_scope(globex.pk):
        other = add_domain(domain="globex.test", actor=alice.user, now=NOW)
    good(name_server, other)
    verify(House(globex), other)
    later.now += 13 * HOUR
    assert tenants_with_domains_to_check(later.now) == [house.tenant.pk, globex.pk]
    name_server.asked.clear()
    recheck_domains(globex.pk)
    assert set(name_server.asked) == {
        "globex.test", "_dmarc.globex.test", f"{other.selector}._domainkey.globex.test"
    }  # fmt: skip
    assert tenants_with_domains_to_check(later.now) == [house.tenant.pk]
