"""Whether two documents say the same. Settings that were never touched are not written out, those of a form that was
applied are: both mean the same, and an edit that only writes them out is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from crm.criteria.schema import Criteria
from flows.document import Branch, FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


def same(old: FlowDocument, new: FlowDocument) -> bool:
    """Return whether both are the same flow, setting by setting."""
    if [node.id for node in old.walk()] != [node.id for node in new.walk()]:
        return False
    return old == new or _plain(old) == _plain(new)


def _plain(document: FlowDocument) -> FlowDocument:
    return document.model_copy(
        update={
            "triggers": tuple(_part(one, TRIGGER_KINDS[one.kind].Settings) for one in document.triggers),
            "success": tuple(_part(one, SUCCESS_KINDS[one.kind].Settings) for one in document.success),
            "steps": tuple(_step(node) for node in document.steps),
        }
    )


def _part(part: Trigger | SuccessCriterion, settings: type[BaseModel]) -> Trigger | SuccessCriterion:
    kept = {"settings": _typed(part.settings, settings), "criteria": _criteria(part.criteria)}
    return part.model_copy(update=kept)


def _step(node: StepNode) -> StepNode:
    settings = _typed(node.settings, STEP_KINDS[node.kind].Settings)
    return node.model_copy(update={"settings": settings, "branches": tuple(map(_branch, node.branches))})


def _branch(branch: Branch) -> Branch:
    # A branch's settings have no type of their own: what is not filled in is left out.
    asked = {name: value for name, value in branch.settings.items() if value not in (None, "", [], {})}
    steps = tuple(_step(node) for node in branch.steps)
    return branch.model_copy(
        update={"settings": asked, "criteria": _criteria(branch.criteria), "steps": steps}
    )


def _criteria(criteria: Criteria | None) -> Criteria | None:
    return None if criteria is None or criteria.is_empty else criteria


def _typed(given: Mapping[str, Any], settings: type[BaseModel]) -> dict[str, Any]:
    """Return settings written out; those that cannot be read as they are."""
    try:
        return settings.model_validate(given).model_dump(mode="json")
    except ValidationError:
        return dict(given)
