"""Editing a flow with people inside: what a save says that it does to them, and that the engine then does just that."""

from __future__ import annotations

import datetime as dt

import pytest

from core.jobs import run_slice
from core.models import Job
from crm.models import Contact
from delivery.models import Message
from delivery.reserve import reserve
from flows.document import (
    FlowSettings,
    MessageSettings,
    StepNode,
    SuccessCriterion,
    Timeframe,
)
from flows.editing import steps
from flows.editing.frame import with_settings
from flows.editing.tree import Slot
from flows.effects import Effect, review_of
from flows.models import Flow
from participants.models import CounterDelta, HeldStep, Participant
from participants.operations import judging_success
from tests.participants.conftest import NOW, World, send, update, wait, when
from tests.participants.edits import document, edit, with_step
from tests.participants.test_waits import HOUR, happened, take

NIGHT = Timeframe(weekdays=(0, 1, 2, 3, 4, 5, 6), start=dt.time(2), to=dt.time(3), workdays_only=False)


def test_who_is_held_on_an_email_that_is_removed_goes_on_at_once_and_queued_messages_are_cancelled(
    world: World,
) -> None:
    mail, after = send(world.email()), wait(1, title="After")
    flow = world.flow(mail, after)
    queued = world.contact("Queued")
    world.suggest(flow, queued)
    world.advance(flow)
    night = FlowSettings(messages=MessageSettings(subscription_type=world.news.pk, timeframe=NIGHT))
    edit(world, flow, with_settings(document(flow), settings=night))
    held = world.contact("Held")
    world.suggest(flow, held)
    world.advance(flow)
    where = world.one(flow, held)
    assert (where.step_id, where.waiting) == (mail.id, False), "the message waits for the night"
    HeldStep.objects.create(flow_id=flow.pk, step_id=mail.id, cause="x", since=NOW, retry_at=NOW)

    new = steps.remove(document(flow), step_id=mail.id)
    review = review_of(flow, new)
    assert review is not None
    assert (review.people, review.untouched) == (2, 1)
    assert list(review.effects) == [
        Effect("go on", "Send", "The step is removed: they go on with “After”.", 1, mail.id),  # type: ignore[arg-type]
        Effect("messages", "Send", "1 queued message of this removed step is cancelled."),  # type: ignore[arg-type]
    ]
    edit(world, flow, new)
    world.advance(flow)

    assert world.path(world.one(flow, held)) == [("Send", "went_on", "removed_step"), ("After", "", "")]
    assert list(Message.objects.values_list("status", "reason")) == [("cancelled", "step_removed")]
    assert not HeldStep.objects.exists()


def test_the_timeframe_counts_for_everyone_from_the_save_held_on_a_step_or_queued(world: World) -> None:
    mail = send(world.email())
    flow = world.flow(mail, wait(1, title="After"))
    queued = world.contact("Queued")
    world.suggest(flow, queued)
    world.advance(flow)
    night = FlowSettings(messages=MessageSettings(subscription_type=world.news.pk, timeframe=NIGHT))
    edit(world, flow, with_settings(document(flow), settings=night))
    held = world.contact("Held")
    world.suggest(flow, held)
    world.advance(flow)
    reserve(tenant_id=world.tenant.pk, process=1, now=world.now, limit=10)
    at_night = dt.datetime(2026, 11, 24, 2, 0, tzinfo=dt.UTC)
    assert world.one(flow, held).due_at == at_night
    assert Message.objects.get().send_at == at_night, "the queued one is put off as well"
    retried = Message.objects.create(
        enrolled_on=NOW.date(), stream_id=flow.stream_id, content_version_id=1, to_address="x@post.test",
        queued_at=NOW, send_at=at_night, attempts=2,
    )  # fmt: skip

    always = FlowSettings(messages=MessageSettings(subscription_type=world.news.pk))
    review = review_of(flow, with_settings(document(flow), settings=always))
    assert review is not None
    assert next((e.fate, e.title, e.text, e.people) for e in review.effects) == (
        "new", "Send", "They are tried again by the new timeframe.", 1,
    )  # fmt: skip
    edit(world, flow, with_settings(document(flow), settings=always))
    assert world.one(flow, held).due_at == world.now
    world.advance(flow)
    assert world.path(world.one(flow, held)) == [("Send", "went_on", ""), ("After", "", "")]
    assert [one.send_at for one in Message.objects.exclude(pk=retried.pk)] == [NOW, NOW]
    retried.refresh_from_db()
    assert retried.send_at == at_night, "a retry keeps its time"


def test_a_step_that_is_still_to_be_done_is_tried_anew_with_its_new_settings_and_nothing_else_is(
    world: World,
) -> None:
    empty = StepNode(kind="send_email", title="Empty", settings={})
    flow = world.flow(empty, wait(1, title="After"))
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    until = world.one(flow, anna).due_at
    assert until is not None
    assert until > world.now, "held: the email has no content"
    edit(world, flow, steps.update(document(flow), step_id=empty.id, title="Other", note="", settings={}))
    assert world.one(flow, anna).due_at == until, "only its title is another"
    edit(world, flow, with_step(flow, empty, email=world.email().pk))
    assert world.one(flow, anna).due_at == world.now
    world.advance(flow)
    assert world.path(world.one(flow, anna)) == [("Empty", "went_on", ""), ("After", "", "")]


def test_the_review_says_the_way_on_the_exclusions_and_the_success_and_nothing_where_nobody_is(
    world: World,
) -> None:
    node = wait(5)
    flow = world.flow(node, wait(1, title="After"))
    new = steps.insert(document(flow), slot=Slot(None, 1), node=update("contact.job_title", "set", "x"))
    assert review_of(flow, new) is None, "nobody is inside"
    anna, ben = world.contact("Anna"), world.contact("Ben")
    world.suggest(flow, anna, ben)
    world.advance(flow)
    assert review_of(flow, document(flow)) is None, "nothing changed"
    rivals = world.selection("Rivals", ben)
    settings = new.settings.model_copy(update={"exclusions": (rivals.pk,), "move_to_finish": True})
    criterion = SuccessCriterion(kind="criteria", criteria=when("contact.country", "is_set"))
    new = with_settings(new, settings=settings).model_copy(update={"success": (criterion,)})
    review = review_of(flow, new)
    assert review is not None
    assert [(e.fate.value, e.title, e.text, e.people) for e in review.effects] == [
        ("stay", "Wait", "Then they go on with “Update”, not “After”.", 2),
        (
            "drop",
            "Exclusion list",
            "They are on the exclusion list now and drop out before their next step.",
            1,
        ),
        (
            "new",
            "Success criteria",
            "The new success criteria count for everyone inside. Whoever meets them finishes at once.",
            2,
        ),
    ]
    edit(world, flow, new)
    world.advance(flow, days=5)
    assert world.one(flow, ben).drop_reason == "excluded"
    assert world.path(world.one(flow, anna)) == [
        ("Wait", "went_on", ""),
        ("Update", "went_on", ""),
        ("After", "", ""),
    ]


def test_an_ended_flow_has_nobody_to_review(world: World) -> None:
    node = wait(5)
    flow = world.flow(node)
    world.suggest(flow, world.contact("Anna"))
    world.advance(flow)
    from participants.operations.lifecycle import end_flow

    end_flow(flow_id=flow.pk, actor=world.user, now=world.now)
    assert review_of(flow, with_step(flow, node, amount=1)) is None


def test_new_success_criteria_are_judged_with_the_save_states_now_and_events_since_enrolment(
    world: World,
) -> None:
    flow = world.flow(wait(5))
    anna, ben, cid, dan = (world.contact(name) for name in ("Anna", "Ben", "Cid", "Dan"))
    happened(world, dan, at=NOW - HOUR)  # before the enrolment: counts for nothing
    world.suggest(flow, anna, ben, cid, dan)
    world.advance(flow)
    world.now += HOUR
    happened(world, ben)
    take(world)
    Contact.objects.filter(pk=anna.pk).update(category=world.customer)
    world.now += HOUR
    state = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    event = SuccessCriterion(kind="outside_event", settings={"name": "paid"})
    settings = document(flow).settings.model_copy(update={"move_to_finish": True})
    new = with_settings(document(flow), settings=settings).model_copy(update={"success": (state, event)})

    edit(world, flow, new)

    marks = [world.one(flow, one).success_at for one in (anna, ben, cid, dan)]
    assert marks == [world.now, NOW + HOUR, None, None]
    world.advance(flow)
    ends = [world.one(flow, one).status for one in (anna, ben, cid, dan)]
    assert ends == ["success", "success", "active", "active"]
    counted = CounterDelta.objects.filter(flow_id=flow.pk, measure="success_met")
    assert sum(counted.values_list("amount", flat=True)) == 2


def test_move_to_finish_that_is_new_finishes_whoever_has_the_mark(world: World) -> None:
    state = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.prospect.pk))
    flow = world.flow(wait(5), success=(state,))
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    assert (world.one(flow, anna).status, world.one(flow, anna).success_at) == ("active", NOW)
    settings = document(flow).settings.model_copy(update={"move_to_finish": True})
    world.now += HOUR
    edit(world, flow, with_settings(document(flow), settings=settings))
    world.advance(flow)
    person = world.one(flow, anna)
    assert (person.status, person.success_at, person.ended_at) == ("success", NOW, world.now)


def test_a_large_flow_is_judged_by_a_job_and_an_ended_one_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging_success, "AT_ONCE", 2)
    monkeypatch.setattr(judging_success, "SLICE", 2)
    people = [world.contact(f"P{number}") for number in range(7)]
    flow = world.flow(wait(5))
    world.suggest(flow, *people)
    world.advance(flow)
    state = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.prospect.pk))
    new = document(flow).model_copy(update={"success": (state,)})
    edit(world, flow, new)
    marked = Participant.objects.filter(flow_id=flow.pk, success_at=NOW)
    assert marked.count() == 2
    job = Job.objects.get(kind="judge_success")
    assert run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=NOW)
    assert marked.count() == 4
    Flow.objects.filter(pk=flow.pk).update(status="not_running")
    assert not run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=NOW)
    assert marked.count() == 4
