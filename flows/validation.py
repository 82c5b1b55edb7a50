"""What stands between a document and its start: every problem, named by its step, with the part that opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from accounts.models import Licence
from crm.criteria.schema import Criteria
from crm.criteria.validate import checked_together
from crm.criteria.validate import problems as criteria_problems
from flows.checking import check_context
from flows.document import ExitSettings, FlowDocument, StepNode
from flows.overlaps import overlaps
from flows.references import part
from flows.steps.base import CheckContext, Problem, setting_problems
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


@dataclass(frozen=True, slots=True)
class FlowProblem:
    """A problem at a part of the flow; an error stops the start, a warning does not."""

    part: str
    title: str
    message: str
    place: str = ""
    is_warning: bool = False


def problems(
    document: FlowDocument, *, now: dt.datetime, ctx: CheckContext | None = None
) -> list[FlowProblem]:
    """Return every problem of a document: settings first, then top to bottom."""
    ctx = ctx or check_context(document)
    with checked_together(_criteria(document)):
        found = [
            *_setting_problems(document, ctx, now),
            *_trigger_problems(document, ctx),
            *_success_problems(document, ctx),
            *_step_problems(document, ctx),
            *_overlap_problems(document, ctx),
            *_finish_problems(document, ctx),
        ]
    return sorted(found, key=lambda problem: problem.is_warning)


def _criteria(document: FlowDocument) -> Iterator[Criteria]:
    """Yield what the document's parts are judged by, so that a flow of many splits asks no more than one of few."""
    parts = [document.filter, *(one.criteria for one in document.triggers)]
    parts += [one.criteria for one in document.success]
    parts += [branch.criteria for node in document.walk() for branch in node.branches]
    yield from (criteria for criteria in parts if criteria is not None)


def errors(found: list[FlowProblem]) -> list[FlowProblem]:
    """Return the problems that stop a start."""
    return [problem for problem in found if not problem.is_warning]


def node_problems(node: StepNode, ctx: CheckContext) -> list[Problem]:
    """Return the problems of one step."""
    kind = STEP_KINDS[node.kind]
    impossible = setting_problems(kind, node)
    if impossible:
        return impossible
    found = list(kind.problems(node, ctx))
    if kind.licence and kind.licence not in ctx.licences:
        found.append(Problem(f"This step needs the licence {Licence.Code(kind.licence).label}"))
    if node.branches and all(branch.exit is not None for branch in node.branches):
        found.append(
            Problem("Every branch ends in Exit flow, so nobody goes on after this split", is_warning=True)
        )
    for branch in node.branches:
        if branch.exit is not None:
            texts = _exit_problems(branch.exit, ctx)
            found.extend(Problem(f"“{branch.name}”: {text}", str(branch.id), warn) for text, warn in texts)
    return found


def _step_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
    if not document.steps:
        yield FlowProblem("", "Flow", "The flow has no steps yet")
    for node in document.walk():
        for problem in node_problems(node, ctx):
            title = node.title or STEP_KINDS[node.kind].label
            yield FlowProblem(
                part("step", node.id), title, problem.message, problem.place, problem.is_warning
            )


def _overlap_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
    for node, text in overlaps(document, ctx):
        title = node.title or STEP_KINDS[node.kind].label
        yield FlowProblem(part("step", node.id), title, text, is_warning=True)


def _trigger_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
    for trigger in document.triggers:
        kind = TRIGGER_KINDS[trigger.kind]
        for problem in kind.problems(trigger, ctx):
            address = part("trigger", trigger.id)
            yield FlowProblem(
                address, f"Trigger: {kind.label}", problem.message, problem.place, problem.is_warning
            )
    if document.filter is not None:
        yield from (FlowProblem("filter", "Filter", text) for text in criteria_problems(document.filter))


def _success_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
    for criterion in document.success:
        for problem in SUCCESS_KINDS[criterion.kind].problems(criterion, ctx):
            address = part("success", criterion.id)
            yield FlowProblem(address, "Success criteria", problem.message, problem.place, problem.is_warning)
    if document.settings.move_to_finish and not document.success:
        message = "Nobody is moved to Finish, because there are no success criteria"
        yield FlowProblem("finish", "Finish", message, is_warning=True)


def _finish_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
    for exit_ in (document.finish.success, document.finish.no_success):
        for text, is_warning in _exit_problems(exit_, ctx):
            yield FlowProblem("finish", "Finish", text, is_warning=is_warning)


def _exit_problems(exit_: ExitSettings, ctx: CheckContext) -> Iterator[tuple[str, bool]]:
    if exit_.flow is not None and ctx.name("flow", exit_.flow) is None:
        yield "The flow to go on to was deleted", False
    elif exit_.flow is not None and ctx.name("open_flow", exit_.flow) is None:
        yield f"“{ctx.name('flow', exit_.flow)}” is not running, so nobody goes on to it", True
    if exit_.selection is not None and ctx.name("selection", exit_.selection) is None:
        yield "The selection to add to was deleted", False


def _setting_problems(document: FlowDocument, ctx: CheckContext, now: dt.datetime) -> Iterator[FlowProblem]:
    for message, is_warning, place in (*_time_problems(document, now), *_list_problems(document, ctx)):
        yield FlowProblem("settings", "Enrolment settings", message, place, is_warning)
    for message, is_warning, place in _message_problems(document, ctx):
        yield FlowProblem("messages", "Message settings", message, place, is_warning)


Finding = tuple[str, bool, str]


def _time_problems(document: FlowDocument, now: dt.datetime) -> Iterator[Finding]:
    settings = document.settings
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        yield f"There is no timezone “{settings.timezone}”", False, "timezone"
    if settings.starts_at and settings.enrolment_ends_at and settings.enrolment_ends_at <= settings.starts_at:
        yield "Enrolment ends before the flow starts", False, "enrolment_ends_at"
    if settings.enrolment_ends_at and settings.enrolment_ends_at <= now:
        yield "Enrolment has ended already: nobody can enter", True, "enrolment_ends_at"


def _list_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[Finding]:
    if "marketing" not in ctx.licences:
        yield "Your licence does not include flows (Marketing Premium)", False, ""
    if any(ctx.name("selection", number) is None for number in document.settings.exclusions):
        yield "A selection of the exclusion list was deleted", False, "exclusions"
    if any(ctx.name("flow", number) is None for number in document.settings.remove_from_flows):
        yield "A flow that contacts are removed from was deleted", False, "remove_from_flows"


def _message_problems(document: FlowDocument, ctx: CheckContext) -> Iterator[Finding]:
    messages = document.settings.messages
    if not any(STEP_KINDS[node.kind].channel for node in document.walk()):
        return
    if messages.subscription_type is None:
        yield "Choose the subscription type of the messages", False, "subscription_type"
    elif ctx.name("subscription_type", messages.subscription_type) is None:
        yield "The subscription type was deleted: choose another", False, "subscription_type"
    sends_email = any(STEP_KINDS[node.kind].channel == "email" for node in document.walk())
    if sends_email and not messages.sender.email:
        fallback = "" if messages.sender.source == "fixed" else " where the contact has nobody of their own"
        yield f"Say which address messages come from{fallback}", False, "sender_email"
    if sends_email and messages.reply_to.source == "fixed" and not messages.reply_to.email:
        yield "Say which address replies go to", False, "reply_email"
    if messages.timeframe is not None and not messages.timeframe.weekdays:
        yield "Choose the days on which messages may go", False, "weekdays"


def is_valid_settings(node: StepNode) -> bool:
    """Say whether a step's settings can be read at all."""
    try:
        STEP_KINDS[node.kind].settings(node)
    except ValidationError:
        return False
    return True
