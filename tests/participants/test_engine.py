"""The engine moves participants exactly as the document says, keeps one visit a step, and tells why."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.models import Contact, SubscriptionOptOut
from delivery.models import Message
from flows.document import Branch, ExitSettings, Finish, FlowDocument, StepNode, SuccessCriterion
from flows.models import Flow
from flows.steps.base import Cohort, Outcomes, StepContext
from flows.steps.table import STEP_KINDS
from participants import counters
from participants.models import HeldStep, Participant, Visit
from tests.participants.conftest import DAY, NOW, World, send, update, wait, when


def split(*branches: Branch, title: str = "Split") -> StepNode:
    """Return a split on contact data."""
    return StepNode(kind="split", title=title, branches=branches)


def test_a_participant_walks_every_step_and_finishes(world: World) -> None:
    anna = world.contact("Anna", job_title="Engineer")
    engineers = Branch(name="Engineers", criteria=when("contact.job_title", "contains", "engineer"))
    flow = world.flow(
        update("contact.job_title", "set", "Chief engineer"), split(engineers, Branch()), send(world.email())
    )
    world.suggest(flow, anna)

    result = world.advance(flow)

    person = world.one(flow, anna)
    assert (person.status, person.visit_number, person.ended_at, person.step_id) == ("finished", 3, NOW, None)
    assert world.path(person) == [
        ("Update", "went_on", ""),
        ("Split", "went_on", ""),
        ("Send", "went_on", ""),
    ]
    assert (result.claimed, result.steps, result.messages) == (1, 3, 1)
    assert Contact.objects.get(pk=anna.pk).job_title == "Chief engineer"
    assert world.messages() == [("anna@post.test", "queued")]
    message = Message.objects.get()
    assert (message.participant_id, message.visit_number, message.enrolled_on) == (person.pk, 3, NOW.date())
    assert person.last_message_id == message.pk


def test_a_wait_holds_until_its_moment_and_not_before(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(wait(2), send(world.email()))
    world.suggest(flow, anna)

    world.advance(flow)
    person = world.one(flow, anna)
    assert (person.waiting, person.due_at, person.waits_until) == (True, NOW + 2 * DAY, NOW + 2 * DAY)
    assert world.path(person) == [("Wait", "", "")]
    assert world.advance(flow, days=1.99).claimed == 0

    assert world.advance(flow, days=0.02).claimed == 1
    assert world.path(world.one(flow, anna)) == [("Wait", "went_on", ""), ("Send", "went_on", "")]
    visit = Visit.objects.get(number=1)
    assert (visit.came_at, visit.went_at) == (NOW, world.now)


def test_the_leftmost_branch_that_holds_wins_and_everyone_else_exits_into_a_selection(world: World) -> None:
    both = world.contact("Both", job_title="Engineer", country="NO")
    second = world.contact("Second", job_title="Baker", country="NO")
    other = world.contact("Other", job_title="Baker", country="DE")
    left_over = world.selection("Left over")
    node = split(
        Branch(
            name="Engineers",
            criteria=when("contact.job_title", "contains", "ENGINEER"),
            steps=(wait(1, title="A"),),
        ),
        Branch(
            name="Nordic", criteria=when("contact.country", "one_of", "NO", "SE"), steps=(wait(1, title="B"),)
        ),
        Branch(exit=ExitSettings(selection=left_over.pk)),
    )
    flow = world.flow(node, send(world.email()))
    world.suggest(flow, both, second, other)

    world.advance(flow)

    assert world.path(world.one(flow, both)) == [("Split", "went_on", ""), ("A", "", "")]
    assert world.path(world.one(flow, second)) == [("Split", "went_on", ""), ("B", "", "")]
    gone = world.one(flow, other)
    assert (gone.status, gone.drop_reason) == ("dropped", "no_branch")
    assert world.path(gone) == [("Split", "left", "no_branch")]
    assert list(left_over.members.values_list("contact_id", flat=True)) == [other.pk]

    world.advance(flow, days=1)
    assert world.messages() == [("both@post.test", "queued"), ("second@post.test", "queued")]


def test_an_exit_after_the_steps_of_a_branch_drops_out_from_the_last_of_them(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(
        split(Branch(steps=(update("contact.job_title", "set", "Left", title="Last"),), exit=ExitSettings()))
    )
    world.suggest(flow, anna)

    world.advance(flow)

    assert world.path(world.one(flow, anna)) == [("Split", "went_on", ""), ("Last", "left", "no_branch")]


def test_success_moves_to_finish_at_once_where_the_flow_says_so(world: World) -> None:
    anna = world.contact("Anna")
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(wait(1), send(world.email()), success=(won,), settings={"move_to_finish": True})
    world.suggest(flow, anna)
    world.advance(flow)
    Contact.objects.filter(pk=anna.pk).update(category=world.customer)

    world.advance(flow, days=1)

    person = world.one(flow, anna)
    assert (person.status, person.success_at, person.drop_reason) == ("success", world.now, "")
    assert world.path(person) == [("Wait", "left", "success")]
    assert world.messages() == []


def test_success_without_move_to_finish_goes_on_and_counts_at_finish(world: World) -> None:
    anna, ben = world.contact("Anna", category=world.customer), world.contact("Ben")
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(send(world.email()), success=(won,))
    world.suggest(flow, anna, ben)

    world.advance(flow)

    assert (world.one(flow, anna).status, world.one(flow, ben).status) == ("success", "finished")
    assert world.messages() == [("anna@post.test", "queued"), ("ben@post.test", "queued")]
    counts = counters.flow_counts([flow.pk])[flow.pk]
    assert (counts["enrolled"], counts["success"], counts["finished"], counts["success_met"]) == (2, 1, 1, 1)


def test_finish_adds_to_a_selection_for_success_and_for_none(world: World) -> None:
    anna, ben = world.contact("Anna", category=world.customer), world.contact("Ben")
    won, lost = world.selection("Won"), world.selection("Lost")
    flow = world.flow(
        success=(
            SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk)),
        ),
        finish=Finish(success=ExitSettings(selection=won.pk), no_success=ExitSettings(selection=lost.pk)),
    )
    world.suggest(flow, anna, ben)

    world.advance(flow)

    # A state counts at enrolment, so also in a flow that has no step before which it could be judged.
    assert list(won.members.values_list("contact_id", flat=True)) == [anna.pk]
    assert list(lost.members.values_list("contact_id", flat=True)) == [ben.pk]


@pytest.mark.parametrize("status", ["paused", "not_running"])
def test_nobody_moves_in_a_flow_that_is_not_running(world: World, status: str) -> None:
    flow = world.flow(send(world.email()), status="running")
    world.suggest(flow, world.contact("Anna"))
    Flow.objects.filter(pk=flow.pk).update(status=status)

    assert world.advance(flow).claimed == 0
    assert world.messages() == []


def test_nobody_moves_before_the_start_time(world: World) -> None:
    flow = world.flow(send(world.email()))
    Flow.objects.filter(pk=flow.pk).update(starts_at=NOW + DAY)
    world.suggest(flow, world.contact("Anna"))

    assert world.advance(flow).claimed == 0
    assert world.advance(flow, days=1).claimed == 1


def test_a_small_batch_leaves_the_rest_due_and_nobody_is_moved_twice(world: World) -> None:
    people = [world.contact(f"P{number}") for number in range(25)]
    flow = world.flow(send(world.email()))
    world.suggest(flow, *people)

    assert [world.advance(flow, limit=10).claimed for _ in range(4)] == [10, 10, 5, 0]
    assert len(world.messages()) == 25
    assert Message.objects.values("contact_id").distinct().count() == 25


def test_every_step_adds_up(world: World) -> None:
    people = [world.contact(f"P{number}", country="NO" if number % 3 else "DE") for number in range(30)]
    people.append(world.contact("Mute", consent=None))
    node = split(
        Branch(name="Nordic", criteria=when("contact.country", "one_of", "NO")), Branch(exit=ExitSettings())
    )
    flow = world.flow(send(world.email()), node, wait(2))
    world.suggest(flow, *people)
    world.advance(flow)

    titles = {node.title: node.id for node in FlowDocument.model_validate(flow.draft).steps}
    counts = {title: dict(counters.step_counts(flow.pk)[step_id]) for title, step_id in titles.items()}

    assert (counts["Send"]["entered"], counts["Send"]["went_on"], counts["Send"]["left:no_consent"]) == (
        31,
        30,
        1,
    )
    assert (counts["Split"]["entered"], counts["Split"]["went_on"], counts["Split"]["left:no_branch"]) == (
        30,
        20,
        10,
    )
    assert (counts["Wait"]["entered"], counts["Wait"]["here"]) == (20, 20)
    assert counters.fold(tenant_id=world.tenant.pk) > 0
    assert {
        title: dict(counters.step_counts(flow.pk)[step_id]) for title, step_id in titles.items()
    } == counts


def _failing_for(names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    kind = STEP_KINDS["update_contact"]
    real = type(kind).run

    def run(self: object, cohort: Cohort, ctx: StepContext) -> Outcomes:
        found = Contact.objects.filter(pk__in=cohort.contact_ids, first_name__in=names)
        if found.exists():
            ctx.cursor.execute("SELECT 1 / 0")
        return real(kind, cohort, ctx)

    monkeypatch.setattr(type(kind), "run", run)


def test_a_bad_apple_fails_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [world.contact(f"P{number}") for number in range(20)]
    flow = world.flow(update("contact.job_title", "set", "Done"), wait(1))
    world.suggest(flow, *people)
    _failing_for({"P7"}, monkeypatch)

    world.advance(flow)

    bad = world.one(flow, people[7])
    assert (bad.status, bad.drop_reason) == ("dropped", "step_failed")
    assert "division by zero" in (bad.drop_values or {})["error"]
    assert Contact.objects.filter(job_title="Done").count() == 19
    assert Participant.objects.filter(flow_id=flow.pk, status="active").count() == 19


def test_a_step_that_fails_for_everyone_holds_them_and_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [world.contact(f"P{number}") for number in range(20)]
    flow = world.flow(update("contact.job_title", "set", "Done"), wait(1))
    world.suggest(flow, *people)
    with monkeypatch.context() as broken:
        _failing_for({f"P{number}" for number in range(20)}, broken)
        world.advance(flow)

    held = HeldStep.objects.get()
    assert "division by zero" in held.cause
    assert Participant.objects.filter(flow_id=flow.pk, status="active", due_at=held.retry_at).count() == 20
    assert Visit.objects.filter(flow_id=flow.pk, ended="").count() == 20

    world.advance(flow, days=1)
    assert Contact.objects.filter(job_title="Done").count() == 20
    assert not HeldStep.objects.exists()


def test_who_stands_on_a_removed_step_goes_on_with_the_step_that_follows(world: World) -> None:
    anna = world.contact("Anna")
    closed = {"weekdays": (6,), "start": "08:00", "to": "09:00", "workdays_only": False}
    messages = {"subscription_type": world.news.pk, "timeframe": closed}
    held, after = send(world.email(), title="Held"), wait(5, title="After")
    flow = world.flow(held, after, settings={"messages": messages})
    world.suggest(flow, anna)
    world.advance(flow)
    assert world.one(flow, anna).held_reason == "outside the timeframe (Sun, 08:00–09:00; UTC)"

    world.save(flow, FlowDocument(steps=(after,)))
    world.advance(flow, days=6)

    assert world.path(world.one(flow, anna)) == [("Held", "went_on", "removed_step"), ("After", "", "")]
    assert world.messages() == []


def test_the_timeframe_holds_the_mail_until_its_window_and_judges_again_then(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    tuesday = {"weekdays": (1,), "start": "08:00", "to": "17:00", "workdays_only": False}
    flow = world.flow(
        send(world.email()), settings={"messages": {"subscription_type": world.news.pk, "timeframe": tuesday}}
    )
    world.suggest(flow, anna, ben)
    world.advance(flow)
    assert world.one(flow, anna).due_at == dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
    SubscriptionOptOut.objects.create(contact=ben, type=world.news, at=NOW)

    world.now = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
    world.advance(flow)

    assert world.messages() == [("anna@post.test", "queued")]
    assert world.path(world.one(flow, ben)) == [("Send", "left", "unsubscribed")]
    assert Visit.objects.count() == 2
