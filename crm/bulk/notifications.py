"""Notifications for many users in one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A line for a user; `path` is a page below /t/<slug>/ ("diary/7/"), `contact_id` whom the text speaks of."""

    user_id: int
    kind: str
    text: str
    path: str = ""
    contact_id: int | None = None


def notify(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, rows: Sequence[NewNotification], now: dt.datetime
) -> None:
    """Write notifications in one statement."""
    if not rows:
        return
    cursor.execute(
        "INSERT INTO crm_notification (tenant_id, user_id, kind, text, path, contact_id, at) "
        "SELECT %s::bigint, v.user_id, v.kind, v.text, v.path, v.contact_id, %s::timestamptz "
        "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bigint[]) WITH ORDINALITY "
        "AS v (user_id, kind, text, path, contact_id, n) ORDER BY v.n",
        [
            tenant_id,
            now,
            [row.user_id for row in rows],
            [row.kind for row in rows],
            [row.text.replace("\x00", "")[:300] for row in rows],
            [row.path for row in rows],
            [row.contact_id for row in rows],
        ],
    )
