"""Handing out contacts in turn: even, by company, remembered, past who is away or gone; many at once."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts.models import Membership, MembershipGroup, Role, Tenant, User
from accounts.operations import create_group
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.bulk.distribute import Circle, distribute
from crm.events import Origin
from crm.models import AwayPeriod, Company, Contact, Diary, Event, Notification, OwnerTurn
from tests.crm.conftest import NOW, make_company, make_contact
from tests.support.statements import statements

STEP = uuid.uuid4()
Hand = Callable[..., dict[int, int]]


def hand_out(tenant: Tenant, contacts: Sequence[int], circle: Circle, **more: Any) -> dict[int, int]:
    with raw_cursor() as cursor:
        return distribute(
            cursor,
            tenant_id=tenant.pk,
            step_id=more.pop("step_id", STEP),
            contact_ids=contacts,
            circle=circle,
            now=NOW,
            origin=Origin.FLOW,
            flow_id=7,
        )


def members(count: int) -> list[int]:
    """Make active members of the open tenant; return their user ids."""
    role = Role.objects.get_or_create(name="Rep")[0]
    users = [User.objects.create_user(email=f"u{number}@acme.test") for number in range(count)]
    for user in users:
        Membership.objects.create(user=user, role=role)
    return [user.pk for user in users]


def solo(count: int) -> list[int]:
    """Make contacts without a company; return their ids."""
    made = Contact.objects.bulk_create(
        Contact(first_name=f"P{number}", origin="user", created_at=NOW, updated_at=NOW)
        for number in range(count)
    )
    return [contact.pk for contact in made]


def test_ten_thousand_are_shared_evenly_over_batches_of_any_size(bare: Tenant) -> None:
    users = members(7)
    contacts = solo(10_000)
    circle = Circle(users, [], fallback=users[0])
    start = 0
    for size in (1, 999, 1_000, 3_000, 5_000):
        hand_out(bare, contacts[start : start + size], circle)
        start += size
    shares = Counter(Contact.objects.values_list("our_contact_id", flat=True))
    assert sorted(shares) == users
    assert max(shares.values()) - min(shares.values()) <= 1
    assert Event.objects.filter(kind="contact.updated", origin="flow", flow_id=7).count() == 10_000


def test_the_place_is_remembered_and_each_step_has_its_own(bare: Tenant) -> None:
    a, b, c = users = members(3)
    one, two, three, four = solo(4)
    circle = Circle(users, [], fallback=a)
    assert hand_out(bare, [one, two], circle) == {one: a, two: b}
    assert hand_out(bare, [three], circle) == {three: c}
    assert hand_out(bare, [four], circle, step_id=uuid.uuid4()) == {four: a}
    assert OwnerTurn.objects.get(step_id=STEP).last_user_id == c


def test_colleagues_are_one_turn_and_everyone_at_the_company_changes(bare: Tenant) -> None:
    a, b = users = members(2)
    mill = make_company("Mill")
    ann, ben, cid = (make_contact(first_name=name, company=mill).pk for name in ("Ann", "Ben", "Cid"))
    other = make_contact(first_name="Dee").pk
    assert hand_out(bare, [ann, ben, other], Circle(users, [], fallback=a)) == {ann: a, ben: a, other: b}
    mill.refresh_from_db()
    assert mill.our_contact_id == a
    assert sorted(Event.objects.values_list("contact_id", flat=True)) == sorted([ann, ben, cid, other])
    line = Event.objects.get(contact_id=cid).data["changes"][0]
    assert line == {"field": "contact.our_contact", "old": None, "new": a, "company": True}


def test_who_has_an_active_user_keeps_them_unless_told_otherwise(bare: Tenant) -> None:
    a, b, gone = members(3)
    Membership.objects.filter(user_id=gone).update(is_active=False)
    has, left, none = (
        make_contact(first_name="Has", our_contact_id=b).pk,
        make_contact(first_name="Left", our_contact_id=gone).pk,
        make_contact(first_name="None").pk,
    )
    circle = Circle([a], [], fallback=a)
    assert hand_out(bare, [has, left, none], circle) == {left: a, none: a}
    everyone = Circle([a], [], fallback=a, only_unassigned=False)
    assert hand_out(bare, [has, left, none], everyone) == {has: a, left: a, none: a}
    assert Event.objects.count() == 3, "who had the user already has no event"


def test_who_is_away_or_inactive_or_a_stranger_is_passed_over(bare: Tenant) -> None:
    a, away, inactive, d = users = members(4)
    stranger = User.objects.create_user(email="stranger@globex.test").pk
    AwayPeriod.objects.create(user_id=away, first_day=NOW.date(), last_day=NOW.date())
    Membership.objects.filter(user_id=inactive).update(is_active=False)
    one, two, three = solo(3)
    circle = Circle([*users, stranger], [], fallback=a)
    assert hand_out(bare, [one, two, three], circle) == {one: a, two: d, three: a}


def test_the_successor_of_one_who_left_takes_their_turns(bare: Tenant) -> None:
    a, left, c = members(3)
    Membership.objects.filter(user_id=left).update(is_active=False, successor_id=c)
    one, two, three = solo(3)
    assert hand_out(bare, [one, two, three], Circle([a, left], [], fallback=a)) == {one: a, two: c, three: a}


def test_away_is_judged_by_the_users_own_day(bare: Tenant) -> None:
    (a, b) = members(2)
    # NOW is the 23rd at noon in UTC; on Kiritimati it is the 24th already.
    Diary.objects.create(user_id=a, timezone="Pacific/Kiritimati")
    tomorrow = NOW.date() + dt.timedelta(days=1)
    for user in (a, b):
        AwayPeriod.objects.create(user_id=user, first_day=tomorrow, last_day=tomorrow)
    (one,) = solo(1)
    assert hand_out(bare, [one], Circle([a, b], [], fallback=a)) == {one: b}


def test_the_fallback_takes_no_turn(bare: Tenant) -> None:
    a, boss = members(2)
    period = AwayPeriod.objects.create(user_id=a, first_day=NOW.date(), last_day=NOW.date())
    one, two = solo(2)
    assert hand_out(bare, [one], Circle([a], [], fallback=boss)) == {one: boss}
    period.delete()
    assert hand_out(bare, [two], Circle([a], [], fallback=boss)) == {two: a}


def test_members_of_a_group_are_looked_up_when_contacts_come(bare: Tenant) -> None:
    a, b, c = members(3)
    group = create_group(name="Sales", actor=None)
    Membership.objects.filter(user_id=a).update(group=group)
    MembershipGroup.objects.create(membership=Membership.objects.get(user_id=b), group=group)
    one, two, three = solo(3)
    circle = Circle([], [group.pk], fallback=c)
    assert hand_out(bare, [one, two, three], circle) == {one: a, two: b, three: a}


def test_users_are_told_by_name_or_in_one_line(bare: Tenant) -> None:
    a, b = members(2)
    mill = make_company("Mill")
    ann = make_contact(first_name="Ann", company=mill).pk
    hand_out(bare, [ann], Circle([a], [], fallback=a))
    hand_out(bare, solo(4), Circle([b], [], fallback=a))
    assert list(Notification.objects.order_by("id").values_list("user_id", "text", "path")) == [
        (a, "Handed to you: Ann, Mill", f"contacts/{ann}/"),
        (b, "4 contacts and companies were handed to you", "contacts/"),
    ]


def test_the_number_of_statements_does_not_grow(bare: Tenant) -> None:
    users = members(3)
    circle = Circle(users, [], fallback=users[0])
    with statements() as few:
        hand_out(bare, solo(2), circle)
    few_count = len(few)
    contacts = solo(300)
    with statements() as many:
        hand_out(bare, contacts, circle)
    assert len(many) <= few_count <= 20


@pytest.mark.django_db(transaction=True)
def test_two_batches_at_once_share_evenly_and_give_a_company_to_one() -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    with tenant_scope(tenant.pk):
        users = members(4)
        mill = make_company("Mill")
        halves = [[*solo(50), make_contact(first_name=f"M{n}", company=mill).pk] for n in range(2)]
    ready = threading.Barrier(2)

    def batch(ids: list[int]) -> dict[int, int]:
        try:
            with tenant_scope(tenant.pk):
                ready.wait(10)
                return hand_out(tenant, ids, Circle(users, [], fallback=users[0]))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(batch, halves))
    with tenant_scope(tenant.pk):
        shares = Counter(Contact.objects.filter(company=None).values_list("our_contact_id", flat=True))
        owner = Company.objects.get(pk=mill.pk).our_contact_id or 0
        shares[owner] += 1
        assert sum(shares.values()) == 101
        assert max(shares.values()) - min(shares.values()) <= 1
        told = [part[ids[-1]] for part, ids in zip(found, halves, strict=True) if ids[-1] in part]
        assert told == [owner], "who came second found somebody there"
