"""The versions of a step's SMS: one for each change of its text, made when the flow is saved or first sends it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from content.links import EmailLink
from content.sms import compile_text

_NEWEST = """
SELECT id, source, number, variants FROM content_smsversion WHERE tenant_id = %s AND step_id = %s
ORDER BY number DESC LIMIT 1
"""
_NEW = """
INSERT INTO content_smsversion (tenant_id, step_id, number, source, text, variants, links, custom_keys, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (tenant_id, step_id, number) DO NOTHING RETURNING id
"""


def text_version(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    step_id: UUID,
    source: str,
    now: dt.datetime,
    variants: Mapping[str, str] | None = None,
) -> int:
    """Return the id of the version that says `source`, which is the step's newest from now on.

    `variants` are what contacts of other languages get, by language.

    The text must have no problems (content.sms.text_problems). One query where nothing has changed. Two at once may
    both find it new: the second one takes what the first has made.
    """
    while True:
        cursor.execute(_NEWEST, [tenant_id, step_id])
        newest = cursor.fetchone()
        if newest is not None and newest[1] == source and _sources(newest[3]) == (variants or {}):
            return int(newest[0])
        made = compile_text(source, variants)
        number = newest[2] + 1 if newest else 1
        links = _links(cursor, tenant_id, made.links)
        others = [
            {"language": language, "source": text, "text": made.variants[language]}
            for language, text in (variants or {}).items()
        ]
        columns = [source, made.text, Jsonb(others), Jsonb(links), Jsonb(list(made.custom_keys)), now]
        cursor.execute(_NEW, [tenant_id, step_id, number, *columns])
        if row := cursor.fetchone():
            return int(row[0])


def _sources(variants: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {one["language"]: one["source"] for one in variants}


def _links(cursor: psycopg.Cursor[Any], tenant_id: int, links: Sequence[EmailLink]) -> list[dict[str, Any]]:
    """Return the links as a version keeps them; a registered one by its id, for its key leads only drafts."""
    cursor.execute(
        "SELECT key, id FROM content_trackedlink WHERE tenant_id = %s AND key = ANY(%s::text[])",
        [tenant_id, [link.key for link in links if link.key]],
    )
    ids = dict(cursor.fetchall())
    return [{"url": link.url, "registered": ids.get(link.key), "key": link.key} for link in links]
