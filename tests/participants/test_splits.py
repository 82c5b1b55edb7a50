"""What splits are based on: the leftmost branch wins, everyone else is last, and what somebody did counts since they
entered, the event that brought them included."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest

from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, Event, Project, ProjectMember, SelectionMember
from flows.document import Branch, StepNode
from flows.models import Flow
from flows.steps.split.randomly import PARTS, draw
from participants.intake import take_events
from participants.models import Visit
from participants.queries_story import story_of
from tests.participants.conftest import DAY, NOW, World, update, wait

HOUR = dt.timedelta(hours=1)


def split(based_on: str, *asked: dict[str, Any]) -> StepNode:
    """Return a split with a branch for each thing asked, named A, B, …, and everyone else."""
    branches = [Branch(name="ABCDE"[index], settings=settings) for index, settings in enumerate(asked)]
    return StepNode(
        kind="split",
        title="Split",
        settings={"based_on": based_on},
        branches=(*branches, Branch(name="Everyone else")),
    )


def did(contact: Contact, kind: str, *, at: dt.datetime = NOW, **fields: Any) -> None:
    record_events([NewEvent(kind=kind, contact_id=contact.pk, at=at, origin=Origin.LINK, **fields)])


def took(world: World, flow: Flow, contact: Contact) -> str:
    """Return the branch that a contact took."""
    person = world.one(flow, contact)
    visit = Visit.objects.exclude(branch_id=None).get(participant_id=person.pk)
    assert visit.values is not None
    return str(visit.values["branch"])


def acts(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"acts": list(actions)}


def test_links_and_opens_count_since_entering_and_the_leftmost_branch_wins(world: World) -> None:
    offer, other = 7, 8
    node = split(
        "clicked",
        acts({"kind": "url", "email": offer, "url": "https://acme.test/buy"}),
        acts({"kind": "email_link", "email": offer}, {"kind": "link", "id": 3, "email": other}),
        acts({"kind": "email_link"}),
    )
    names = ("Buyer", "Reader", "Linker", "Elsewhere", "Both", "Before", "Nobody")
    people = {name: world.contact(name) for name in names}
    flow = world.flow(wait(1), node)
    did(
        people["Before"],
        "message.clicked",
        at=NOW - HOUR,
        object_id=offer,
        data={"url": "https://acme.test/buy"},
    )
    world.suggest(flow, *people.values())
    world.advance(flow)
    buy: dict[str, Any] = {"object_key": "https://acme.test/buy", "data": {"url": "https://acme.test/buy"}}
    did(people["Reader"], "message.clicked", object_id=offer, object_key="x", data={"url": "x"})
    did(people["Both"], "message.clicked", object_id=offer, object_key="x", data={"url": "x"})
    for name in ("Buyer", "Both"):
        did(people[name], "message.clicked", at=NOW + HOUR, object_id=offer, **buy)
    did(people["Linker"], "link.clicked", object_id=3, data={"link": {"id": 3}, "email": other})
    did(people["Elsewhere"], "link.clicked", object_id=3, data={"link": {"id": 3}, "email": 99})
    did(people["Elsewhere"], "message.clicked", object_id=99, object_key="y", data={"url": "y"})
    did(people["Nobody"], "message.machine_clicked", object_id=offer, **buy)

    world.advance(flow, days=1)

    buyer = story_of(flow=flow, participant=world.one(flow, people["Buyer"]), now=world.now).visits[1]
    assert buyer.told == ["The contact did it on 23 November 2026 at 13:00."]
    assert {name: took(world, flow, person) for name, person in people.items()} == {
        "Buyer": "A",
        "Both": "A",
        "Reader": "B",
        "Linker": "B",
        "Elsewhere": "C",
        "Before": "Everyone else",
        "Nobody": "Everyone else",
    }


def test_the_event_that_brought_somebody_counts_in_a_split(world: World) -> None:
    from flows.document import Trigger

    anna = world.contact("Anna")
    node = split("opened", acts({"kind": "open", "email": 5}))
    flow = world.flow(node, triggers=(Trigger(kind="contact_created"),))
    did(anna, "contact.created")
    take_events(tenant_id=world.tenant.pk, now=NOW + HOUR)
    person = world.one(flow, anna)
    assert person.event_data is not None
    Event.objects.filter(pk=person.event_data["event_id"]).update(kind="message.opened", object_id=5)

    world.now += HOUR
    world.advance(flow)

    assert took(world, flow, anna) == "A"


@pytest.mark.parametrize("kind", ["selection", "project"])
def test_members_take_the_branch_that_names_their_club(world: World, kind: str) -> None:
    member, stranger = world.contact("Member"), world.contact("Stranger")
    if kind == "selection":
        club = world.selection("Hot").pk
        SelectionMember.objects.create(selection_id=club, contact=member, added_at=NOW)
    else:
        club = Project.objects.create(name="Fair", created_at=NOW).pk
        ProjectMember.objects.create(project_id=club, contact=member, added_at=NOW)
    flow = world.flow(split(kind, {kind: club}))
    world.suggest(flow, member, stranger)

    world.advance(flow)

    assert [took(world, flow, one) for one in (member, stranger)] == ["A", "Everyone else"]


def test_a_random_share_is_even_within_one_per_cent_on_a_hundred_thousand_and_repeatable() -> None:
    node = split("random", {"share": 30}, {"share": 20})
    counted = Counter(
        "A" if draw(node, number) < 0.3 * PARTS else "B" if draw(node, number) < 0.5 * PARTS else "else"
        for number in range(1, 100_001)
    )
    assert all(
        abs(counted[name] / 100_000 - share) < 0.01 for name, share in (("A", 0.3), ("B", 0.2), ("else", 0.5))
    )
    assert [draw(node, 42) for _ in range(3)] == [draw(node, 42)] * 3
    other = split("random", {"share": 30})
    assert any(draw(node, number) != draw(other, number) for number in range(10))


def test_everyone_takes_the_branch_of_a_full_share_and_nobody_one_of_nothing(world: World) -> None:
    people = [world.contact(f"P{number}") for number in range(20)]
    flow = world.flow(split("random", {"share": 0}, {"share": 100}))
    world.suggest(flow, *people)
    world.advance(flow)
    assert {took(world, flow, person) for person in people} == {"B"}


def test_going_to_another_flow_leaves_or_stays_and_the_other_flows_rules_decide(world: World) -> None:
    anna = world.contact("Anna")
    target = world.flow(wait(1), name="Target")
    go = {"kind": "go_to_flow", "title": "Go"}
    leaving = world.flow(
        StepNode(**go, settings={"flow": target.pk}), update("contact.job_title", "set", "x")
    )
    staying = world.flow(
        StepNode(**go, settings={"flow": target.pk, "then": "stay"}), wait(3), name="Staying"
    )
    world.suggest(leaving, anna)
    world.advance(leaving)
    person = world.one(leaving, anna)
    assert (person.status, person.drop_reason, person.drop_values) == (
        "dropped",
        "moved",
        {"flow": target.pk},
    )
    assert world.path(person) == [("Go", "left", "moved")]
    take_events(tenant_id=world.tenant.pk, now=world.now)
    arrived = world.one(target, anna)
    assert (arrived.status, arrived.source) == ("active", "onward")

    world.suggest(staying, anna)
    world.advance(staying)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert world.path(world.one(staying, anna)) == [("Go", "went_on", ""), ("Wait", "", "")]
    assert world.one(target, anna).pk == arrived.pk


def test_flows_that_send_each_other_their_people_stop_after_three_rounds_in_a_day(world: World) -> None:
    from flows.document import FlowDocument
    from participants.models import Suggestion

    anna = world.contact("Anna")
    ping = world.flow(wait(1, "minutes"), name="Ping")
    pong = world.flow(StepNode(kind="go_to_flow", title="Back", settings={"flow": ping.pk}), name="Pong")
    there = StepNode(kind="go_to_flow", title="There", settings={"flow": pong.pk})
    world.save(ping, FlowDocument(steps=(there,)))
    ping.refresh_from_db()
    world.suggest(ping, anna)
    for _ in range(12):
        for flow in (ping, pong):
            world.advance(flow)
            take_events(tenant_id=world.tenant.pk, now=world.now)
        world.now += HOUR

    verdicts = Counter(Suggestion.objects.filter(flow_id=pong.pk).values_list("verdict", flat=True))
    assert (verdicts["enrolled"], verdicts["loop"]) == (3, 1)
    loop = Suggestion.objects.get(flow_id=pong.pk, verdict="loop")
    assert loop.values == {"entries": 3}
    # A day later the way is free again.
    world.now += DAY
    world.suggest(ping, anna)
    world.advance(ping)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert world.one(pong, anna).status == "active"


def test_answers_of_the_newest_submission_decide(world: World) -> None:
    node = split(
        "form_data",
        {"field": "size", "operator": "greater", "value": "50"},
        {"field": "topics", "operator": "is", "value": "STRASSE"},
        {"field": "name", "operator": "empty", "value": ""},
    )
    node = node.model_copy(update={"settings": {"based_on": "form_data", "form": 4}})
    answers: dict[str, list[dict[str, Any]]] = {
        "Big": [{"size": "9"}, {"size": "50,5", "name": "x"}],
        "Shrunk": [{"size": "900", "name": "x"}, {"size": "5", "name": "x"}],
        "Listed": [{"size": "1", "topics": ["a", "Straße"], "name": "x"}],
        "Silent": [{"size": "1"}],
        "Other": [],
    }
    people = {name: world.contact(name) for name in answers}
    flow = world.flow(wait(1), node)
    world.suggest(flow, *people.values())
    world.advance(flow)
    for name, given in answers.items():
        for number, one in enumerate(given):
            at = NOW + HOUR * (number + 1)
            data = {"form": {"id": 4, "name": "F", "submission": number, "answers": one}}
            did(people[name], "form.submitted", at=at, object_id=4, data=data)
    did(people["Other"], "form.submitted", object_id=5, data={"form": {"answers": {"size": "99"}}})

    world.advance(flow, days=1)

    assert {name: took(world, flow, person) for name, person in people.items()} == {
        "Big": "A",
        "Shrunk": "Everyone else",
        "Listed": "B",
        "Silent": "C",
        "Other": "Everyone else",
    }


def test_several_answers_of_a_branch_are_joined_by_and_and_or(world: World) -> None:
    big, mills, vip = (
        {"field": "size", "operator": "greater", "value": "50"},
        {"field": "topics", "operator": "is", "value": "mills"},
        {"field": "vip", "operator": "set"},
    )
    node = split("form_data", {"lines": [big, mills, {**vip, "join": "or"}]}, {"lines": [big]})
    node = node.model_copy(update={"settings": {"based_on": "form_data", "form": 4}})
    answers: dict[str, dict[str, Any]] = {
        "Both": {"size": "60", "topics": ["Mills", "Races"]},
        "Vip": {"size": "1", "vip": "yes"},
        "Big": {"size": "60", "topics": ["Races"]},
        "Mills": {"size": "5", "topics": ["Mills"]},
        "Empty": {},
    }
    people = {name: world.contact(name) for name in answers}
    flow = world.flow(wait(1), node)
    world.suggest(flow, *people.values())
    world.advance(flow)
    for name, given in answers.items():
        data = {"form": {"id": 4, "name": "F", "submission": 1, "answers": given}}
        did(people[name], "form.submitted", at=NOW + HOUR, object_id=4, data=data)

    world.advance(flow, days=1)

    assert {name: took(world, flow, person) for name, person in people.items()} == {
        "Both": "A",
        "Vip": "A",
        "Big": "B",
        "Mills": "Everyone else",
        "Empty": "Everyone else",
    }

    def told(name: str) -> str:
        story = story_of(flow=flow, participant=world.one(flow, people[name]), now=world.now)
        return next(visit.detail for visit in story.visits if visit.title == "Split")

    # Questions are named as the form asks them; this one is gone, so by their keys.
    assert told("Both") == "Answers seen: size: “60”; topics: “Mills, Races”; vip: none."
    assert told("Big") == "Answer seen: size: “60”."
    assert told("Mills") == "Answers seen: size: “5”; topics: “Mills”; vip: none."


def test_who_submitted_a_form_takes_its_branch(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    flow = world.flow(wait(1), split("submitted", acts({"kind": "form", "id": 4})))
    world.suggest(flow, anna, ben)
    world.advance(flow)
    did(anna, "form.submitted", at=NOW + HOUR, object_id=4, data={"form": {"id": 4, "answers": {}}})
    world.advance(flow, days=1)
    assert [took(world, flow, one) for one in (anna, ben)] == ["A", "Everyone else"]


def test_who_leaves_because_no_branch_took_them_keeps_the_value_that_was_seen(world: World) -> None:
    from flows.document import ExitSettings
    from tests.participants.conftest import when

    chef = world.contact("Chef", job_title="Head chef")
    clerk = world.contact("Clerk", job_title="Clerk")
    node = StepNode(
        kind="split",
        title="Split",
        branches=(
            Branch(name="Chefs", criteria=when("contact.job_title", "contains", "chef")),
            Branch(name="Everyone else", exit=ExitSettings()),
        ),
    )
    flow = world.flow(node)
    world.suggest(flow, chef, clerk)

    world.advance(flow)

    assert world.one(flow, chef).status == "finished"
    person = world.one(flow, clerk)
    assert person.drop_values is not None
    assert (person.drop_reason, person.drop_values["seen"]) == ("no_branch", "Clerk")
    words = story_of(flow=flow, participant=person, now=world.now).why_left
    assert words.startswith("The branch “Everyone else” ends in Exit flow.")
    assert words.endswith("did not hold: the value was “Clerk”.")
