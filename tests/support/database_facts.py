"""What PostgreSQL itself says about the tables: which are a tenant's, what guards them, and their whole content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from core.tenancy import tenant_scope

# Rows that a mere visit may write: who is signed in, and when a member was last seen.
VISITS = {"django_session"}
VISIT_COLUMNS = {"last_seen_at", "last_login"}


def rows(sql: str, parameters: Sequence[Any] | None = None) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or ())
        return list(cursor.fetchall())


def tables() -> list[str]:
    """Return the names of the project's tables, without partitions."""
    found = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname"
    )
    return [str(name) for (name,) in found]


def tenant_tables() -> list[str]:
    """Return the tables with a column tenant_id."""
    found = rows(
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'tenant_id'"
    )
    return sorted({str(name) for (name,) in found} & set(tables()))


def fingerprint(*tenant_ids: int) -> dict[tuple[int, str], tuple[object, ...]]:
    """Return count and checksum of every table, the tenants' ones inside their scopes."""
    own = set(tenant_tables())
    found = {(0, table): _sum(table) for table in tables() if table not in own | VISITS}
    for tenant_id in tenant_ids:
        with tenant_scope(tenant_id):
            found |= {(tenant_id, table): _sum(table) for table in sorted(own)}
    return found


def _sum(table: str) -> tuple[object, ...]:
    leave_out = ", ".join(f"'{name}'" for name in sorted(VISIT_COLUMNS))
    sql = f'SELECT count(*), sum(hashtext((to_jsonb(t) - ARRAY[{leave_out}])::text)::bigint) FROM "{table}" t'
    return rows(sql)[0]
