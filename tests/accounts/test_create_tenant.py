"""`manage.py create_tenant`: how an operator opens the house for a new customer."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Role, Tenant
from core.tenancy import tenant_scope
from tests.support.smtp import Mailbox


def test_the_first_administrator_comes_in_by_the_printed_link(
    db: None, mailbox: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_tenant", "initech", "Initech", admin="Peter@Initech.test", timezone="Europe/Berlin")
    printed = re.search(r"/invitation/\S+", capsys.readouterr().out)
    assert printed
    (mail,) = mailbox.to("peter@initech.test")
    assert "/invitation/" in mail.message.get_content()
    client = Client()
    sent = {"first_name": "Peter", "last_name": "Gibbons", "password": "seven-herons-at-dawn"}
    assert client.post(printed[0], sent)["Location"] == "/t/initech/"
    assert client.get("/t/initech/settings/users/").status_code == 200


def test_a_new_tenant_has_the_four_default_roles(acme: Tenant) -> None:
    with tenant_scope(acme.pk):
        roles = {role.name: set(role.rights.values_list("right", flat=True)) for role in Role.objects.all()}
    assert sorted(roles) == ["Administrator", "Content writer", "Flow administrator", "Sales rep"]
    assert "administrator" in roles["Administrator"]
    assert roles["Content writer"] == {"edit_flow_content"}
    assert roles["Sales rep"] == set()


@pytest.mark.parametrize(
    ("slug", "admin", "timezone", "said"),
    [
        ("acme", "a@acme.test", "UTC", "already"),
        ("no good", "a@acme.test", "UTC", "valid"),
        ("initech", "no address", "UTC", "valid"),
        ("initech", "a@acme.test", "Mars/Base", "no timezone"),
    ],
)
def test_bad_input_is_refused_and_makes_nothing(
    acme: Tenant, mailbox: Mailbox, slug: str, admin: str, timezone: str, said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("create_tenant", slug, "Initech", admin=admin, timezone=timezone)
    assert list(Tenant.objects.values_list("slug", flat=True)) == ["acme"]
    assert mailbox.received == []
