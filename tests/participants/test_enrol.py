"""Suggestions are judged in their order, once, with the values seen."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.models import Membership, Role
from core.models import Job
from crm.models import Contact
from flows.document import FlowSettings
from flows.models import Flow
from participants.models import Participant, Suggestion
from participants.operations.adding import Chosen, FlowClosed, add_by_api, start_adding
from participants.queries_names import names_of
from participants.why import why_not
from participants.why_words import sentence_with_values
from tests.participants.conftest import DAY, NOW, World, update, wait, when


def verdicts(flow: Flow) -> list[tuple[int, str]]:
    """Return (contact id, verdict) of every kept suggestion, in order."""
    return list(
        Suggestion.objects.filter(flow_id=flow.pk).order_by("id").values_list("contact_id", "verdict")
    )


def test_the_filter_refuses_with_the_line_that_failed_and_the_value_it_saw(world: World) -> None:
    prospect, customer = world.contact("Anna"), world.contact("Ben", category=world.customer)
    flow = world.flow(wait(1), filter=when("contact.category", "one_of", world.prospect.pk))

    result = world.suggest(flow, prospect, customer)

    assert result.verdicts == {"enrolled": 1, "filter": 1}
    assert verdicts(flow) == [(prospect.pk, "enrolled"), (customer.pk, "filter")]
    kept = Suggestion.objects.get(verdict="filter")
    assert kept.values is not None
    assert (kept.values["field"], kept.values["seen"]) == ("contact.category", "Customer")
    answer = why_not(flow_id=flow.pk, contact_id=customer.pk, now=NOW)
    assert answer is not None
    assert (answer.verdict, answer.kept) == ("filter", True)


def test_the_exclusion_list_comes_before_being_active(world: World) -> None:
    anna = world.contact("Anna")
    no_go = world.selection("No go")
    flow = world.flow(wait(1), settings={"exclusions": (no_go.pk,)})
    world.suggest(flow, anna)
    no_go.members.create(contact=anna, added_at=NOW)

    world.suggest(flow, anna)

    assert [verdict for _, verdict in verdicts(flow)] == ["enrolled", "excluded"]
    assert Suggestion.objects.get(verdict="excluded").values == {"selection": no_go.pk}


def test_an_active_participant_does_not_enter_twice_and_an_ended_one_may(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(update("contact.job_title", "set", "x"))
    world.suggest(flow, anna)
    world.suggest(flow, anna)
    world.advance(flow)
    world.suggest(flow, anna)

    assert [verdict for _, verdict in verdicts(flow)] == ["enrolled", "active", "enrolled"]
    assert Participant.objects.filter(flow_id=flow.pk).count() == 2


def test_once_only_counts_a_participation_of_any_status(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(update("contact.job_title", "set", "x"), settings={"once_only": True})
    world.suggest(flow, anna)
    world.advance(flow)

    assert world.suggest(flow, anna).verdicts == {"once": 1}


def test_enrolment_is_closed_when_not_running_and_after_its_end_but_open_while_paused(world: World) -> None:
    anna, ben, cem = world.contact("Anna"), world.contact("Ben"), world.contact("Cem")
    off = world.flow(wait(1), name="Off", status="not_running")
    paused = world.flow(wait(1), name="Paused", status="paused")
    ended = world.flow(wait(1), name="Ended")
    Flow.objects.filter(pk=ended.pk).update(enrolment_ends_at=NOW)

    assert world.suggest(off, anna).verdicts == {"not_open": 1}
    assert world.suggest(paused, ben).verdicts == {"enrolled": 1}
    assert world.suggest(ended, cem).verdicts == {"not_open": 1}
    # NOW is in UTC, the flows are in Oslo's time.
    kept = {row.flow_id: row for row in Suggestion.objects.filter(verdict="not_open")}
    local = NOW.astimezone(FlowSettings().zone).isoformat(timespec="minutes")
    assert kept[off.pk].values == {"status": "not_running", "since": local}
    assert kept[ended.pk].values == {"status": "running", "ended": local}
    read = [sentence_with_values(row.verdict, row.values or {}, names_of([])) for row in kept.values()]
    moment = dt.datetime.fromisoformat(local)
    at = f"{moment.day} {moment:%B %Y} at {moment:%H:%M}"
    assert sorted(read) == [
        f"Enrolment was not open: it had ended on {at}.",
        f"Enrolment was not open: the flow was not running since {at}.",
    ]


def test_who_is_added_to_a_flow_that_is_off_by_hand_or_api_is_refused_and_the_refusal_kept(
    world: World,
) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    off = world.flow(wait(1), status="not_running")
    member = Membership.objects.create(user=world.user, role=Role.objects.create(name="Rep"))
    chosen = Chosen(selection_id=world.selection("Guests", ben).pk)

    with pytest.raises(FlowClosed):
        add_by_api(flow_id=off.pk, contacts=[anna.pk], now=NOW)
    with pytest.raises(FlowClosed):
        start_adding(flow_id=off.pk, chosen=chosen, token="t", member=member, now=NOW)

    found = Suggestion.objects.filter(flow_id=off.pk).order_by("contact_id")
    assert list(found.values_list("contact_id", "verdict", "source", "actor_id")) == [
        (anna.pk, "not_open", "api", None),
        (ben.pk, "not_open", "selection", world.user.pk),
    ]
    assert not Job.objects.exists()


def test_the_control_group_is_held_out_stably_and_about_as_large_as_asked(world: World) -> None:
    people = [world.contact(f"P{number}") for number in range(200)]
    flow = world.flow(wait(1), settings={"control_share": 20})

    first = world.suggest(flow, *people).verdicts
    held = set(Suggestion.objects.filter(verdict="control").values_list("contact_id", flat=True))
    world.suggest(flow, *people)

    assert 20 <= first["control"] <= 62
    again = Suggestion.objects.filter(verdict="control").values_list("contact_id", flat=True).distinct()
    assert set(again) == held


def test_flows_themselves_bring_a_contact_into_one_flow_three_times_in_a_day_at_most(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(update("contact.job_title", "set", "x"))
    for _ in range(4):
        world.suggest(flow, anna, source="onward")
        world.advance(flow)
    assert [verdict for _, verdict in verdicts(flow)] == ["enrolled", "enrolled", "enrolled", "loop"]
    assert world.suggest(flow, anna).verdicts == {"enrolled": 1}

    world.advance(flow)
    world.now += dt.timedelta(hours=24)
    assert world.suggest(flow, anna, source="onward").verdicts == {"enrolled": 1}


def test_erased_and_unknown_contacts_are_left_out(world: World) -> None:
    gone = world.contact("Gone", email="")
    Contact.objects.filter(pk=gone.pk).update(deleted_at=NOW, first_name="", name_norm="")
    flow = world.flow(wait(1))

    assert world.suggest(flow, gone, Contact(pk=999_999_999)).verdicts == {}
    assert not Suggestion.objects.exists()


def test_being_enrolled_removes_the_contact_from_the_other_flows_that_the_settings_name(world: World) -> None:
    anna = world.contact("Anna")
    old = world.flow(wait(5), name="Old")
    world.suggest(old, anna)
    world.advance(old)
    new = world.flow(wait(1), name="New", settings={"remove_from_flows": (old.pk,)})

    world.suggest(new, anna)

    person = world.one(old, anna)
    assert (person.status, person.drop_reason, person.drop_values) == ("dropped", "moved", {"flow": new.pk})
    assert world.path(person) == [("Wait", "left", "moved")]
    assert world.advance(old, days=9).claimed == 0


def test_why_not_judges_now_where_there_was_no_suggestion_and_enrols_nobody(world: World) -> None:
    anna = world.contact("Anna", category=world.customer)
    flow = world.flow(wait(1), filter=when("contact.category", "one_of", world.prospect.pk))

    answer = why_not(flow_id=flow.pk, contact_id=anna.pk, now=NOW + DAY)

    assert answer is not None
    assert (answer.verdict, answer.kept, answer.values["seen"]) == ("filter", False, "Customer")
    assert not Suggestion.objects.exists()
    assert not Participant.objects.exists()
