"""What the cards of trigger and finish say, and the end of a branch, in words."""

from __future__ import annotations

from crm.criteria.describe import describe_all
from flows.document import ExitSettings, FlowDocument
from flows.steps.base import CheckContext
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


def exit_text(exit_: ExitSettings | None, ctx: CheckContext) -> str:
    if exit_ is None:
        return ""
    parts = []
    if exit_.selection is not None:
        parts.append(f"add to “{ctx.name('selection', exit_.selection) or 'a deleted selection'}”")
    if exit_.flow is not None:
        parts.append(f"go on to “{ctx.name('flow', exit_.flow) or 'a deleted flow'}”")
    return ", ".join(parts)


def start_title(document: FlowDocument) -> str:
    if not document.triggers:
        return "Added by hand"
    return "Trigger" if len(document.triggers) == 1 else f"{len(document.triggers)} triggers"


def start_lines(document: FlowDocument, ctx: CheckContext) -> list[str]:
    """Return who comes in: the triggers, then what narrows them."""
    lines = [TRIGGER_KINDS[t.kind].summary(t, ctx) for t in document.triggers]
    if not lines:
        lines = ["Nobody enters by themselves"]
    if document.filter is not None and not document.filter.is_empty:
        lines.append(f"Only if {describe_all([document.filter])[0]}")
    excluded = [
        ctx.name("selection", number) or "a deleted selection" for number in document.settings.exclusions
    ]
    if excluded:
        lines.append(f"Not if in {', '.join(excluded)}")
    return lines


def finish_lines(document: FlowDocument, ctx: CheckContext) -> list[str]:
    """Return what counts as success, and where people go on to."""
    lines = [f"Success: {SUCCESS_KINDS[c.kind].summary(c, ctx)}" for c in document.success]
    if document.success and document.settings.move_to_finish:
        lines.append("Who meets it finishes at once")
    for label, exit_ in (("With success", document.finish.success), ("Without", document.finish.no_success)):
        text = exit_text(exit_, ctx)
        if text:
            lines.append(f"{label}: {text}")
    return lines
