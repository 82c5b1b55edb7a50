"""The control group: held out, watched for success all the same, and compared."""

from __future__ import annotations

from crm.models import Contact
from flows.document import SuccessCriterion
from participants import control
from participants.models import HeldOut, Participant
from tests.participants.conftest import DAY, NOW, World, wait, when
from tests.participants.edits import document, edit
from tests.participants.test_waits import HOUR, happened, take

PAID = SuccessCriterion(kind="outside_event", settings={"name": "paid"})


def crowd(world: World, number: int = 40) -> list[Contact]:
    return [world.contact(f"P{n}") for n in range(number)]


def out_and_in(people: list[Contact]) -> tuple[list[Contact], list[Contact]]:
    """Return those held out and those enrolled."""
    held = set(HeldOut.objects.values_list("contact_id", flat=True))
    return [one for one in people if one.pk in held], [one for one in people if one.pk not in held]


def test_who_is_held_out_is_watched_for_events_that_happen_after(world: World) -> None:
    people = crowd(world)
    flow = world.flow(wait(5), success=(PAID,), settings={"control_share": 40})
    world.suggest(flow, *people)
    world.suggest(flow, *people)  # held out once, whoever asks again
    held, enrolled = out_and_in(people)
    assert (len(held) + len(enrolled), len(held) > 3, len(enrolled) > 3) == (40, True, True)
    assert HeldOut.objects.count() == len(held)

    for early in held[:2]:
        happened(world, early, at=NOW - HOUR)
    world.now += HOUR
    for one in (*held[:3], enrolled[0]):
        happened(world, one)
    take(world)
    world.now += HOUR
    happened(world, held[0])  # a second one changes nothing
    take(world)

    marks = dict(HeldOut.objects.exclude(success_at=None).values_list("contact_id", "success_at"))
    assert marks == {one.pk: NOW + HOUR for one in held[:3]}
    found = control.control_group(flow.pk)
    assert found == control.ControlGroup(len(held), 3, len(enrolled), 1)
    assert found.lift == 100 / len(enrolled) - 300 / len(held)
    met = control.held_out_contacts(flow.pk, success=True)
    assert sorted(met.values_list("contact_id", flat=True)) == sorted(marks)
    assert not Participant.objects.filter(contact_id__in=[one.pk for one in held]).exists()


def test_states_count_for_them_at_once_when_they_change_and_when_the_criteria_do(world: World) -> None:
    people = crowd(world)
    state = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(wait(5), success=(state,), settings={"control_share": 40})
    Contact.objects.filter(first_name="P0").update(category=world.customer)
    world.suggest(flow, *people)
    held, _ = out_and_in(people)
    first = HeldOut.objects.filter(contact_id=people[0].pk).first()
    assert first is None or first.success_at == NOW
    changed = held[-1]
    Contact.objects.filter(pk=changed.pk).update(category=world.customer)
    world.now += HOUR
    happened(world, changed, kind="contact.updated")
    take(world)
    assert HeldOut.objects.get(contact_id=changed.pk).success_at == world.now

    world.now += DAY
    prospects = SuccessCriterion(
        kind="criteria", criteria=when("contact.category", "one_of", world.prospect.pk)
    )
    edit(world, flow, document(flow).model_copy(update={"success": (prospects,)}))
    assert not HeldOut.objects.filter(success_at=None).exists()
    assert HeldOut.objects.get(contact_id=changed.pk).success_at == NOW + HOUR, "a mark that is there stays"


def test_without_a_control_group_there_is_nothing_to_compare(world: World) -> None:
    flow = world.flow(wait(5), success=(PAID,))
    world.suggest(flow, *crowd(world, 3))
    found = control.control_group(flow.pk)
    assert (found, found.lift) == (control.ControlGroup(0, 0, 0, 0), None)
