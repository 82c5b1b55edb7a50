"""The frequency cap: over all flows and channels, waiting for room or skipping, judged again after the wait."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from core.db.cursors import raw_cursor
from crm.models import Consent
from delivery.frequency import full_contacts
from delivery.models import Message, SendingRules
from delivery.operations.sending_rules import set_sending_rules
from participants.models import Visit
from tests.fixtures.people import Person
from tests.participants.conftest import DAY, NOW, World, send, wait


def cap(world: World, *, day: int | None = None, week: int | None = None, when_full: str = "wait") -> None:
    set_sending_rules(most_a_day=day, most_a_week=week, when_full=when_full, actor=world.user, now=NOW)


def test_who_has_had_enough_today_waits_a_day_and_the_others_go_on(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    cap(world, day=1)
    first = world.flow(send(world.email()), name="First")
    world.suggest(first, anna)
    world.advance(first)
    second = world.flow(send(world.email("Second")), name="Second")
    world.suggest(second, anna, ben)

    world.advance(second)
    person = world.one(second, anna)
    assert (person.status, person.held_reason, person.due_at) == (
        "active",
        "frequency cap: had 1 message in 24 hours, at most 1 is allowed",
        NOW + DAY,
    )
    assert world.one(second, ben).status == "finished"
    assert Visit.objects.filter(participant_id=person.pk).count() == 1

    world.advance(second, days=0.99)
    assert world.one(second, anna).status == "active"
    world.advance(second, days=0.01)
    assert world.one(second, anna).status == "finished"
    assert Message.objects.filter(contact_id=anna.pk).count() == 2


def test_the_week_counts_too_and_two_steps_of_one_batch_see_each_other(world: World) -> None:
    anna = world.contact("Anna")
    cap(world, day=2, week=3)
    flow = world.flow(*(send(world.email(f"No {n}"), title=f"No {n}") for n in range(5)))
    world.suggest(flow, anna)
    world.advance(flow)
    person = world.one(flow, anna)
    assert (Message.objects.count(), person.due_at) == (2, NOW + DAY)
    world.advance(flow, days=1)
    person = world.one(flow, anna)
    assert (Message.objects.count(), person.due_at) == (3, NOW + 7 * DAY)
    world.advance(flow, days=6)
    assert Message.objects.count() == 5
    assert world.one(flow, anna).status == "finished"


def test_skip_goes_on_at_once_and_says_why(world: World) -> None:
    anna = world.contact("Anna")
    cap(world, day=1, when_full="skip")
    flow = world.flow(send(world.email("One"), title="One"), send(world.email("Two"), title="Two"))
    world.suggest(flow, anna)
    world.advance(flow)
    person = world.one(flow, anna)
    assert world.path(person) == [("One", "went_on", ""), ("Two", "went_on", "skipped")]
    skipped = Visit.objects.get(participant_id=person.pk, how="skipped")
    assert skipped.values is not None
    told = "had 1 message in 24 hours, at most 1 is allowed"
    assert skipped.values == {"reason": "frequency_cap", "had": 1, "most": 1, "hours": 24, "cap": told}
    assert Message.objects.count() == 1


def test_who_waited_passes_the_guards_again(world: World) -> None:
    anna = world.contact("Anna")
    cap(world, day=1)
    flow = world.flow(send(world.email("One"), title="One"), send(world.email("Two"), title="Two"))
    world.suggest(flow, anna)
    world.advance(flow)
    Consent.objects.update(given=False)
    world.advance(flow, days=1)
    assert world.one(flow, anna).drop_reason == "no_consent"
    assert Message.objects.count() == 1


def test_tests_notes_and_what_never_went_do_not_count(world: World) -> None:
    anna = world.contact("Anna")
    cap(world, day=1)
    flow = world.flow(send(world.email()), wait(30))
    world.suggest(flow, anna)
    world.advance(flow)

    def full() -> dict[int, dt.datetime]:
        with raw_cursor() as cursor:
            return full_contacts(cursor, tenant_id=world.tenant.pk, contact_ids=[anna.pk], now=NOW).until

    assert full() == {anna.pk: NOW + DAY}
    for change in (
        {"status": "cancelled"}, {"status": "blocked"}, {"status": "failed"}, {"is_test": True},
        {"is_marketing": False},
    ):  # fmt: skip
        Message.objects.update(**{"status": "sent", "is_test": False, "is_marketing": True, **change})
        assert full() == {}, change
    Message.objects.update(status="unknown", is_test=False, is_marketing=True)
    assert full() == {anna.pk: NOW + DAY}


def test_a_cap_of_nothing_does_not_fit_into_the_database(acme_scope: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SendingRules.objects.create(most_a_day=0, updated_at=NOW)


def test_the_page_saves_refuses_nonsense_and_is_the_administrators(
    alice: Person, bob: Person, charlie: Person, acme_scope: None
) -> None:
    url = alice.url("settings/connectors/sending/")
    browser = alice.client()
    assert "At most in 24 hours" in browser.get(url).content.decode()
    good = {"most_a_day": "2", "most_a_week": "", "when_full": "skip"}
    for person in (bob, charlie):
        assert person.client().post(url, good).status_code == 404
    assert not SendingRules.objects.exists()
    for bad in (
        {"most_a_day": "0"},
        {"most_a_day": "x"},
        {"most_a_day": "5", "most_a_week": "3"},
        {"when_full": "no"},
    ):
        assert browser.post(url, {**good, **bad}).status_code == 422, bad
    assert not SendingRules.objects.exists()
    assert browser.post(url, good).status_code == 302
    assert browser.post(url, {**good, "most_a_week": "7"}).status_code == 302
    rules = SendingRules.objects.get()
    assert (rules.most_a_day, rules.most_a_week, rules.when_full) == (2, 7, "skip")
