"""What the cells of a row will become, in words, for the preview. Pure."""

from __future__ import annotations

from typing import Any

from crm.importing.mapping import COMPANY_NAME, CONSENT_KEY, FULL_NAME
from crm.importing.rows import Column, Plan, Row


def preview_cells(row: Row, plan: Plan) -> list[str]:
    """Return one text for each column that is read."""
    return ["" if row.rejected else _cell(row, column, plan) for column in plan.columns]


def _cell(row: Row, column: Column, plan: Plan) -> str:
    key, target = column.into.key, column.into.target
    if key == COMPANY_NAME:
        return row.company
    if key == CONSENT_KEY:
        return _yes_no(row.consent)
    if key == FULL_NAME:
        return f"{row.values.get('contact.first_name', '')} {row.values.get('contact.last_name', '')}".strip()
    value: Any = row.values.get(key)
    if value is None or target is None:
        return ""
    if isinstance(value, frozenset):
        return ", ".join(sorted(plan.catalog.name(target.type, item) for item in value))
    return _yes_no(value) if isinstance(value, bool) else plan.catalog.name(target.type, value)


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
