"""The suite runs as the application does: a role that owns nothing and cannot see past row-level security."""

import pytest
from django.db import ProgrammingError, connection, transaction


@pytest.mark.django_db
def test_the_tests_connect_as_a_role_that_is_neither_owner_nor_superuser_nor_past_row_security() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        )
        assert cursor.fetchone() == ("millrace_app", False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = 'millrace_app'::regrole")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT pg_has_role('millrace_owner', 'MEMBER')")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE accounts_tenant DISABLE ROW LEVEL SECURITY",
        "SET ROLE millrace_owner",
    ],
)
def test_the_app_cannot_change_tables_or_become_the_owner(statement: str) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
def test_functions_are_open_to_the_app_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " AND proacl IS NULL AND prosecdef"
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_what_one_transactional_test_wrote_is_gone_in_the_next() -> None:
    from accounts.models import Tenant

    assert Tenant.objects.count() == 0
    Tenant.objects.create(slug="first", name="First")


@pytest.mark.django_db(transaction=True)
def test_what_one_transactional_test_wrote_is_gone_in_the_next_again() -> None:
    test_what_one_transactional_test_wrote_is_gone_in_the_next()
