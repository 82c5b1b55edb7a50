"""The two walls between tenants: the scope, and PostgreSQL's row-level security behind it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from accounts.models import Group, Membership, Role, Tenant
from core.tenancy import TenantScopeError, current_tenant_id, tenant_scope, unscoped
from tests.fixtures.people import Person
from tests.support.database_facts import rows, tenant_tables

# Every user may ask which tenants they belong to, so these rows are also readable by their user.
ALSO_READABLE = {"accounts_membership"}


def test_a_query_outside_a_scope_raises(acme: Tenant) -> None:
    with pytest.raises(TenantScopeError):
        Role.objects.count()


def test_a_scope_shows_only_its_own_tenant(acme: Tenant, globex: Tenant, alice: Person) -> None:
    with tenant_scope(acme.pk):
        assert list(Group.objects.values_list("name", flat=True)) == ["Marketing"]
    with tenant_scope(globex.pk):
        assert Group.objects.count() == 0


def test_another_tenants_scope_cannot_open_inside(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(acme.pk), pytest.raises(TenantScopeError), tenant_scope(globex.pk):
        pass


def test_the_same_scope_may_open_again(acme: Tenant) -> None:
    with tenant_scope(acme.pk):
        with tenant_scope(acme.pk):
            pass
        assert Role.objects.count() == 4
    assert current_tenant_id() is None


def test_a_scope_that_fails_leaves_nothing_behind(acme: Tenant) -> None:
    def fail_half_way() -> None:
        with tenant_scope(acme.pk):
            Role.objects.create(name="Half done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with tenant_scope(acme.pk):
        assert not Role.objects.filter(name="Half done").exists()
    assert rows("SELECT current_setting('app.tenant_id', true)") in ([("",)], [(None,)])


def test_raw_sql_sees_nothing_outside_a_scope(acme: Tenant, alice: Person) -> None:
    assert rows("SELECT count(*) FROM accounts_role") == [(0,)]


def test_raw_sql_sees_only_the_scopes_tenant(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(globex.pk):
        assert rows("SELECT count(*) FROM accounts_role WHERE tenant_id = %s", [acme.pk]) == [(0,)]
        assert rows("SELECT DISTINCT tenant_id FROM accounts_role") == [(globex.pk,)]


def test_raw_sql_cannot_change_or_plant_another_tenants_rows(acme: Tenant, globex: Tenant) -> None:
    with tenant_scope(globex.pk):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE accounts_role SET name = 'x' WHERE tenant_id = %s", [acme.pk])
            assert cursor.rowcount == 0
            cursor.execute("DELETE FROM accounts_holiday WHERE tenant_id = %s", [acme.pk])
            assert cursor.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Role.objects.create(tenant_id=acme.pk, name="Planted")


def test_a_reference_to_another_tenants_row_does_not_fit(
    acme: Tenant, alice: Person, charlie: Person
) -> None:
    with tenant_scope(acme.pk):
        foreign = charlie.member.role_id
        Membership.objects.filter(pk=alice.member.pk).update(role=foreign)
        with pytest.raises(IntegrityError), transaction.atomic():
            connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
        Membership.objects.filter(pk=alice.member.pk).update(role=alice.member.role_id)


def test_unscoped_queries_show_no_tenants_rows(acme: Tenant, alice: Person) -> None:
    with unscoped(reason="to see what the second wall shows"):
        assert Membership.objects.count() == 0
        assert Role.objects.count() == 0


def test_unscoped_needs_a_reason_and_no_scope(acme: Tenant) -> None:
    with pytest.raises(TenantScopeError), unscoped(reason=""):
        pass
    with tenant_scope(acme.pk), pytest.raises(TenantScopeError), unscoped(reason="inside"):
        pass


def test_every_table_of_a_tenant_has_forced_row_level_security(db: None) -> None:
    guarded = rows("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    assert set(tenant_tables()) - {str(name) for (name,) in guarded} == set()


def test_every_policy_asks_for_the_tenant_when_reading_and_when_writing(db: None) -> None:
    policies = {
        str(table): (str(using), str(check))
        for table, using, check in rows(
            "SELECT tablename, qual, with_check FROM pg_policies WHERE policyname = 'tenant_rows'"
        )
    }
    assert sorted(policies) == tenant_tables()
    for using, check in policies.values():
        assert "app.tenant_id" in using
        assert "app.tenant_id" in check


def test_only_memberships_can_be_read_by_the_app_beside_the_tenants_own_policy(db: None) -> None:
    wider = rows(
        "SELECT DISTINCT tablename FROM pg_policies WHERE policyname <> 'tenant_rows' "
        "AND ('public' = ANY(roles) OR current_user = ANY(roles))"
    )
    assert {str(table) for (table,) in wider} == ALSO_READABLE


def test_references_between_tenant_tables_are_composite(db: None) -> None:
    single = rows(
        """
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        WHERE contype = 'f' AND cardinality(conkey) = 1
          AND conrelid::regclass::text = ANY(%s) AND confrelid::regclass::text = ANY(%s)
        """,
        [tenant_tables(), tenant_tables()],
    )
    assert single == []


def test_the_app_owns_no_table_and_cannot_bypass_row_level_security(db: None) -> None:
    assert rows("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
        (False, False)
    ]
    assert rows(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user"
    ) == [(0,)]
