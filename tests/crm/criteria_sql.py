"""Who matches criteria by SQL, for tests that compare it with a naive reading."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.criteria.schema import Criteria
from crm.criteria.sql import FROM, compile_criteria


def matching(criteria: Criteria, *, now: dt.datetime, zone: ZoneInfo) -> set[int]:
    """Return who matches; the expression is never NULL, and as a condition it finds the same as as a value."""
    compiled = compile_criteria(criteria, now=now, zone=zone)
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {compiled.sql} FROM {FROM} WHERE c.tenant_id = %s::bigint",
            [*compiled.params, require_tenant_id()],
        )
        rows = cursor.fetchall()
        cursor.execute(
            f"SELECT c.id FROM {FROM} WHERE c.tenant_id = %s::bigint AND {compiled.sql}",
            [require_tenant_id(), *compiled.params],
        )
        found = {row[0] for row in cursor.fetchall()}
    assert all(held is not None for _, held in rows)
    assert found == {contact_id for contact_id, held in rows if held}
    return found
