"""Operations on what frames the steps: settings, triggers, filter, success criteria, finish."""

from __future__ import annotations

import uuid
from typing import Any

from crm.criteria.schema import Criteria
from flows.document import Finish, FlowDocument, FlowSettings, SuccessCriterion, Trigger
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit


def with_settings(document: FlowDocument, *, settings: FlowSettings) -> FlowDocument:
    """Replace the flow's settings."""
    return document.model_copy(update={"settings": settings})


def with_filter(document: FlowDocument, *, criteria: Criteria | None) -> FlowDocument:
    """Replace the filter; empty criteria are none."""
    kept = None if criteria is None or criteria.is_empty else criteria
    return document.model_copy(update={"filter": kept})


def with_finish(document: FlowDocument, *, finish: Finish) -> FlowDocument:
    """Replace what happens at Finish."""
    return document.model_copy(update={"finish": finish})


def add_trigger(document: FlowDocument, *, kind: str) -> FlowDocument:
    """Add a trigger to fill in."""
    return checked(document.model_copy(update={"triggers": (*document.triggers, Trigger(kind=kind))}))


def update_trigger(
    document: FlowDocument, *, trigger_id: uuid.UUID, settings: dict[str, Any], criteria: Criteria | None
) -> FlowDocument:
    """Change a trigger's settings and criteria."""
    _known(trigger_id, [t.id for t in document.triggers], "trigger")
    change = {"settings": settings, "criteria": criteria}
    triggers = tuple(t.model_copy(update=change) if t.id == trigger_id else t for t in document.triggers)
    return checked(document.model_copy(update={"triggers": triggers}))


def remove_trigger(document: FlowDocument, *, trigger_id: uuid.UUID) -> FlowDocument:
    """Take a trigger out."""
    _known(trigger_id, [t.id for t in document.triggers], "trigger")
    kept = tuple(t for t in document.triggers if t.id != trigger_id)
    return document.model_copy(update={"triggers": kept})


def add_success(document: FlowDocument, *, kind: str) -> FlowDocument:
    """Add a success criterion to fill in."""
    return checked(document.model_copy(update={"success": (*document.success, SuccessCriterion(kind=kind))}))


def update_success(
    document: FlowDocument, *, success_id: uuid.UUID, settings: dict[str, Any], criteria: Criteria | None
) -> FlowDocument:
    """Change a success criterion."""
    _known(success_id, [c.id for c in document.success], "success criterion")
    change = {"settings": settings, "criteria": criteria}
    changed = tuple(c.model_copy(update=change) if c.id == success_id else c for c in document.success)
    return checked(document.model_copy(update={"success": changed}))


def remove_success(document: FlowDocument, *, success_id: uuid.UUID) -> FlowDocument:
    """Take a success criterion out."""
    _known(success_id, [c.id for c in document.success], "success criterion")
    kept = tuple(c for c in document.success if c.id != success_id)
    return document.model_copy(update={"success": kept})


def _known(part_id: uuid.UUID, ids: list[uuid.UUID], what: str) -> None:
    if part_id not in ids:
        raise IllegalEdit(f"That {what} is no longer in the flow.")
