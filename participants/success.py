"""The flow's state criteria of success as SQL: they count as soon as they hold, also at enrolment (spec: success)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crm.criteria.schema import Criteria
from crm.criteria.sql import compile_criteria
from flows.document import FlowDocument
from flows.success.table import SUCCESS_KINDS

NEVER = "FALSE"


def state_criteria(document: FlowDocument) -> list[Criteria]:
    """Return the criteria of which any one means success."""
    states = (SUCCESS_KINDS[item.kind].state(item) for item in document.success)
    return [criteria for criteria in states if criteria is not None and not criteria.is_empty]


def success_sql(document: FlowDocument, *, now: dt.datetime) -> tuple[str, list[Any]]:
    """Return a boolean expression over `c` and `co`, never NULL, and its parameters."""
    parts, params = [], []
    for criteria in state_criteria(document):
        compiled = compile_criteria(criteria, now=now, zone=document.settings.zone)
        parts.append(f"({compiled.sql})")
        params.extend(compiled.params)
    return (" OR ".join(parts), params) if parts else (NEVER, [])
