"""What stands between a document and its start: every problem, named by its step, with the part that opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from crm.criteria.validate import checked_together
from crm.criteria.validate import problems as criteria_problems
from delivery.domains import sender_problem
from flows.checking import check_context
from flows.checks.base import FlowProblem as FlowProblem
from flows.checks.base import criteria_places, step_title
from flows.checks.table import CHECKS
from flows.document import ExitSettings, FlowDocument, StepNode
from flows.references import part
from flows.steps.base import CheckContext, Problem, setting_problems
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


def problems(
    document: FlowDocument, *, now: dt.datetime, flow_id: int | None = None, ctx: CheckContext | None = None
) -> list[FlowProblem]:
    """Return every problem of a document, errors first: what the parts say of themselves, then the checks.

    `flow_id`: whose document it is; without it nothing is asked about other flows. `ctx`: where it is there already.
    """
    ctx = ctx or check_context(document, flow_id=flow_id)
    with checked_together(place.criteria for place in criteria_places(document)):
        found = [
            *_setting_problems(document, ctx, now),
            *_trigger_problems(document, ctx),
            *_success_problems(document, ctx),
            *_step_problems(document, ctx),
            *_finish_problems(document, ctx),
            *(problem for check in CHECKS for problem in check.find(document, ctx)),
        ]
    return sorted(found, key=lambda problem: problem.is_warning)


def errors(found: list[FlowProblem]) -> list[FlowProblem]:
    """Return the problems that stop a start."""
    return [problem for problem in found if not problem.is_warning]


def node_problems(node: StepNode, ctx: CheckContext) -> list[Problem]:
    """Return what one step says of itself; flows.checks look at the flow as a whole."""
    kind = STEP_KINDS[node.kind]
    impossible = setting_problems(kind, node)
    if impossible:
        return impossible
    found = list(kind.problems(node, ctx))
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
            where, title = part("step", node.id), step_title(node)
            yield FlowProblem(where, title, problem.message, problem.place, problem.is_warning)


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
    if text := ctx.not_static(exit_.selection):
        yield text, False


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
    for text in filter(None, map(ctx.not_static, document.settings.exclusions)):
        yield text, False, "exclusions"
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
    elif sends_email and (problem := sender_problem(messages.sender.email)):
        yield problem, False, "sender_email"
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
