"""What stands between a document and its start: every problem by name, at the part that mends it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings

from accounts.models import Licence
from core.tenancy import tenant_scope
from delivery.models import SenderDomain
from flows.document import (
    Branch,
    ExitSettings,
    Finish,
    FlowDocument,
    MessageSettings,
    Sender,
    SuccessCriterion,
    Timeframe,
    Trigger,
)
from flows.models import Flow
from flows.validation import errors, problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import CHEFS, job, split, step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def good(world: World, **changes: Any) -> FlowDocument:
    """Return a document that can start, with these changes."""
    document = FlowDocument(
        settings=world.settings(), steps=(step("send_email", "Welcome", email=world.welcome.pk),)
    )
    return document.model_copy(update=changes)


def found(document: FlowDocument) -> list[tuple[str, str]]:
    return [(problem.title, problem.message) for problem in errors(problems(document, now=NOW))]


def with_messages(world: World, **changes: Any) -> FlowDocument:
    settings = world.settings()
    messages = settings.messages.model_copy(update=changes)
    return good(world, settings=settings.model_copy(update={"messages": messages}))


def test_a_flow_with_one_ready_email_and_no_trigger_can_start(world: World) -> None:
    assert problems(good(world), now=NOW) == []


def test_an_empty_flow_has_no_steps(world: World) -> None:
    assert found(good(world, steps=())) == [("Flow", "The flow has no steps yet")]


def test_steps_say_what_they_lack(world: World) -> None:
    nodes = (
        step("send_email", "No email"),
        step("send_email", "Not ready", email=world.unfinished.pk),
        step("send_email", "Deleted", email=999_999),
        step("wait_for_time", "Empty wait"),
        step("update_contact", "No change"),
        step("add_to_selection", "No selection"),
        split(Branch(name="Chefs"), title="No criteria"),
    )
    assert found(good(world, steps=nodes)) == [
        ("No email", "Choose an email"),
        ("Not ready", "The email is not ready: write and save its content"),
        ("Deleted", "The email was deleted: choose another"),
        ("Empty wait", "Say how long to wait"),
        ("No change", "Say what to change"),
        ("No selection", "Choose a selection or a project"),
        ("No criteria", "“Chefs” has no criteria"),
    ]


def test_every_problem_names_the_part_that_opens_it(world: World) -> None:
    wait = step("wait_for_time", "Wait")
    (problem,) = problems(good(world, steps=(wait,)), now=NOW)
    assert (problem.part, problem.place) == (f"step:{wait.id}", "amount")


def test_an_email_makes_the_message_settings_necessary(world: World) -> None:
    bare = with_messages(world, subscription_type=None, sender=Sender())
    assert found(bare) == [
        ("Message settings", "Choose the subscription type of the messages"),
        ("Message settings", "Say which address messages come from"),
    ]
    waiting = good(world, steps=(step(amount=1),))
    without = waiting.settings.model_copy(update={"messages": MessageSettings()})
    assert found(waiting.model_copy(update={"settings": without})) == []


def test_an_address_on_a_domain_that_is_not_verified_is_a_problem(
    world: World, settings: LazySettings
) -> None:
    flow = with_messages(world, sender=Sender(email="news@Mill.test"))
    assert found(flow) == []
    settings.VERIFY_SENDERS = True
    assert found(flow) == [
        ("Message settings", "The domain mill.test is not verified: see Settings › Sender domains")
    ]
    moment = {"added_at": NOW, "checked_at": NOW}
    SenderDomain.objects.create(domain="mill.test", selector="s", is_verified=True, **moment)
    assert found(flow) == []
    SenderDomain.objects.update(is_verified=False)
    assert len(found(flow)) == 1


def test_a_timeframe_without_days_is_a_problem(world: World) -> None:
    assert found(with_messages(world, timeframe=Timeframe(weekdays=()))) == [
        ("Message settings", "Choose the days on which messages may go")
    ]


def test_a_flow_needs_the_licence(world: World) -> None:
    Licence.objects.filter(code="marketing").delete()
    assert found(good(world)) == [
        ("Enrolment settings", "Your licence does not include flows (Marketing Premium)")
    ]


def test_what_was_deleted_is_named_where_it_was_used(world: World) -> None:
    settings = world.settings().model_copy(update={"exclusions": (999_999,), "remove_from_flows": (999_999,)})
    document = good(
        world,
        settings=settings,
        triggers=(Trigger(kind="added_to_selection", settings={"selection": 999_999}),),
        finish=Finish(success=ExitSettings(flow=999_999, selection=999_999)),
    )
    assert found(document) == [
        ("Enrolment settings", "A selection of the exclusion list was deleted"),
        ("Enrolment settings", "A flow that contacts are removed from was deleted"),
        ("Trigger: Added to selection", "The selection was deleted: choose another"),
        ("Finish", "The flow to go on to was deleted"),
        ("Finish", "The selection to add to was deleted"),
    ]


def test_success_criteria_must_say_something(world: World) -> None:
    assert found(good(world, success=(SuccessCriterion(kind="criteria"),))) == [
        ("Success criteria", "Say which criteria make a success")
    ]
    assert found(good(world, success=(SuccessCriterion(kind="criteria", criteria=CHEFS),))) == []


def test_times_that_contradict_each_other_are_a_problem(world: World) -> None:
    settings = world.settings().model_copy(
        update={"starts_at": NOW + dt.timedelta(days=2), "enrolment_ends_at": NOW + dt.timedelta(days=1)}
    )
    assert found(good(world, settings=settings)) == [
        ("Enrolment settings", "Enrolment ends before the flow starts")
    ]


def test_an_onward_flow_that_is_not_running_is_only_a_warning(world: World, flow: Flow) -> None:
    document = good(world, finish=Finish(success=ExitSettings(flow=flow.pk)))
    assert found(document) == []
    (warning,) = problems(document, now=NOW)
    assert (warning.is_warning, warning.message) == (
        True,
        "“Autumn welcome” is not running, so nobody goes on to it",
    )


def test_a_split_whose_branches_all_exit_warns_that_nobody_goes_on(world: World) -> None:
    out = ExitSettings()
    node = split(
        Branch(name="Chefs", criteria=job("chef"), exit=out), otherwise=Branch(name="Rest", exit=out)
    )
    (warning,) = problems(good(world, steps=(node,)), now=NOW)
    assert (warning.is_warning, warning.part) == (True, f"step:{node.id}")


def test_settings_that_no_form_makes_are_problems_too(world: World) -> None:
    node = step("wait_for_time", "Odd", amount="many", nonsense=1)
    places = [(p.place, p.is_warning) for p in problems(good(world, steps=(node,)), now=NOW)]
    assert places == [("amount", False), ("nonsense", False)]


def test_a_document_with_unknown_keys_is_refused() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        FlowDocument.model_validate({"steps": [{"id": str(uuid.uuid4()), "kind": "split", "evil": 1}]})
