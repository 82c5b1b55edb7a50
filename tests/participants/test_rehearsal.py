"""A rehearsal with one contact: the engine's own way through the draft, told with reasons, and nothing kept of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest

from crm.models import Contact, Event
from delivery.models import Message
from flows.checking import check_context
from flows.document import Branch, ExitSettings, StepNode, Timeframe
from flows.models import Flow, FlowRevision
from flows.operations.drafts import draft_of
from flows.steps.split import form_data
from flows.steps.split.answers import Line, as_settings
from participants.models import Participant, Visit
from participants.rehearsal import Rehearsal, ask, rehearse
from tests.participants.conftest import DAY, NOW, World, send, update, wait, when
from tests.participants.test_splits import acts, split
from tests.participants.test_waits import wait_for
from tests.support.database_facts import fingerprint


def go(
    world: World,
    flow: Flow,
    contact: Contact,
    given: Mapping[str, str] = {},
    *,
    at: dt.datetime | None = None,
) -> Rehearsal:
    """Rehearse the draft; `given` are answers by name."""
    document = draft_of(flow)
    asked = ask(document, check_context(document), given)
    return rehearse(
        flow=flow,
        document=document,
        contact=contact,
        actor=world.user,
        now=at or world.now,
        assumed=asked.assumed,
    )


def way(went: Rehearsal) -> list[tuple[int, str, str]]:
    """Return the visits as (day, title, ending)."""
    return [(stop.day, stop.visit.title, stop.visit.ending) for stop in went.stops]


def fork() -> StepNode:
    """Return a split on the category."""
    customers = Branch(
        name="Customers",
        criteria=when("contact.job_title", "is", "Chef"),
        steps=(wait(1, title="Customer's wait"),),
    )
    return StepNode(
        kind="split",
        title="Fork",
        settings={"based_on": "contact"},
        branches=(customers, Branch(name="Everyone else", exit=ExitSettings())),
    )


def test_a_contact_goes_through_the_draft_by_the_clock_with_every_mail_and_nothing_is_kept(
    world: World,
) -> None:
    anna, email = world.contact("Anna"), world.email("Welcome")
    flow = world.flow(
        send(email, "Hello"),
        wait(3, title="Three days"),
        update("contact.job_title", "set", "Chef"),
        split("contact"),
        wait(1, title="Last"),
        status="not_running",
    )
    before = fingerprint(world.tenant.pk)
    went = go(world, flow, anna)
    assert fingerprint(world.tenant.pk) == before
    assert [(day, title) for day, title, _ in way(went)] == [
        (0, "Hello"),
        (0, "Three days"),
        (3, "Update"),
        (3, "Split"),
        (3, "Last"),
    ]
    assert (went.day, went.stopped, went.story.participant.status) == (4, "", "finished")
    letters = {stop.visit.title: stop.letter for stop in went.stops if stop.letter}
    assert list(letters) == ["Hello"]
    hello = letters["Hello"]
    assert hello is not None
    assert (hello.subject, hello.html) == ("Welcome", "<p>Welcome</p>")
    assert went.would_enter
    assert went.trail.finish is not None
    assert not any(model.objects.exists() for model in (Participant, Visit, Message))
    assert not FlowRevision.objects.filter(flow=flow, number__lt=0).exists()
    assert Contact.objects.get(pk=anna.pk).job_title == ""


def test_a_split_says_which_branch_and_why_and_an_exit_ends_it(world: World) -> None:
    anna, berta = world.contact("Anna"), world.contact("Berta", job_title="Chef")
    flow = world.flow(fork(), wait(2, title="After"), status="not_running")
    went = go(world, flow, berta)
    taken = [(branch.name, branch.result) for branch in went.stops[0].visit.branches]
    assert ("Customers", "taken") in taken
    assert [title for _, title, _ in way(went)] == ["Fork", "Customer's wait", "After"]
    assert went.day == 3
    went = go(world, flow, anna)
    assert [title for _, title, _ in way(went)] == ["Fork"]
    assert (went.story.participant.status, went.story.participant.drop_reason) == ("dropped", "no_branch")


def test_a_reply_in_a_wait_counts_only_before_its_end(world: World) -> None:
    anna = world.contact("Anna")
    node = wait_for(amount=2, unit="days", exits=True)
    flow = world.flow(node, wait(1, title="Next"), status="not_running")
    silent = go(world, flow, anna)
    assert (silent.day, silent.story.participant.drop_reason) == (2, "no_reply")
    name, after = f"wait-{node.id}", f"after-{node.id}"
    answered = go(world, flow, anna, {name: "0", after: "day"})
    assert [(day, title) for day, title, _ in way(answered)] == [(0, "Answer?"), (1, "Next")]
    assert answered.story.participant.status == "finished"
    late = go(world, flow, anna, {name: "0", after: "week"})
    assert late.story.participant.drop_reason == "no_reply"
    assert not Event.objects.filter(kind="outside").exists()


def test_criteria_of_a_wait_come_true_where_that_is_assumed(world: World) -> None:
    anna = world.contact("Anna")
    criteria = when("contact.job_title", "is", "Chef").model_dump(mode="json")
    node = wait_for(actions=[], criteria=criteria, limited=False)
    flow = world.flow(node, status="not_running")
    assert "Waits for ever" in go(world, flow, anna).stopped
    went = go(world, flow, anna, {f"wait-{node.id}": "criteria", f"after-{node.id}": "days"})
    assert (went.day, went.stopped, went.story.participant.status) == (3, "", "finished")


def test_what_somebody_did_decides_a_split_by_the_engine(world: World) -> None:
    anna = world.contact("Anna")
    node = split("clicked", acts({"kind": "email_link"}), acts({"kind": "link", "id": 3}))
    flow = world.flow(node, status="not_running")
    answers = {"": "Everyone else", "0": "A", "1": "B", "7": "Everyone else", "x": "Everyone else"}
    for answer, branch in answers.items():
        went = go(world, flow, anna, {f"split-{node.id}": answer})
        taken = next(one.name for one in went.stops[0].visit.branches if one.result == "taken")
        assert taken == branch, answer


def test_the_answers_of_a_form_decide_a_split(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = world.contact("Anna")
    monkeypatch.setattr(form_data, "_labels", lambda form: {"size": "Company size"})
    lines = as_settings([Line(field="size", operator="greater", value="50")])
    node = split("form_data", lines)
    node = node.model_copy(update={"settings": {"based_on": "form_data", "form": 7}})
    flow = world.flow(node, status="not_running")
    for answer, branch in {"": "Everyone else", "200": "A", "20": "Everyone else"}.items():
        went = go(world, flow, anna, {f"answer-{node.id}-size": answer})
        taken = next(one.name for one in went.stops[0].visit.branches if one.result == "taken")
        assert taken == branch, answer


def test_guards_hold_back_and_a_timeframe_moves_the_mail_to_its_window(world: World) -> None:
    email = world.email()
    silent = world.contact("Silent", consent=None)
    frame = Timeframe(weekdays=(0, 1, 2, 3, 4), start=dt.time(8), to=dt.time(17))
    flow = world.flow(send(email, "Hello"), status="not_running")
    assert go(world, flow, silent).story.participant.drop_reason == "no_consent"
    document = draft_of(flow)
    messages = document.settings.messages.model_copy(update={"timeframe": frame})
    settings = document.settings.model_copy(update={"messages": messages})
    flow.draft = document.model_copy(update={"settings": settings}).model_dump(mode="json")
    saturday = NOW + 5 * DAY
    went = go(world, flow, world.contact("Anna"), at=saturday)
    assert saturday.strftime("%A") == "Saturday"
    assert (went.day, went.story.participant.status) == (2, "finished")


def test_a_step_that_cannot_be_done_stops_the_rehearsal_there(world: World) -> None:
    unfinished = StepNode(kind="send_email", title="Hello", settings={})
    flow = world.flow(wait(1), unfinished, wait(1, title="Never"), status="not_running")
    went = go(world, flow, world.contact("Anna"))
    assert went.held_at == unfinished.id
    assert "has no content that can be sent" in went.stopped
    assert went.day == 1


def test_whoever_is_inside_already_is_left_there_and_whoever_would_not_enter_is_told(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(wait(5), filter=when("contact.job_title", "is", "Chef"))
    Flow.objects.filter(pk=flow.pk).update(draft=draft_of(flow).model_dump(mode="json"))
    world.suggest(world.flow(wait(1), name="Other"), anna)
    went = go(world, flow, anna)
    assert not went.would_enter
    assert "Job title" in went.verdict
    open_flow = world.flow(wait(5), name="Open")
    world.suggest(open_flow, anna)
    world.advance(open_flow)
    before = fingerprint(world.tenant.pk)
    again = go(world, open_flow, anna)
    assert fingerprint(world.tenant.pk) == before
    assert (again.day, again.would_enter) == (5, False)
    assert world.one(open_flow, anna).status == "active"


def test_a_long_flow_that_never_ends_is_left_after_some_years(world: World) -> None:
    flow = world.flow(*[wait(3650, title=str(number)) for number in range(3)], status="not_running")
    went = go(world, flow, world.contact("Anna"))
    assert went.stopped == "Is still inside after five years of the clock."


def test_an_empty_flow_finishes_at_once(world: World) -> None:
    flow = world.flow(status="not_running")
    went = go(world, flow, world.contact("Anna"))
    assert (way(went), went.story.participant.status) == ([], "finished")
