"""The versions of a step's webhook: one for each change, made when the flow is saved or first calls it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from content.webhooks import custom_keys_of

_NEWEST = """
SELECT id, definition = %s, number FROM content_webhookversion WHERE tenant_id = %s AND step_id = %s
ORDER BY number DESC LIMIT 1
"""
_NEW = """
INSERT INTO content_webhookversion (tenant_id, step_id, number, definition, custom_keys, created_at)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (tenant_id, step_id, number) DO NOTHING RETURNING id
"""


def webhook_version(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    step_id: UUID,
    definition: Mapping[str, Any],
    now: dt.datetime,
) -> int:
    """Return the id of the version that is `definition`, which is the step's newest from now on. One query where
    nothing has changed."""
    while True:
        cursor.execute(_NEWEST, [Jsonb(definition), tenant_id, step_id])
        newest = cursor.fetchone()
        if newest is not None and newest[1]:
            return int(newest[0])
        keys = custom_keys_of(definition["url"], definition["body"])
        number = newest[2] + 1 if newest else 1
        cursor.execute(_NEW, [tenant_id, step_id, number, Jsonb(definition), Jsonb(keys), now])
        if row := cursor.fetchone():
            return int(row[0])
