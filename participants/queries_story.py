"""One participant's story: every visit in order, why they came, what happened, why they left, what comes next.

Each visit is told by the revision it ran with. The number of queries does not grow with the visits.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.kinds import UnknownKind
from crm.criteria.describe import describe_all
from delivery.models import Message
from delivery.reasons import Fate, fates_of
from flows.checking import check_context
from flows.document import FlowDocument, StepNode
from flows.models import Flow
from flows.queries import NeverSaved, revision_document
from flows.steps.base import CheckContext, StepKind
from flows.steps.split.answers import ANSWERS
from flows.steps.table import STEP_KINDS
from participants.branches_judged import BranchJudged, Looked, judged_branches, looked_by_branch
from participants.checks_told import Check, checks_of
from participants.models import Participant, Suggestion, Visit
from participants.queries import (
    ParticipantRow,
    VersionNames,
    name_of,
    step_titles,
    version_names,
    with_details,
)
from participants.queries_names import names_of
from participants.why_success import CriterionSeen, success_seen
from participants.words import (
    Names,
    drop_sentence,
    duration,
    ending_words,
    mentioned,
    moment_words,
    source_words,
    verdict_sentence,
)
from participants.words_visit import told_of

MOST_VISITS = 500


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What was sent at a visit."""

    id: int
    subject: str
    email_name: str
    to_address: str
    status: str
    status_label: str
    reason: str
    waits_until: dt.datetime | None
    queued_at: dt.datetime
    handed_at: dt.datetime | None
    opened_at: dt.datetime | None
    clicked_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class StoryVisit:
    """One stay at a step."""

    number: int
    step_id: uuid.UUID
    branch_id: uuid.UUID | None
    how: str
    title: str
    kind_label: str
    icon: str
    family: str
    summary: str
    revision: int
    came_at: dt.datetime
    went_at: dt.datetime | None
    state: str  # here | went_on | left
    ending: str
    detail: str
    told: Sequence[str]
    stayed: str
    checks: Sequence[Check]
    branches: Sequence[BranchJudged]
    message: SentMessage | None


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that a participant's page tells."""

    row: ParticipantRow
    came_by: str
    verdict: str
    suggested_at: dt.datetime | None
    visits: Sequence[StoryVisit]
    why_left: str
    next: str
    next_at: tuple[str, dt.datetime] | None
    lasted: str
    success: Sequence[CriterionSeen] = ()

    @property
    def participant(self) -> Participant:
        """The participant itself."""
        return self.row.participant


@dataclass(frozen=True, slots=True)
class _Told:
    """What the visits of one revision are told with."""

    document: FlowDocument
    context: CheckContext
    branch_words: Mapping[uuid.UUID, str]
    looked: Looked


def story_of(*, flow: Flow, participant: Participant, now: dt.datetime) -> Story:
    """Return a participant's whole story; the newest MOST_VISITS visits where there are more."""
    visits = list(
        Visit.objects.filter(enrolled_on=participant.enrolled_on, participant_id=participant.pk).order_by(
            "-number"
        )[:MOST_VISITS]
    )[::-1]
    suggestion = (
        Suggestion.objects.filter(pk=participant.suggestion_id).first() if participant.suggestion_id else None
    )
    names = names_of(
        [
            *mentioned(participant.drop_values),
            *(pair for visit in visits for pair in mentioned(visit.values)),
            *_of_suggestion(suggestion),
        ]
    )
    told = {number: _told(flow.pk, number) for number in {visit.revision for visit in visits}}
    titles = step_titles([flow.pk])
    messages = _messages(participant, now)
    return Story(
        row=with_details([participant])[0],
        came_by=came_by(suggestion, participant.source, names),
        verdict=verdict_sentence(suggestion.verdict) if suggestion else "",
        suggested_at=suggestion.at if suggestion else None,
        visits=[
            _visit(
                visit, participant, told[visit.revision], titles.get(visit.step_id, ""), messages, names, now
            )
            for visit in visits
        ],
        why_left=why_left(participant, names),
        next=next_words(
            flow, participant, titles.get(participant.step_id, "") if participant.step_id else "", now
        ),
        next_at=next_at(flow, participant, now),
        lasted=duration((participant.ended_at or now) - participant.enrolled_at),
        success=success_seen(flow=flow, participant=participant, now=now),
    )


def came_by(suggestion: Suggestion | None, source: str, names: Names) -> str:
    """Say by which road the contact came, and through whom."""
    words = source_words(suggestion.source if suggestion else source).capitalize()
    if suggestion is None:
        return words
    if suggestion.source == "selection" and suggestion.source_id:
        words = f"Added from the selection {names.of('selection', suggestion.source_id)}"
    elif suggestion.source == "onward" and suggestion.source_id:
        words = f"Sent on by the flow {names.of('flow', suggestion.source_id)}"
    if suggestion.actor_id:
        words += f" by {names.of('user', suggestion.actor_id).strip('“”')}"
    return words


def _of_suggestion(suggestion: Suggestion | None) -> list[tuple[str, int]]:
    if suggestion is None:
        return []
    found = [*mentioned(suggestion.values)]
    if suggestion.actor_id:
        found.append(("user", suggestion.actor_id))
    if suggestion.source_id and suggestion.source in {"selection", "onward"}:
        found.append(("selection" if suggestion.source == "selection" else "flow", suggestion.source_id))
    return found


def why_left(participant: Participant, names: Names) -> str:
    """Say why a participant is not in the flow any more; empty while active."""
    match participant.status:
        case Participant.Status.DROPPED:
            return drop_sentence(participant.drop_reason, participant.drop_values, names)
        case Participant.Status.SUCCESS:
            return "Met a success criterion and finished."
        case Participant.Status.FINISHED:
            return "Came to Finish without meeting a success criterion."
        case Participant.Status.CANCELLED:
            return "The flow was ended while they were in it."
    return ""


def next_words(flow: Flow, participant: Participant, step_title: str, now: dt.datetime) -> str:
    """Say what an active participant waits for; empty for one who left. Times are told by the template."""
    where = f" on “{step_title}”" if step_title else ""
    if participant.status != Participant.Status.ACTIVE:
        words = ""
    elif flow.status == Flow.Status.PAUSED:
        words = f"Stands{where} while the flow is paused; waiting clocks keep running."
    elif flow.starts_at and now < flow.starts_at:
        words = "Waits for the flow's start time."
    elif participant.held_reason:
        words = f"Held{where}: {participant.held_reason.rstrip('.')}."
    elif participant.due_at is None:
        words = f"Waits{where} until something happens."
    elif participant.due_at <= now:
        words = "Moves on in the next moments."
    else:
        words = f"Waits{where}."
    return words


def next_at(flow: Flow, participant: Participant, now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """Return the moment that belongs to `next_words`, with its word."""
    if participant.status != Participant.Status.ACTIVE:
        return None
    if flow.status == Flow.Status.PAUSED:
        return "Paused since", flow.status_since
    if flow.starts_at and now < flow.starts_at:
        return "Starts", flow.starts_at
    return ("Next", participant.due_at) if participant.due_at else None


def _told(flow_id: int, revision: int) -> _Told | None:
    try:
        document = revision_document(flow_id, revision)
    except NeverSaved:
        return None
    names = check_context(document)
    asking = [(node, branch) for node in document.walk() for branch in node.branches[:-1]]
    by_criteria = [branch for _, branch in asking if branch.criteria is not None]
    texts = describe_all([branch.criteria for branch in by_criteria if branch.criteria is not None])
    words = {branch.id: STEP_KINDS[node.kind].branch_summary(node, branch, names) for node, branch in asking}
    words |= dict(zip((branch.id for branch in by_criteria), texts, strict=True))
    return _Told(document, names, words, looked_by_branch(document))


def _messages(participant: Participant, now: dt.datetime) -> dict[int, SentMessage]:
    """Return what was sent, by visit number; four queries at most."""
    sent = list(Message.objects.filter(enrolled_on=participant.enrolled_on, participant_id=participant.pk))
    names, fates = version_names(sent), fates_of(sent, now=now)
    return {
        message.visit_number: _sent(message, names, fates.get(message.pk, Fate()))
        for message in sent
        if message.visit_number is not None
    }


def _sent(message: Message, names: VersionNames, fate: Fate) -> SentMessage:
    subject, email_name = name_of(message, names)
    return SentMessage(
        id=message.pk,
        subject=subject,
        email_name=email_name,
        to_address=message.to_address,
        status=message.status,
        status_label=str(Message.Status(message.status).label),
        reason=fate.words,
        waits_until=fate.until,
        queued_at=message.queued_at,
        handed_at=message.handed_at,
        opened_at=message.first_opened_at,
        clicked_at=message.first_clicked_at,
    )


def _visit(
    visit: Visit,
    participant: Participant,
    told: _Told | None,
    title: str,
    messages: Mapping[int, SentMessage],
    names: Names,
    now: dt.datetime,
) -> StoryVisit:
    node = told.document.step(visit.step_id) if told else None
    kind = _kind(node)
    is_here = visit.ended == "" and participant.status == Participant.Status.ACTIVE
    return StoryVisit(
        number=visit.number,
        step_id=visit.step_id,
        branch_id=visit.branch_id,
        how=visit.how,
        title=(node.title if node else "") or title or "Removed step",
        kind_label=kind.label if kind else "",
        icon=kind.icon if kind else "circle",
        family=kind.family if kind else "data",
        summary=kind.summary(node, told.context) if kind and node and told else "",
        revision=visit.revision,
        came_at=visit.came_at,
        went_at=visit.went_at,
        state="here" if is_here else (visit.ended or "left"),
        ending="Here now" if is_here else ending_words(visit.ended, visit.how),
        detail=_detail(visit, names),
        told=told_of(visit, node, told.context if told else None, names),
        stayed=duration((visit.went_at or now) - visit.came_at),
        checks=checks_of(visit, kind),
        branches=judged_branches(visit, node, told.branch_words, told.looked) if node and told else (),
        message=messages.get(visit.number),
    )


def _kind(node: StepNode | None) -> StepKind | None:
    try:
        return STEP_KINDS[node.kind] if node else None
    except UnknownKind:
        return None


def _detail(visit: Visit, names: Names) -> str:
    """Say why a visit ended otherwise than by the plain way, or what its step noted."""
    seen = dict(visit.values or {})
    if note := seen.get("note"):
        return str(note)
    if met := seen.get("success_at"):
        return f"Success was met on {moment_words(met)}."
    if left := seen.get("left_out"):
        told = [str(one) if "(" in str(one) else f"{one} (the contact has no company)" for one in left]
        return f"Not changed: {', '.join(told)}."
    if (answers := _answers(seen)) and visit.how not in Participant.DropReason.values:
        return answers
    if visit.how == "skipped":
        return drop_sentence(str(seen.pop("reason", "")), seen, names)
    return drop_sentence(visit.how, visit.values, names) if visit.how in Participant.DropReason.values else ""


def _answers(seen: Mapping[str, Any]) -> str:
    """Say which answers of a form decided a split; older visits kept the only one."""
    if "answer" in seen:
        return f"The answer was “{seen['answer']}”."
    found = seen.get(ANSWERS)
    if not found:
        return ""
    told = "; ".join(f"{question}: {f'“{value}”' if value else 'none'}" for question, value in found)
    return f"{'Answer' if len(found) == 1 else 'Answers'} seen: {told}."
