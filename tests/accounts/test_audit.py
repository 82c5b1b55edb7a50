"""The audit log: a chain that shows every change made behind its back."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.audit import first_break, write_audit
from accounts.models import AuditEntry, Tenant
from core.tenancy import TenantScopeError, tenant_scope
from tests.fixtures.people import Person


@pytest.fixture
def log(acme_scope: Tenant, alice: Person) -> list[AuditEntry]:
    """Three more entries in Acme's log."""
    for number in range(3):
        write_audit(
            actor=alice.user, action="flow.started", object_kind="flow", object_id=number, object_name="Welcome",
            payload={"n": number},
        )  # fmt: skip
    return list(AuditEntry.objects.order_by("id"))


def execute(sql: str, *parameters: int) -> None:
    """Change the log behind its back."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_an_untouched_log_verifies(log: list[AuditEntry]) -> None:
    assert first_break() is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts_auditentry SET payload = '{\"n\": 7}' WHERE id = %s",
        "UPDATE accounts_auditentry SET action = 'flow.ended' WHERE id = %s",
        "UPDATE accounts_auditentry SET actor_id = NULL WHERE id = %s",
        "UPDATE accounts_auditentry SET object_name = 'Other' WHERE id = %s",
        "UPDATE accounts_auditentry SET at = at + interval '1 second' WHERE id = %s",
    ],
)
def test_a_changed_entry_breaks_the_chain_at_its_place(log: list[AuditEntry], change: str) -> None:
    execute(change, log[-2].pk)
    broken = first_break()
    assert broken is not None
    assert broken.pk == log[-2].pk


def test_a_removed_entry_breaks_the_chain_behind_it(log: list[AuditEntry]) -> None:
    execute("DELETE FROM accounts_auditentry WHERE id = %s", log[-2].pk)
    broken = first_break()
    assert broken is not None
    assert broken.pk == log[-1].pk


def test_personal_values_can_be_blanked_and_the_chain_still_verifies(log: list[AuditEntry]) -> None:
    execute(
        "UPDATE accounts_auditentry SET payload = '{\"erased\": true}', object_name = '', ip = NULL WHERE id = %s",
        log[-2].pk,
    )
    assert first_break() is None


def test_an_entry_needs_a_scope(acme: Tenant, alice: Person) -> None:
    with pytest.raises(TenantScopeError):
        write_audit(actor=alice.user, action="x.y", object_kind="x", object_id=1)


def test_each_tenant_has_its_own_chain(acme: Tenant, globex: Tenant, charlie: Person) -> None:
    for tenant in (acme, globex):
        with tenant_scope(tenant.pk):
            assert AuditEntry.objects.order_by("id")[0].action == "tenant.created"
            assert first_break() is None


def test_the_page_says_where_and_the_check_says_that_all_is_well(alice: Person, bob: Person) -> None:
    client = alice.client()
    client.post(
        alice.url(f"settings/users/{bob.member.pk}/active/"), {"active": "no"}, REMOTE_ADDR="192.0.2.7"
    )
    page = client.get(alice.url("settings/audit/")).content.decode()
    assert "Member deactivated" in page
    assert "192.0.2.7" in page
    client.post(alice.url("settings/audit/verify/"))
    assert "entries are as they were written" in client.get(alice.url("settings/audit/")).content.decode()


def test_the_log_pages_by_fifty_without_losing_or_repeating_any(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        for number in range(70):
            write_audit(actor=alice.user, action="flow.started", object_kind="flow", object_id=number)
        total = AuditEntry.objects.count()
    client, seen, query = alice.client(), [], ""
    while True:
        answer = client.get(alice.url(f"settings/audit/{query}"))
        page = answer.context["page"]
        seen += [entry.pk for entry in page.rows]
        query = page.next_query
        if not query:
            break
    assert len(seen) == len(set(seen)) == total
    assert seen == sorted(seen, reverse=True)
    back = client.get(alice.url(f"settings/audit/{page.previous_query}")).context["page"]
    assert [entry.pk for entry in back.rows] == seen[total - len(page.rows) - 50 : total - len(page.rows)]


def test_switching_consent_checking_off_and_on_is_audited(alice: Person) -> None:
    client = alice.client()
    for required in ("", "on", "on"):
        client.post(alice.url("settings/company/consent/"), {"required": required})
    with tenant_scope(alice.tenant.pk):
        actions = AuditEntry.objects.filter(action__startswith="tenant.consent").order_by("id")
        assert list(actions.values_list("action", flat=True)) == [
            "tenant.consent_checking_off",
            "tenant.consent_checking_on",
        ]
    assert Tenant.objects.get(slug="acme").consent_required


def test_company_settings_are_audited_with_old_and_new(alice: Person) -> None:
    sent = {
        "name": "Acme Outdoor", "timezone": "Europe/Oslo", "country": "no", "postal_address": "1 Mill Lane",
        "from_name": "Acme", "from_email": "hello@acme.test", "language": "nb",
    }  # fmt: skip
    alice.client().post(alice.url("settings/company/"), sent)
    with tenant_scope(alice.tenant.pk):
        entry = AuditEntry.objects.get(action="tenant.changed")
    assert entry.payload == {
        "name": ["Acme", "Acme Outdoor"],
        "language": ["en", "nb"],
        "postal_address": ["1 Mill Lane\nOslo", "1 Mill Lane"],
    }
