"""What was seen when success was met, kept with the participant: the revision that judged, which state criteria held,
and the values that they looked at. An event is found again by its moment.

`success_values` is {"revision": 3, "met": ["<id of a criterion>"], "seen": {"<key of a line>": "Customer"}}.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import psycopg

from core.tenancy import require_tenant_id
from crm.criteria.among import these
from crm.criteria.seen import looked_at
from crm.criteria.sql import compile_criteria
from flows.document import FlowDocument, SuccessCriterion
from flows.success.table import SUCCESS_KINDS

_KEEP = """
UPDATE participants_participant p
SET success_values = jsonb_build_object('revision', %s::int, 'met', judged.met, 'seen', judged.seen)
FROM (SELECT c.id, {met} AS met, {seen} AS seen FROM {source}) judged
WHERE p.tenant_id = %s AND p.id = ANY(%s::bigint[]) AND p.contact_id = judged.id
"""


def keep_seen(
    cursor: psycopg.Cursor[Any],
    *,
    document: FlowDocument,
    revision: int,
    participants: Collection[tuple[int, int]],
    now: dt.datetime,
) -> None:
    """Keep what the state criteria see of these (participant, contact) now: they have just got the mark. One statement,
    whatever their number."""
    if not participants:
        return
    met, met_params = _met(document, now)
    seen, seen_params = _seen(document, now)
    sql: Any = _KEEP.format(met=met, seen=seen, source=these(f"{met} {seen}"))
    tenant = require_tenant_id()
    cursor.execute(
        sql,
        [
            revision,
            *met_params,
            *seen_params,
            list({contact_id for _, contact_id in participants}),
            tenant,
            tenant,
            [participant_id for participant_id, _ in participants],
        ],
    )


def _states(document: FlowDocument) -> list[tuple[SuccessCriterion, Any]]:
    states = ((item, SUCCESS_KINDS[item.kind].state(item)) for item in document.success)
    return [(item, criteria) for item, criteria in states if criteria is not None and not criteria.is_empty]


def _met(document: FlowDocument, now: dt.datetime) -> tuple[str, list[Any]]:
    """Return SQL for the ids of the criteria that hold, as JSON."""
    parts: list[str] = []
    params: list[Any] = []
    for item, criteria in _states(document):
        compiled = compile_criteria(criteria, now=now, zone=document.settings.zone)
        parts.append(f"CASE WHEN {compiled.sql} THEN %s::text END")
        params += [*compiled.params, str(item.id)]
    return f"to_jsonb(array_remove(ARRAY[{', '.join(parts)}]::text[], NULL))", params


def _seen(document: FlowDocument, now: dt.datetime) -> tuple[str, list[Any]]:
    """Return SQL for the values by the keys of the lines, as JSON."""
    criteria = [found for _, found in _states(document)]
    if not criteria:
        return "'{}'::jsonb", []
    looked = looked_at(criteria, now=now, zone=document.settings.zone)
    params: list[Any] = [list(looked.keys), *looked.params]
    return f"jsonb_object(%s::text[], ARRAY[{', '.join(looked.columns)}]::text[])", params
