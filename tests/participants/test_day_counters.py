"""The counters by day: they say the same as the totals, and as the participations themselves."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from participants.counters import fold, step_counts
from participants.counters_days import FACTS, counts_between, flow_days
from participants.models import CounterDay, Participant
from participants.operations import members, moving_on
from participants.operations.leaving import leave
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db
EVER = {"first": dt.date(2000, 1, 1), "last": dt.date(2100, 1, 1)}


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    cache.clear()
    return made


def facts(stage: Stage) -> Counter[Any]:
    """Return what the rows themselves say, by step, measure and day."""
    ids = list(Participant.objects.filter(flow_id=stage.flow.pk).values_list("pk", flat=True))
    with raw_cursor() as cursor:
        cursor.execute(FACTS, {"tenant": stage.person.tenant.pk, "ids": ids})
        return Counter({(step, measure, day): n for _, step, measure, day, n in cursor.fetchall()})


def kept(stage: Stage) -> Counter[Any]:
    """Return what is counted, by step, measure and day, after folding."""
    fold(tenant_id=stage.person.tenant.pk)
    rows = CounterDay.objects.filter(flow_id=stage.flow.pk).exclude(amount=0)
    return Counter({(r.step_id, r.measure, r.day): r.amount for r in rows})


def test_the_days_say_what_the_participations_say(stage: Stage) -> None:
    with stage.scope():
        assert kept(stage) == facts(stage)
        days = flow_days(flow_id=stage.flow.pk, first=None, last=EVER["last"])
        assert [dict(day).get("enrolled") for day in days.values()] == [3, 1]
        counts = counts_between(flow_id=stage.flow.pk, **EVER)
        assert counts[None, "enrolled"] == 4
        for step_id, measures in step_counts(stage.flow.pk).items():
            assert counts[step_id, "entered"] == measures["entered"]


def test_a_tail_that_is_not_folded_counts_as_well(stage: Stage) -> None:
    with stage.scope() as world:
        world.suggest(stage.flow, world.contact("Tail"))
        assert counts_between(flow_id=stage.flow.pk, **EVER)[None, "enrolled"] == 5


def test_who_is_removed_leaves_the_days_of_the_past(stage: Stage) -> None:
    with stage.scope() as world:
        nour = world.one(stage.flow, stage.contacts["Nour"])
        anna = world.one(stage.flow, stage.contacts["Anna"])
        members.remove_from_flow(
            flow_id=stage.flow.pk, participant_ids=[nour.pk, anna.pk], actor=world.user, now=world.now
        )
        assert kept(stage) == facts(stage)
        days = flow_days(flow_id=stage.flow.pk, first=None, last=EVER["last"])
        assert sum(day.get("enrolled", 0) for day in days.values()) == 2


def test_a_failed_step_that_is_tried_again_leaves_the_day_of_its_failure(stage: Stage) -> None:
    with stage.scope() as world:
        late = world.one(stage.flow, stage.contacts["Late"])
        with raw_cursor() as cursor:
            leave(
                cursor,
                tenant_id=world.tenant.pk,
                participant_ids=[late.pk],
                now=world.now,
                reason="step_failed",
            )
        late.refresh_from_db()
        Participant.objects.filter(pk=late.pk).update(step_id=stage.wait.id)
        then = world.now.date()
        moving_on.retry(
            flow_id=stage.flow.pk,
            participant_ids=[late.pk],
            actor=world.user,
            now=world.now + dt.timedelta(days=2),
        )
        counted = kept(stage)
        assert counted[None, "dropped:step_failed", then] == 0
        assert all(n > 0 for n in counted.values())


def test_a_day_is_the_tenants_own(bob: Person) -> None:
    Tenant.objects.filter(pk=bob.tenant.pk).update(timezone="Pacific/Auckland")
    made = make_stage(bob)
    with made.scope() as world:
        world.now = dt.datetime(2026, 3, 4, 23, 30, tzinfo=dt.UTC)
        world.suggest(made.flow, world.contact("Kiri"))
        assert list(flow_days(flow_id=made.flow.pk, first=None, last=EVER["last"])) == [dt.date(2026, 3, 5)]
        assert kept(made) == facts(made)
