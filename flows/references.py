"""Everything a flow uses, with the place it is used at: for Usage rows, and for the names a page shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from flows.criteria_uses import criteria_uses
from flows.document import ExitSettings, FlowDocument, StepNode
from flows.steps.base import Reference
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


@dataclass(frozen=True, slots=True)
class Use:
    """One thing used at one place; `part` is the part of the designer that opens it."""

    reference: Reference
    place: str
    part: str


def uses(document: FlowDocument) -> Iterator[Use]:
    """Yield everything that the document uses."""
    for trigger in document.triggers:
        for reference in TRIGGER_KINDS[trigger.kind].references(trigger):
            yield Use(reference, "Trigger", part("trigger", trigger.id))
    if document.filter is not None:
        yield from (Use(r, "Filter", "filter") for r in criteria_uses(document.filter))
    for criterion in document.success:
        for reference in SUCCESS_KINDS[criterion.kind].references(criterion):
            yield Use(reference, "Success criteria", part("success", criterion.id))
    for node in document.walk():
        yield from (Use(reference, node.title, part("step", node.id)) for reference in _of_step(node))
    for exit_ in (document.finish.success, document.finish.no_success):
        yield from (Use(r, "Finish", "finish") for r in of_exit(exit_))
    yield from _of_settings(document)


def sent_emails(document: FlowDocument) -> list[int]:
    """Return the emails that the flow's steps send; those that criteria only ask about are not its own."""
    steps = (node for node in document.walk() if node.kind == "send_email")
    return [r.id for node in steps for r in _of_step(node) if r.kind == "email"]


def _of_step(node: StepNode) -> list[Reference]:
    try:
        return list(STEP_KINDS[node.kind].references(node))
    except ValidationError:
        # Settings that cannot be read use nothing; validation says so.
        return []


def part(kind: str, part_id: uuid.UUID) -> str:
    """Return the address of a part inside the designer."""
    return f"{kind}:{part_id}"


def of_exit(exit_: ExitSettings) -> Iterator[Reference]:
    """Yield the onward flow and the selection of an exit."""
    if exit_.flow is not None:
        yield Reference("flow", exit_.flow)
    if exit_.selection is not None:
        yield Reference("selection", exit_.selection)


def _of_settings(document: FlowDocument) -> Iterator[Use]:
    settings = document.settings
    for number in settings.exclusions:
        yield Use(Reference("selection", number), "Exclusion list", "settings")
    for number in settings.remove_from_flows:
        yield Use(Reference("flow", number), "Enrolment settings", "settings")
    if settings.messages.subscription_type is not None:
        yield Use(
            Reference("subscription_type", settings.messages.subscription_type),
            "Message settings",
            "messages",
        )
