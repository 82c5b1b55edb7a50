"""Members: roles, groups, the last administrator, and what an administrator must not touch."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Group, Membership, Role, RoleRight
from accounts.operations import (
    BeyondOwnRights,
    LastAdministrator,
    add_member,
    change_membership,
    deactivate_membership,
    save_role,
)
from accounts.operations.roles import VERBS
from accounts.rights import DataObject, Right
from core.tenancy import tenant_scope
from tests.fixtures.people import MakePerson, Person

NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)


def ids(person: Person, role: str, group: str = "Marketing") -> dict[str, int]:
    """Return the form values for a role and a group of the person's tenant."""
    with tenant_scope(person.tenant.pk):
        return {"role": Role.objects.get(name=role).pk, "group": Group.objects.get(name=group).pk}


def is_active(person: Person) -> bool:
    """Say whether the person's membership is active."""
    with tenant_scope(person.tenant.pk):
        return Membership.objects.get(pk=person.member.pk).is_active


def role_of(person: Person) -> str:
    """Return the person's role now."""
    with tenant_scope(person.tenant.pk):
        return str(Membership.objects.select_related("role").get(pk=person.member.pk).role)


def test_an_administrator_changes_role_and_group(alice: Person, wendy: Person, rory: Person) -> None:
    alice.client().post(
        alice.url(f"settings/users/{wendy.member.pk}/"), ids(alice, "Flow administrator", "Sales")
    )
    with tenant_scope(alice.tenant.pk):
        member = Membership.objects.select_related("role", "group").get(pk=wendy.member.pk)
        assert (member.role.name, str(member.group)) == ("Flow administrator", "Sales")
        assert member.may(Right.FLOW_ADMINISTRATOR)


def test_the_last_administrator_cannot_be_deactivated(alice: Person, bob: Person) -> None:
    client = alice.client()
    client.post(alice.url(f"settings/users/{alice.member.pk}/active/"), {"active": "no"})
    assert "last administrator" in client.get(alice.url("settings/users/")).content.decode()
    assert is_active(alice)


def test_the_last_administrator_cannot_get_a_lesser_role(alice: Person, bob: Person) -> None:
    path = alice.url(f"settings/users/{alice.member.pk}/")
    answer = alice.client().post(path, ids(alice, "Sales rep"))
    assert answer.status_code == 422
    assert "last administrator" in answer.content.decode()
    assert role_of(alice) == "Administrator"


def test_the_right_cannot_be_taken_from_the_last_administrators_role(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        role = Role.objects.get(name="Administrator")
        with pytest.raises(LastAdministrator):
            save_role(
                role_id=role.pk, name=role.name, description="", rights=[Right.EXPORT], data_rights={},
                actor=alice.member,
            )  # fmt: skip


def test_of_two_administrators_one_may_go(alice: Person, make_person: MakePerson) -> None:
    second = make_person(alice.tenant, "Ada", "Second", role="Administrator")
    with tenant_scope(alice.tenant.pk):
        deactivate_membership(membership_id=second.member.pk, actor=alice.member, now=NOW)
        with pytest.raises(LastAdministrator):
            deactivate_membership(membership_id=alice.member.pk, actor=alice.member, now=NOW)
    assert (is_active(alice), is_active(second)) == (True, False)


def test_who_manages_users_cannot_make_or_unmake_administrators(
    alice: Person, make_person: MakePerson
) -> None:
    with tenant_scope(alice.tenant.pk):
        save_role(
            role_id=None, name="Desk", description="", rights=[Right.MANAGE_USERS], data_rights={},
            actor=alice.member,
        )  # fmt: skip
    desk = make_person(alice.tenant, "Desk", "Clerk", role="Desk")
    with tenant_scope(alice.tenant.pk):
        admin = Role.objects.get(name="Administrator")
        with pytest.raises(BeyondOwnRights):
            change_membership(membership_id=desk.member.pk, role=admin, group=None, actor=desk.member)
        with pytest.raises(BeyondOwnRights):
            deactivate_membership(membership_id=alice.member.pk, actor=desk.member, now=NOW)
        with pytest.raises(BeyondOwnRights):
            save_role(
                role_id=desk.member.role_id, name="Desk", description="", data_rights={}, actor=desk.member,
                rights=[Right.MANAGE_USERS, Right.ADMINISTRATOR],
            )  # fmt: skip
    assert (role_of(desk), is_active(alice)) == ("Desk", True)


def test_a_deactivated_member_is_out_at_once_and_comes_back_with_the_old_role(
    alice: Person, bob: Person
) -> None:
    bobs, path = bob.client(), alice.url(f"settings/users/{bob.member.pk}/active/")
    assert bobs.get(bob.url()).status_code == 200
    alice.client().post(path, {"active": "no"})
    assert bobs.get(bob.url()).status_code == 404
    alice.client().post(path, {"active": "yes"})
    assert bobs.get(bob.url()).status_code == 200
    assert role_of(bob) == "Flow administrator"


def test_an_administrator_cannot_change_a_users_password_name_or_address(alice: Person, bob: Person) -> None:
    sent = ids(alice, "Flow administrator") | {
        "email": "mine@acme.test",
        "password": "changed-by-alice",
        "first_name": "X",
    }
    alice.client().post(alice.url(f"settings/users/{bob.member.pk}/"), sent)
    bob.user.refresh_from_db()
    assert (bob.user.email, bob.user.first_name) == ("bob@acme.test", "Bob")
    assert bob.user.check_password(bob.password)


def test_a_user_of_two_tenants_has_each_tenants_own_rights(alice: Person, charlie: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        add_member(user=charlie.user, role=Role.objects.get(name="Sales rep"))
    client = charlie.client()
    assert client.get("/t/globex/settings/users/").status_code == 200
    assert client.get("/t/acme/").status_code == 200
    assert client.get("/t/acme/settings/users/").status_code == 404
    chooser = client.get("/").content.decode()
    assert "Acme" in chooser
    assert "Globex" in chooser


def test_a_role_is_edited_with_its_rights_and_data_rights(alice: Person, rory: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        role_id = Role.objects.get(name="Sales rep").pk
    none = {f"{kind}_{verb}": "none" for kind in DataObject.values for verb in VERBS}
    sent = {"name": "Field rep", "description": "On the road", "rights": ["add_to_flows"], **none}
    sent["contact_read"] = "group"
    alice.client().post(alice.url(f"settings/roles/{role_id}/"), sent)
    with tenant_scope(alice.tenant.pk):
        member = Membership.objects.get(pk=rory.member.pk)
        assert member.role.name == "Field rep"
        assert member.rights == {"add_to_flows"}
        assert member.data_rights["contact"]["read"] == "group"
        assert member.data_rights["company"]["read"] == "none"


def test_a_role_in_use_cannot_be_deleted(alice: Person, rory: Person) -> None:
    client = alice.client()
    with tenant_scope(alice.tenant.pk):
        role_id = Role.objects.get(name="Sales rep").pk
    client.post(alice.url(f"settings/roles/{role_id}/delete/"))
    assert "Give them another first" in client.get(alice.url("settings/roles/")).content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Role.objects.filter(pk=role_id).exists()
        assert RoleRight.objects.filter(role=rory.member.role_id).count() == 0


def test_a_group_with_members_cannot_be_deleted_an_empty_one_can(alice: Person, rory: Person) -> None:
    client = alice.client()
    client.post(alice.url("settings/groups/"), {"name": "Empty"})
    with tenant_scope(alice.tenant.pk):
        groups = {group.name: group.pk for group in Group.objects.all()}
    for name in ("Sales", "Empty"):
        client.post(alice.url(f"settings/groups/{groups[name]}/delete/"))
    with tenant_scope(alice.tenant.pk):
        assert sorted(Group.objects.values_list("name", flat=True)) == ["Marketing", "Sales"]
