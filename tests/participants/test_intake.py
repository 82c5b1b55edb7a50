"""Intake: events suggest, mark success and send on; each acts once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, Event, EventInbox
from flows.document import ExitSettings, Finish, SuccessCriterion, Trigger
from flows.models import Flow, FlowRevision
from participants.intake import take_events
from participants.models import Participant, Suggestion
from tests.participants.conftest import NOW, World, update, wait, when


def happened(world: World, kind: str, contact: Contact, origin: Origin = Origin.USER, **fields: Any) -> None:
    """Record an event now."""
    record_events([NewEvent(kind=kind, contact_id=contact.pk, at=world.now, origin=origin, **fields)])


def take(world: World) -> int:
    """Take everything in the inbox; return how many events there were."""
    return take_events(tenant_id=world.tenant.pk, now=world.now).taken


def test_a_contact_created_by_hand_enters_and_one_by_import_does_not(world: World) -> None:
    by_hand, by_import = world.contact("Hand"), world.contact("Import")
    flow = world.flow(wait(1), triggers=(Trigger(kind="contact_created"),))
    happened(world, "contact.created", by_hand)
    happened(world, "contact.created", by_import, Origin.IMPORT)

    take(world)

    person = Participant.objects.get(flow_id=flow.pk)
    assert person.event_data is not None
    assert (person.contact_id, person.source, person.event_data["kind"]) == (
        by_hand.pk,
        "trigger",
        "contact.created",
    )
    assert not EventInbox.objects.exists()


def test_the_same_event_never_acts_twice(world: World) -> None:
    flow = world.flow(update("contact.job_title", "set", "x"), triggers=(Trigger(kind="contact_created"),))
    happened(world, "contact.created", world.contact("Anna"))

    assert [take(world), take(world)] == [1, 0]
    assert Suggestion.objects.filter(flow_id=flow.pk).count() == 1


def test_two_events_of_one_contact_in_one_slice_are_two_suggestions_and_one_participant(world: World) -> None:
    anna = world.contact("Anna")
    hot = world.selection("Hot")
    triggers = (
        Trigger(kind="contact_created"),
        Trigger(kind="added_to_selection", settings={"selection": hot.pk}),
    )
    flow = world.flow(wait(1), triggers=triggers)
    happened(world, "contact.created", anna)
    happened(world, "selection.added", anna, object_id=hot.pk)

    take(world)

    found = Suggestion.objects.filter(flow_id=flow.pk).order_by("id").values_list("verdict", flat=True)
    assert list(found) == ["enrolled", "active"]
    assert Participant.objects.count() == 1


def test_another_selection_or_an_event_from_before_the_start_does_not_trigger(world: World) -> None:
    anna = world.contact("Anna")
    hot, cold = world.selection("Hot"), world.selection("Cold")
    flow = world.flow(wait(1), triggers=(Trigger(kind="added_to_selection", settings={"selection": hot.pk}),))
    happened(world, "selection.added", anna, object_id=cold.pk)
    Flow.objects.filter(pk=flow.pk).update(started_at=NOW + dt.timedelta(seconds=1))
    happened(world, "selection.added", anna, object_id=hot.pk)

    assert take(world) == 2
    assert not Suggestion.objects.exists()


def test_an_event_that_the_flow_caused_itself_does_not_suggest_for_it_but_for_others(world: World) -> None:
    anna = world.contact("Anna")
    hot = world.selection("Hot")
    trigger = Trigger(kind="added_to_selection", settings={"selection": hot.pk})
    own = world.flow(wait(1), name="Own", triggers=(trigger,))
    other = world.flow(wait(1), name="Other", triggers=(trigger,))
    happened(world, "selection.added", anna, Origin.FLOW, object_id=hot.pk, flow_id=own.pk)

    take(world)

    assert not Suggestion.objects.filter(flow_id=own.pk).exists()
    assert Participant.objects.get(flow_id=other.pk).source == "flow_event"


def test_a_trigger_may_have_criteria_of_its_own(world: World) -> None:
    nordic, german = world.contact("Nordic", country="NO"), world.contact("German", country="DE")
    trigger = Trigger(kind="contact_created", criteria=when("contact.country", "one_of", "NO"))
    flow = world.flow(wait(1), triggers=(trigger,))
    happened(world, "contact.created", nordic)
    happened(world, "contact.created", german)

    take(world)

    assert list(Suggestion.objects.filter(flow_id=flow.pk).values_list("contact_id", flat=True)) == [
        nordic.pk
    ]


def test_triggers_of_a_paused_flow_enrol_and_those_of_one_that_is_off_do_not(world: World) -> None:
    trigger = (Trigger(kind="contact_created"),)
    paused = world.flow(wait(1), name="Paused", status="paused", triggers=trigger)
    off = world.flow(wait(1), name="Off", status="not_running", triggers=trigger)
    happened(world, "contact.created", world.contact("Anna"))

    take(world)

    assert Participant.objects.filter(flow_id=paused.pk).count() == 1
    assert not Suggestion.objects.filter(flow_id=off.pk).exists()


def test_success_is_marked_when_the_contact_changes_and_the_flow_finishes_at_once(world: World) -> None:
    anna = world.contact("Anna")
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    quick = world.flow(wait(5), name="Quick", success=(won,), settings={"move_to_finish": True})
    slow = world.flow(wait(5), name="Slow", success=(won,))
    for flow in (quick, slow):
        world.suggest(flow, anna)
        world.advance(flow)
    Contact.objects.filter(pk=anna.pk).update(category=world.customer)
    happened(world, "contact.updated", anna)

    result = take_events(tenant_id=world.tenant.pk, now=world.now)

    assert result.flows == {quick.pk}
    assert world.one(slow, anna).success_at == NOW
    world.advance(quick)
    world.advance(slow)
    assert (world.one(quick, anna).status, world.one(slow, anna).status) == ("success", "active")


def test_success_in_a_pause_is_marked_then_and_moves_at_resume(world: World) -> None:
    anna = world.contact("Anna")
    won = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(wait(5), success=(won,), settings={"move_to_finish": True})
    world.suggest(flow, anna)
    world.advance(flow)
    Flow.objects.filter(pk=flow.pk).update(status="paused")
    Contact.objects.filter(pk=anna.pk).update(category=world.customer)
    happened(world, "contact.updated", anna)
    take(world)
    assert (world.advance(flow).claimed, world.one(flow, anna).success_at) == (0, NOW)

    Flow.objects.filter(pk=flow.pk).update(status="running")
    world.advance(flow, days=1)

    person = world.one(flow, anna)
    assert (person.status, person.success_at, person.ended_at) == ("success", NOW, world.now)


def test_finish_suggests_for_the_onward_flow_whose_own_rules_decide(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben", category=world.customer)
    second = world.flow(wait(1), name="Second", filter=when("contact.category", "one_of", world.prospect.pk))
    first = world.flow(name="First", finish=Finish(no_success=ExitSettings(flow=second.pk)))
    world.suggest(first, anna, ben)
    world.advance(first)

    take(world)

    assert {world.one(first, person).status for person in (anna, ben)} == {"finished"}
    found = Suggestion.objects.filter(flow_id=second.pk).order_by("contact_id")
    assert list(found.values_list("source", "source_id", "verdict")) == [
        ("onward", first.pk, "enrolled"),
        ("onward", first.pk, "filter"),
    ]
    assert Event.objects.filter(kind="flow.finished").count() == 2


def test_who_is_sent_on_to_a_flow_that_is_not_running_keeps_a_refusal_with_why(world: World) -> None:
    anna = world.contact("Anna")
    off = world.flow(wait(1), name="Off", status="not_running")
    first = world.flow(name="First", finish=Finish(no_success=ExitSettings(flow=off.pk)))
    world.suggest(first, anna)
    world.advance(first)
    # Nothing is on when intake looks.
    Flow.objects.filter(pk=first.pk).update(status="not_running")

    take(world)

    (kept,) = Suggestion.objects.filter(flow_id=off.pk)
    assert (kept.verdict, kept.source, kept.source_id) == ("not_open", "onward", first.pk)
    assert kept.values is not None
    assert kept.values["status"] == "not_running"
    assert not Participant.objects.filter(flow_id=off.pk).exists()


def test_a_flow_that_cannot_be_read_does_not_keep_the_others_from_hearing(world: World) -> None:
    broken = world.flow(wait(1), name="Broken", triggers=(Trigger(kind="contact_created"),))
    sound = world.flow(wait(1), name="Sound", triggers=(Trigger(kind="contact_created"),))
    nonsense = {
        "triggers": [{"kind": "contact_created", "settings": {"no": "such"}}, {"kind": "never_heard_of"}]
    }
    FlowRevision.objects.filter(flow=broken).update(document=nonsense)
    happened(world, "contact.created", world.contact("Anna"))

    assert take(world) == 1

    assert list(Participant.objects.values_list("flow_id", flat=True)) == [sound.pk]
