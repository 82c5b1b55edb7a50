"""What the Summary, Flow and Content tabs of one flow show. The document's parts are told by their kinds."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from content.models import Form, FormSubmission
from content.queries import EmailChoice, emails_of_flow
from content.sms import expected_length, parts_text, text_problems
from content.tree import known_tree
from core.kinds import UnknownKind
from crm.criteria.describe import describe
from crm.models import Usage
from flows.checking import check_context
from flows.document import FlowDocument, FlowSettings, StepNode
from flows.models import Flow, FlowRevision
from flows.queries import NeverSaved, newest_document
from flows.steps.base import CheckContext
from flows.steps.send_sms import text_summary
from flows.success.table import SUCCESS_KINDS
from flows.timeframe import timeframe_words
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import FlowProblem, problems
from participants.models import HeldStep
from participants.queries import step_titles


@dataclass(frozen=True, slots=True)
class Held:
    """A step whose people are held for a cause common to all."""

    title: str
    cause: str
    since: dt.datetime
    retry_at: dt.datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Summary:
    """A flow's document in words, and what holds it."""

    triggers: Sequence[str]
    filter: str
    success: Sequence[str]
    exclusions: Sequence[str]
    moved_from: Sequence[str]
    settings: FlowSettings
    subscription: str
    timeframe: str
    step_count: int
    revision: FlowRevision | None
    draft_differs: bool
    held: Sequence[Held]


def document_of(flow: Flow) -> FlowDocument:
    """Return what the flow does: its newest revision, or its draft while nothing is saved."""
    try:
        return newest_document(flow.pk)
    except NeverSaved:
        return FlowDocument.model_validate(flow.draft)


def summary_of(flow: Flow) -> Summary:
    """Return the Summary tab. About fifteen queries, whatever the flow's size."""
    document = document_of(flow)
    names = check_context(document)
    settings = document.settings
    return Summary(
        triggers=[_trigger(trigger, names) for trigger in document.triggers],
        filter=describe(document.filter) if document.filter and not document.filter.is_empty else "",
        success=[_success(criterion, names) for criterion in document.success],
        exclusions=[names.name("selection", pk) or "a deleted selection" for pk in settings.exclusions],
        moved_from=[names.name("flow", pk) or "a deleted flow" for pk in settings.remove_from_flows],
        settings=settings,
        subscription=names.name("subscription_type", settings.messages.subscription_type) or "",
        timeframe=timeframe_words(settings.messages.timeframe),
        step_count=sum(1 for _ in document.walk()),
        revision=FlowRevision.objects.select_related("created_by")
        .defer("document")
        .filter(flow=flow, number=flow.revision)
        .first(),
        draft_differs=FlowDocument.model_validate(flow.draft) != document,
        held=held_steps(flow.pk),
    )


def _trigger(trigger: object, names: CheckContext) -> str:
    try:
        return TRIGGER_KINDS[trigger.kind].summary(trigger, names)  # type: ignore[attr-defined, arg-type]
    except (UnknownKind, ValueError):
        return "A trigger that this version does not know"


def _success(criterion: object, names: CheckContext) -> str:
    try:
        return SUCCESS_KINDS[criterion.kind].summary(criterion, names)  # type: ignore[attr-defined, arg-type]
    except (UnknownKind, ValueError):
        return "A criterion that this version does not know"


def held_steps(flow_id: int) -> list[Held]:
    """Return the steps whose people are held, with the cause; two queries."""
    rows = list(HeldStep.objects.filter(flow_id=flow_id).order_by("since"))
    titles = step_titles([flow_id]) if rows else {}
    return [Held(titles.get(r.step_id, "A step"), r.cause, r.since, r.retry_at, r.attempts) for r in rows]


def start_problems(flow: Flow, *, now: dt.datetime) -> list[FlowProblem]:
    """Return what stands between the flow and its start, errors first."""
    if not flow.revision:
        return [
            FlowProblem("", "Flow", "Save the flow before you start it"),
            *problems(document_of(flow), now=now, flow_id=flow.pk),
        ]
    return problems(newest_document(flow.pk), now=now, flow_id=flow.pk)


@dataclass(frozen=True, slots=True)
class ContentRow:
    """An email of the flow and the steps that send it."""

    email: EmailChoice
    steps: Sequence[str]


def content_of(flow: Flow) -> list[ContentRow]:
    """Return the emails that belong to the flow or that its steps send, by name; two queries."""
    steps: dict[int, list[str]] = {}
    for node in document_of(flow).walk():
        email = node.settings.get("email") if node.kind == "send_email" else None
        if isinstance(email, int):
            steps.setdefault(email, []).append(node.title or "Send email")
    return [ContentRow(email, steps.get(email.id, [])) for email in emails_of_flow(flow.pk, used=list(steps))]


@dataclass(frozen=True, slots=True)
class SmsRow:
    """A step that sends an SMS, how its text begins, and how long it is."""

    step_id: uuid.UUID
    title: str
    text: str
    length: str
    is_ready: bool


def sms_of(flow: Flow) -> list[SmsRow]:
    """Return the SMS of the flow in the order of its steps; two queries where there are any, for the merge tags."""
    nodes = [node for node in document_of(flow).walk() if node.kind == "send_sms"]
    tree = known_tree() if nodes else None
    rows = []
    for node in nodes:
        text = str(node.settings.get("text", ""))
        is_ready = tree is not None and not text_problems(text, tree=tree)
        words = text_summary(text)
        rows.append(
            SmsRow(node.id, node.title or "Send SMS", words, parts_text(expected_length(text)), is_ready)
        )
    return rows


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form that the flow uses, and where."""

    id: int
    name: str
    is_open: bool
    answers: int
    waiting: int
    places: Sequence[str]


def forms_of(flow: Flow) -> list[FormRow]:
    """Return the forms that the saved flow or its draft uses, by name, with how many submissions need processing; three
    queries."""
    places: dict[int, list[str]] = {}
    uses = Usage.objects.filter(user_kind="flow", user_id=flow.pk, used_kind="form").order_by("place")
    for form_id, place in uses.values_list("used_id", "place"):
        if place not in places.setdefault(form_id, []):
            places[form_id].append(place)
    counts = {
        form_id: (answers, waiting)
        for form_id, answers, waiting in FormSubmission.objects.filter(form_id__in=list(places))
        .order_by()
        .values_list("form_id")
        .annotate(came=Count("pk"), waiting=Count("pk", filter=Q(status=FormSubmission.Status.SUBMITTED)))
    }
    forms = Form.objects.filter(pk__in=list(places), deleted_at=None).order_by("name", "pk")
    return [
        FormRow(one.pk, one.name, one.is_open, *counts.get(one.pk, (0, 0)), places[one.pk]) for one in forms
    ]


def nodes_by_id(document: FlowDocument) -> Mapping[object, StepNode]:
    """Return the document's steps by id."""
    return {node.id: node for node in document.walk()}
