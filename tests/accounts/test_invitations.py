"""Invitations: the mail, the link that works once, and every way in which it does not work."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry, Group, Invitation, Membership, Role, Tenant, User
from accounts.operations import invitation_link, invite, save_role
from core import clock
from core.signing import make_token
from core.tenancy import tenant_scope
from tests.fixtures.people import MakePerson, Person
from tests.support.smtp import Mailbox

NEWCOMER = {"first_name": "Nora", "last_name": "Berg", "password": "seven-herons-at-dawn"}


def send(person: Person, email: str = "nora@acme.test", role: str = "Content writer") -> Client:
    """Let a person invite somebody through the page."""
    client = person.client()
    with tenant_scope(person.tenant.pk):
        chosen = {"email": email, "role": Role.objects.get(name=role).pk}
        chosen["group"] = Group.objects.get(name="Marketing").pk
    client.post(person.url("settings/users/invite/"), chosen)
    return client


def path_of(invitation: Invitation, tenant: Tenant) -> str:
    """Return the path of the invitation's link."""
    return invitation_link(invitation=invitation, tenant=tenant).removeprefix("http://127.0.0.1:8000")


@pytest.fixture
def link(alice: Person) -> str:
    """The path of an open invitation for Nora as a content writer."""
    with tenant_scope(alice.tenant.pk):
        role = Role.objects.get(name="Content writer")
        group = Group.objects.get(name="Marketing")
        made = invite(email="Nora@Acme.test", role=role, group=group, actor=alice.member, now=clock.now())
    return path_of(made, alice.tenant)


def members_of(tenant: Tenant) -> set[str]:
    """Return the addresses of a tenant's members."""
    with tenant_scope(tenant.pk):
        return set(Membership.objects.values_list("user__email", flat=True))


def test_an_invited_newcomer_gets_a_mail_makes_an_account_and_is_inside(
    alice: Person, mailbox: Mailbox
) -> None:
    send(alice)
    (mail,) = mailbox.to("nora@acme.test")
    assert mail.message["Subject"] == "Alice Wong invites you to Acme on Millrace"
    address = re.search(r"http://127\.0\.0\.1:8000(/invitation/\S+)", mail.message.get_content())
    assert address
    client = Client()
    assert "Join Acme" in client.get(address[1]).content.decode()
    answer = client.post(address[1], NEWCOMER)
    assert answer["Location"] == "/t/acme/"
    assert client.get("/t/acme/").status_code == 200
    nora = User.objects.get(email="nora@acme.test")
    assert nora.check_password(NEWCOMER["password"])
    with tenant_scope(alice.tenant.pk):
        member = Membership.objects.select_related("role", "group").get(user=nora)
        assert (member.role.name, str(member.group)) == ("Content writer", "Marketing")


def test_a_link_works_once(alice: Person, link: str) -> None:
    Client().post(link, NEWCOMER)
    again = Client()
    assert again.get(link).status_code == 404
    assert again.post(link, NEWCOMER | {"first_name": "Mallory"}).status_code == 404
    assert User.objects.filter(first_name="Mallory").count() == 0


@pytest.mark.parametrize("spoil", ["nonsense", "{link}x", "{other purpose}", "{other tenant}"])
def test_a_forged_link_is_refused(alice: Person, globex: Tenant, link: str, spoil: str) -> None:
    with tenant_scope(alice.tenant.pk):
        invitation_id = Invitation.objects.get().pk
    forged = {
        "{link}x": link.rstrip("/") + "x",
        "{other purpose}": make_token(purpose="click", tenant_id=alice.tenant.pk, values=(invitation_id,)),
        "{other tenant}": make_token(purpose="invitation", tenant_id=globex.pk, values=(invitation_id,)),
    }.get(spoil, spoil)
    path = forged + "/" if forged.startswith("/") else f"/invitation/{forged}/"
    before = members_of(alice.tenant)
    client = Client()
    assert client.get(path).status_code == 404
    assert client.post(path, NEWCOMER).status_code == 404
    assert not User.objects.filter(email="nora@acme.test").exists()
    assert members_of(alice.tenant) == before
    assert members_of(globex) == set()


def test_a_link_expires_after_seven_days(alice: Person, link: str) -> None:
    with time_machine.travel(clock.now() + dt.timedelta(days=7, minutes=1), tick=False):
        client = Client()
        assert client.get(link).status_code == 404
        assert client.post(link, NEWCOMER).status_code == 404
    assert not User.objects.filter(email="nora@acme.test").exists()


def test_a_withdrawn_invitation_no_longer_works(alice: Person, link: str) -> None:
    with tenant_scope(alice.tenant.pk):
        invitation_id = Invitation.objects.get().pk
    alice.client().post(alice.url(f"settings/invitations/{invitation_id}/withdraw/"))
    assert Client().post(link, NEWCOMER).status_code == 404


def test_inviting_again_replaces_the_old_link(alice: Person, link: str, mailbox: Mailbox) -> None:
    with tenant_scope(alice.tenant.pk):
        invitation_id = Invitation.objects.get().pk
    alice.client().post(alice.url(f"settings/invitations/{invitation_id}/again/"))
    assert len(mailbox.to("nora@acme.test")) == 1
    assert Client().get(link).status_code == 404
    with tenant_scope(alice.tenant.pk):
        assert Invitation.objects.filter(accepted_at=None, withdrawn_at=None).count() == 1


def test_a_signed_in_user_of_another_tenant_joins_without_a_new_account(
    alice: Person, charlie: Person, link: str
) -> None:
    client = charlie.client()
    assert "You are signed in as" in client.get(link).content.decode()
    assert client.post(link)["Location"] == "/t/acme/"
    assert members_of(alice.tenant) == {"alice@acme.test", "charlie@globex.test"}
    assert not User.objects.filter(email="nora@acme.test").exists()
    assert "Choose a company" in client.get("/").content.decode()


def test_a_member_does_not_join_twice(alice: Person, link: str) -> None:
    answer = alice.client().post(link)
    assert answer.status_code == 422
    assert "is a member of Acme already" in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Invitation.objects.get().accepted_at is None


def test_an_address_with_an_account_must_sign_in_first(alice: Person, charlie: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        role = Role.objects.get(name="Sales rep")
        made = invite(email=charlie.user.email, role=role, group=None, actor=alice.member, now=clock.now())
    path = path_of(made, alice.tenant)
    answer = Client().post(path, NEWCOMER)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/invitation/")
    charlie.user.refresh_from_db()
    assert charlie.user.check_password(charlie.password)


@pytest.mark.parametrize("password", ["short", "password123", "nora@acme.test"])
def test_a_weak_password_is_refused_at_its_field(alice: Person, link: str, password: str) -> None:
    answer = Client().post(link, NEWCOMER | {"password": password})
    assert answer.status_code == 422
    assert "id_password_error" in answer.content.decode()
    assert not User.objects.filter(email="nora@acme.test").exists()


def test_inviting_a_member_is_refused_and_sends_nothing(alice: Person, bob: Person, mailbox: Mailbox) -> None:
    with tenant_scope(alice.tenant.pk):
        role = Role.objects.get(name="Sales rep").pk
    answer = alice.client().post(
        alice.url("settings/users/invite/"), {"email": "BOB@acme.test", "role": role}
    )
    assert answer.status_code == 422
    assert "is a member already" in answer.content.decode()
    assert mailbox.received == []


def test_an_address_with_a_line_break_is_refused_and_sends_nothing(alice: Person, mailbox: Mailbox) -> None:
    with tenant_scope(alice.tenant.pk):
        role = Role.objects.get(name="Sales rep").pk
    sent = {"email": "x@acme.test\nBcc: all@acme.test", "role": role}
    assert alice.client().post(alice.url("settings/users/invite/"), sent).status_code == 422
    assert mailbox.received == []


def test_a_line_break_in_the_inviters_name_stays_out_of_the_header(alice: Person, mailbox: Mailbox) -> None:
    User.objects.filter(pk=alice.user.pk).update(last_name="Wong\r\nBcc: all@acme.test")
    send(alice)
    (mail,) = mailbox.received
    assert mail.recipients == ["nora@acme.test"]
    assert mail.message["Bcc"] is None


def test_when_the_mail_server_is_down_the_invitation_stays_and_the_page_says_so(
    alice: Person, mailbox: Mailbox
) -> None:
    mailbox.answers["RCPT"] = lambda address: "550 no such user"
    client = send(alice)
    page = client.get(alice.url("settings/users/")).content.decode()
    assert "could not be sent" in page
    assert "nora@acme.test" in page


def test_another_tenants_role_cannot_be_chosen(alice: Person, charlie: Person, mailbox: Mailbox) -> None:
    sent = {"email": "nora@acme.test", "role": charlie.member.role_id}
    answer = alice.client().post(alice.url("settings/users/invite/"), sent)
    assert answer.status_code == 422
    with tenant_scope(alice.tenant.pk):
        assert Invitation.objects.count() == 0
    assert mailbox.received == []


def test_nobody_hands_out_rights_beyond_their_own(
    alice: Person, make_person: MakePerson, mailbox: Mailbox
) -> None:
    with tenant_scope(alice.tenant.pk):
        save_role(
            role_id=None,
            name="Desk",
            description="",
            rights=["manage_users"],
            data_rights={},
            actor=alice.member,
        )
        admin = Role.objects.get(name="Administrator").pk
    desk = make_person(alice.tenant, "Desk", "Clerk", role="Desk")
    sent = {"email": "nora@acme.test", "role": admin}
    answer = desk.client().post(desk.url("settings/users/invite/"), sent)
    assert answer.status_code == 422
    assert "rights that you do not have" in answer.content.decode()
    assert mailbox.received == []


def test_an_invitation_is_audited_without_its_link(alice: Person, link: str) -> None:
    with tenant_scope(alice.tenant.pk):
        entry = AuditEntry.objects.get(action="invitation.sent")
        assert (entry.actor, entry.object_name) == (alice.user, "nora@acme.test")
        assert entry.payload == {"group": "Marketing", "role": "Content writer"}


def test_an_invitation_asks_for_the_role_and_begins_with_none(alice: Person) -> None:
    page = alice.client().get(alice.url("settings/users/invite/")).content.decode()
    assert '<option value="" selected>Choose…</option>' in page
    answer = alice.client().post(alice.url("settings/users/invite/"), {"email": "new@acme.test", "role": ""})
    assert answer.status_code == 422
    with tenant_scope(alice.tenant.pk):
        assert not Invitation.objects.exists()
