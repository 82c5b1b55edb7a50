"""Ending the membership of somebody whom flows name: who takes over is asked, and stands in from then on."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Group, Membership
from accounts.operations import (
    BadSuccessor,
    UserInUse,
    create_group,
    deactivate_membership,
    delete_group,
    reactivate_membership,
)
from accounts.operations.groups import GroupInUse
from accounts.stand_ins import stand_ins
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Usage
from tests.fixtures.people import Person

NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)


def use(kind: str, object_id: int) -> None:
    Usage.objects.create(
        used_kind=kind,
        used_id=object_id,
        user_kind="flow",
        user_id=1,
        user_name="Welcome",
        place="Hand out",
        url="/t/acme/flows/1/edit/?part=step:1",
    )


def standing_in(person: Person, *users: int | None) -> dict[int, int]:
    with raw_cursor() as cursor:
        return stand_ins(cursor, tenant_id=person.tenant.pk, user_ids=users)


def test_whoever_is_named_by_a_flow_needs_a_successor(alice: Person, bob: Person, rory: Person) -> None:
    client = alice.client()
    page, end = (alice.url(f"settings/users/{rory.member.pk}/{path}") for path in ("", "active/"))
    with tenant_scope(alice.tenant.pk):
        use("user", rory.user.pk)
    shown = client.get(page).content.decode()
    assert "Welcome (Hand out)" in shown
    assert "Who takes over" in shown
    refused = client.post(end, {"active": "no"})
    assert refused["Location"] == page
    assert (
        "Rory Silva is named by “Welcome” (Hand out). Choose who takes over."
        in client.get(page).content.decode()
    )
    client.post(end, {"active": "no", "successor": bob.user.pk})
    with tenant_scope(alice.tenant.pk):
        kept = Membership.objects.get(pk=rory.member.pk)
        assert (kept.is_active, kept.successor_id) == (False, bob.user.pk)
        assert standing_in(alice, rory.user.pk, bob.user.pk) == {
            rory.user.pk: bob.user.pk,
            bob.user.pk: bob.user.pk,
        }


def test_whoever_is_named_nowhere_leaves_without_one(alice: Person, rory: Person) -> None:
    alice.client().post(alice.url(f"settings/users/{rory.member.pk}/active/"), {"active": "no"})
    with tenant_scope(alice.tenant.pk):
        assert not Membership.objects.get(pk=rory.member.pk).is_active
        assert standing_in(alice, rory.user.pk, None) == {}


def test_successors_are_followed_and_a_return_ends_it(
    alice: Person, bob: Person, wendy: Person, rory: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        deactivate_membership(
            membership_id=rory.member.pk, actor=alice.member, now=NOW, successor_id=wendy.user.pk
        )
        use("user", wendy.user.pk)
        with pytest.raises(UserInUse):
            deactivate_membership(membership_id=wendy.member.pk, actor=alice.member, now=NOW)
        deactivate_membership(
            membership_id=wendy.member.pk, actor=alice.member, now=NOW, successor_id=bob.user.pk
        )
        assert standing_in(alice, rory.user.pk) == {rory.user.pk: bob.user.pk}
        reactivate_membership(membership_id=rory.member.pk, actor=alice.member)
        assert standing_in(alice, rory.user.pk) == {rory.user.pk: rory.user.pk}
        # A circle of leavers has nobody at its end.
        Membership.objects.filter(pk=rory.member.pk).update(is_active=False, successor=wendy.user)
        Membership.objects.filter(pk=wendy.member.pk).update(successor=rory.user)
        assert standing_in(alice, rory.user.pk) == {}


def test_only_another_active_member_takes_over(
    alice: Person, bob: Person, rory: Person, charlie: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        Membership.objects.filter(pk=bob.member.pk).update(is_active=False)
        for user in (rory, charlie, bob):
            with pytest.raises(BadSuccessor):
                deactivate_membership(
                    membership_id=rory.member.pk, actor=alice.member, now=NOW, successor_id=user.user.pk
                )
        assert Membership.objects.get(pk=rory.member.pk).is_active


def test_a_group_that_a_flow_names_is_not_deleted(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        group = create_group(name="Hunters", actor=alice.user)
        use("group", group.pk)
        with pytest.raises(GroupInUse, match="“Welcome” \\(Hand out\\)"):
            delete_group(group_id=group.pk, actor=alice.user)
        Usage.objects.all().delete()
        delete_group(group_id=group.pk, actor=alice.user)
        assert not Group.objects.filter(pk=group.pk).exists()
