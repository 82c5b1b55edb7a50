"""The numbers on the canvas of View flow: they add up, with removed steps, and each opens the people behind it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache

from delivery.models import Message
from flows.models import Step
from participants.models import CounterDelta
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage
from tests.support.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    cache.clear()
    return made


def people(stage: Stage, query: str) -> set[str]:
    html = stage.person.client().get(stage.url(f"participants/?{query}")).text
    return set(re.findall(r"(\w+)@post\.test", html))


def counts(stage: Stage) -> Any:
    return stage.person.client().get(stage.url("canvas/counts/")).json()["steps"]


def test_every_number_opens_exactly_those_people(stage: Stage) -> None:
    numbers = counts(stage)
    for step_id, one in numbers.items():
        assert len(people(stage, f"status=active&step={step_id}")) == one["here"]
        assert len(people(stage, f"visited={step_id}&went=went_on")) == one["went_on"]
        assert len(people(stage, f"visited={step_id}&went=left")) == one["left"]
        assert sum(number for _, number, _ in one["leaving"]) == one["left"]
        for _, number, query in one["leaving"]:
            assert len(people(stage, f"visited={step_id}&went=left&{query}")) == number
        for branch_id, number in one["branches"].items():
            assert len(people(stage, f"branch={branch_id}")) == number
    assert people(stage, f"visited={stage.welcome.id}&went=left") == {"nour"}
    assert people(stage, f"branch={stage.split.branches[0].id}") == {"anna"}
    assert people(stage, f"branch={stage.wait.id}&visited=<script>&went=x") == set()


def test_a_step_that_was_removed_stays_in_the_table_with_its_numbers(stage: Stage) -> None:
    with stage.scope():
        gone = Step.objects.create(
            flow=stage.flow, kind="wait_for_time", title="Old wait", removed_at=stage.world.now
        )
        CounterDelta.objects.create(flow_id=stage.flow.pk, step_id=gone.pk, measure="entered", amount=4)
        CounterDelta.objects.create(flow_id=stage.flow.pk, step_id=gone.pk, measure="went_on", amount=3)
    html = stage.person.client().get(stage.url("canvas/")).text
    assert "with 1 removed step" in html
    row = re.search(r"Old wait</a>.*?</tr>", html, re.DOTALL)
    assert row is not None
    assert re.findall(r">(\d+)<", row.group()) == ["4", "1", "3", "0"]


def test_messages_count_a_click_as_an_opening_and_one_that_waits_as_none(stage: Stage) -> None:
    with stage.scope():
        ids = list(Message.objects.order_by("id").values_list("pk", flat=True))
        assert len(ids) == 3
        for pk, status in zip(ids, ("clicked", "opened", "queued"), strict=True):
            Message.objects.filter(pk=pk).update(status=status)
    assert counts(stage)[str(stage.welcome.id)]["messages"] == {"sent": 2, "opened": 2, "clicked": 1}
    for state, number in (("sent", 2), ("opened", 2), ("clicked", 1), ("is_opened", 1), ("is_queued", 1)):
        assert len(people(stage, f"got={state}&of={stage.welcome.id}")) == number
    assert people(stage, f"got=sent&of={stage.wait.id}") == set()
    panel = stage.person.client().get(stage.url(f"canvas/part/?part=step:{stage.welcome.id}")).text
    assert f"got=is_opened&amp;of={stage.welcome.id}" in panel
    assert counts(stage)[str(stage.wait.id)]["messages"] is None


def test_the_list_behind_a_number_asks_the_same_whatever_it_shows(stage: Stage) -> None:
    def asked(query: str) -> int:
        client = stage.person.client()
        client.get(stage.url("participants/"))
        with statements() as seen:
            client.get(stage.url(f"participants/?{query}"))
        return len(seen)

    assert asked(f"visited={stage.welcome.id}&went=went_on") == asked(f"visited={stage.wait.id}&went=went_on")
