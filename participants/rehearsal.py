"""What a rehearsal with one contact asks and shows: what the contact does, the way it goes, the messages it would get.

The engine walks (participants.engine.rehearsing); here it is only asked and put into words."""

from __future__ import annotations

import copy
import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.models import User
from content.rendering import NO_LINKS
from core.db.cursors import raw_cursor
from crm.criteria.describe import describe
from crm.models import Contact
from delivery.models import Message
from delivery.rendering import Rendered, RenderFailed, RenderJob, renderer
from flows.document import FlowDocument, StepNode
from flows.models import Flow
from flows.steps.actions import Happened
from flows.steps.base import CheckContext
from flows.steps.split import basis_of
from flows.steps.split.did import Did, acts_of
from flows.steps.split.form_data import FormData, questions_of
from flows.steps.wait_for_action.settings import WaitForActionSettings
from flows.trail import Trail
from flows.validation import is_valid_settings
from participants.engine.rehearsing import Assumed, Rehearsed, Reply, rehearsed
from participants.models import Participant
from participants.operations.judging import Source, Verdict, judge
from participants.path import path_of
from participants.queries_names import names_of
from participants.queries_story import Story, StoryVisit, story_of
from participants.why_words import sentence_with_values
from participants.words import mentioned

CRITERIA = "criteria"
AFTER = {
    "hour": ("an hour later", dt.timedelta(hours=1)),
    "day": ("a day later", dt.timedelta(days=1)),
    "days": ("three days later", dt.timedelta(days=3)),
    "week": ("a week later", dt.timedelta(weeks=1)),
    "month": ("30 days later", dt.timedelta(days=30)),
}
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked about the contact: at which step, under which name, what may be chosen (none: a text),
    what was, and for waits how long after the arrival."""

    step: StepNode
    name: str
    label: str
    value: str
    options: Options = ()
    after_name: str = ""
    after: str = ""

    @property
    def after_options(self) -> Options:
        """How long after."""
        return [(name, words) for name, (words, _) in AFTER.items()]


@dataclass(slots=True)
class Asked:
    """The questions of a document, with what was answered."""

    questions: list[Question] = field(default_factory=list)
    replies: dict[uuid.UUID, Reply] = field(default_factory=dict)
    did: list[Happened] = field(default_factory=list)

    @property
    def assumed(self) -> Assumed:
        """What the engine is told."""
        return Assumed(self.replies, self.did)


def ask(document: FlowDocument, names: CheckContext, given: Mapping[str, str]) -> Asked:
    """Return what is asked of a document, answered from a query string; what makes no sense there counts as nothing."""
    asked = Asked()
    for node in document.walk():
        if not is_valid_settings(node):
            continue
        if node.kind == "wait_for_action":
            _of_wait(asked, node, names, given)
        elif node.kind == "split" and isinstance(basis_of(node), Did):
            _of_split(asked, node, given)
        elif node.kind == "split" and isinstance(basis_of(node), FormData):
            _of_answers(asked, node, given)
    return asked


def _of_wait(asked: Asked, node: StepNode, names: CheckContext, given: Mapping[str, str]) -> None:
    settings = WaitForActionSettings.model_validate(node.settings)
    name, after_name = f"wait-{node.id}", f"after-{node.id}"
    options = [("", "Nothing"), *((str(n), a.label(names)) for n, a in enumerate(settings.actions))]
    if settings.criteria is not None and not settings.criteria.is_empty:
        options.append((CRITERIA, describe(settings.criteria)))
    value = given.get(name, "") if given.get(name, "") in dict(options) else ""
    after = given.get(after_name, "") if given.get(after_name, "") in AFTER else "hour"
    asked.questions.append(Question(node, name, "What they do here", value, options, after_name, after))
    if value:
        happens = None if value == CRITERIA else settings.actions[int(value)].happened()
        asked.replies[node.id] = Reply(happens, AFTER[after][1])


def _of_split(asked: Asked, node: StepNode, given: Mapping[str, str]) -> None:
    name = f"split-{node.id}"
    branches = [(str(n), branch) for n, branch in enumerate(node.branches[:-1]) if acts_of(branch)]
    options = [("", "Nothing of it"), *((n, f"What “{branch.name}” asks for") for n, branch in branches)]
    value = given.get(name, "") if given.get(name, "") in dict(options) else ""
    asked.questions.append(Question(node, name, "What they did before", value, options))
    if value:
        asked.did.append(acts_of(dict(branches)[value])[0].happened())


def _of_answers(asked: Asked, node: StepNode, given: Mapping[str, str]) -> None:
    answers = {}
    for key, label in questions_of(node):
        name = f"answer-{node.id}-{key}"
        value = given.get(name, "").strip()[:300]
        asked.questions.append(Question(node, name, f"They answered “{label}” with", value))
        if value:
            answers[key] = value
    if answers:
        form = node.settings.get("form")
        asked.did.append(Happened("form.submitted", form, "", {"form": {"answers": answers}}))


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that would go: an email's subject and HTML, or a text."""

    subject: str
    html: str
    text: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit on the way: when by the flow's clock, how many days after the start, and what would be sent."""

    visit: StoryVisit
    at: str
    day: int
    letter: Letter | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Everything that the page shows of one rehearsal."""

    story: Story
    stops: Sequence[Stop]
    trail: Trail
    ended: str
    day: int
    stopped: str
    held_at: uuid.UUID | None
    would_enter: bool
    verdict: str


def rehearse(
    *, flow: Flow, document: FlowDocument, contact: Contact, actor: User, now: dt.datetime, assumed: Assumed
) -> Rehearsal:
    """Let the contact go through the document from `now` on and tell how it went. Nothing is kept of it."""
    would_enter, verdict = _verdict(flow, document, contact, now)
    with rehearsed(
        flow_id=flow.pk, document=document, contact_id=contact.pk, actor=actor, now=now, assumed=assumed
    ) as went:
        story = story_of(flow=went.flow, participant=went.participant, now=went.at)
        letters = _letters(went)
        zone = document.settings.zone
        first = now.astimezone(zone).date()

        def day(at: dt.datetime) -> int:
            return (at.astimezone(zone).date() - first).days

        return Rehearsal(
            story=story,
            stops=[
                Stop(
                    visit, moment_text(visit.came_at, document), day(visit.came_at), letters.get(visit.number)
                )
                for visit in story.visits
            ],
            trail=path_of(story, document, went.flow.revision).trail,
            ended=moment_text(went.participant.ended_at or went.at, document),
            day=day(went.participant.ended_at or went.at),
            stopped=went.stopped,
            held_at=went.held_at,
            would_enter=would_enter,
            verdict=verdict,
        )


def moment_text(at: dt.datetime, document: FlowDocument) -> str:
    """Return a moment as the flow's clocks show it."""
    return at.astimezone(document.settings.zone).strftime("%a %-d %b %Y, %H:%M")


def _verdict(flow: Flow, document: FlowDocument, contact: Contact, now: dt.datetime) -> tuple[bool, str]:
    """Judge as if the flow ran by the draft already."""
    running = copy.copy(flow)
    running.status, running.enrolment_ends_at = Flow.Status.RUNNING, document.settings.enrolment_ends_at
    with raw_cursor() as cursor:
        judged = judge(
            cursor, flow=running, document=document, contact_id=contact.pk, source=Source("manual"), now=now
        )
    verdict, seen = judged or (str(Verdict.FILTER), None)
    values = seen or {}
    return verdict == Verdict.ENROLLED, sentence_with_values(verdict, values, names_of(mentioned(values)))


def _letters(went: Rehearsed) -> dict[int, Letter]:
    """Render what was queued, by visit."""
    person = went.participant
    queued = list(_queued(person))
    results = renderer()(
        [
            RenderJob(
                message_id=message.pk,
                content_version_id=message.content_version_id,
                contact_id=message.contact_id,
                channel=message.channel,
                values=message.values or {},
                links=NO_LINKS,
            )
            for message in queued
        ]
    )
    return {message.visit_number or 0: _letter(results[message.pk]) for message in queued}


def _queued(person: Participant) -> Iterator[Message]:
    yield from Message.objects.filter(enrolled_on=person.enrolled_on, participant_id=person.pk)


def _letter(result: Rendered | RenderFailed) -> Letter:
    if isinstance(result, RenderFailed):
        return Letter("", "", "", result.error)
    return Letter(result.subject, result.html, result.text)
