"""Who stands in for a user who left: the successor that was named when the membership ended, or theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

# Deeper chains of leavers than this have nobody at their end.
MOST_LINKS = 8

# Over the parameters tenant (twice) and the asked users: (asked, who), the first active one of each chain.
CHAIN = f"""
WITH RECURSIVE chain AS (
    SELECT m.user_id AS asked, m.user_id AS who, m.is_active AND u.is_active AS here, m.successor_id, 1 AS link
    FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id
    WHERE m.tenant_id = %s::bigint AND m.user_id = ANY(%s::bigint[])
    UNION ALL
    SELECT c.asked, m.user_id, m.is_active AND u.is_active, m.successor_id, c.link + 1
    FROM chain c
    JOIN accounts_membership m ON m.tenant_id = %s::bigint AND m.user_id = c.successor_id
    JOIN accounts_user u ON u.id = m.user_id
    WHERE NOT c.here AND c.link < {MOST_LINKS}
)
SELECT asked, who FROM chain WHERE here
"""


def stand_ins(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, user_ids: Iterable[int | None]
) -> dict[int, int]:
    """Return the active user for each of these: themselves, or who stands in. Nobody there is left out."""
    asked = sorted({user for user in user_ids if user is not None})
    cursor.execute(CHAIN, [tenant_id, asked, tenant_id])
    return dict(cursor.fetchall())
