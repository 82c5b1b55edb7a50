"""Ending a flow with more people than one transaction should hold: nobody moves from the first moment on."""

from __future__ import annotations

import pytest

from core.jobs import run_slice
from core.models import Job
from flows.models import Flow
from flows.operations.lifecycle import WrongStatus, start
from participants import counters
from participants.models import Participant
from participants.operations import lifecycle
from tests.participants.conftest import DAY, World, wait


def test_the_rest_is_cancelled_by_a_job_and_until_then_the_flow_cannot_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "SLICE", 3)
    flow = world.flow(wait(5))
    world.suggest(flow, *[world.contact(f"P{number}") for number in range(8)])
    world.advance(flow)
    world.now += DAY

    ended = lifecycle.end_flow(flow_id=flow.pk, actor=world.user, now=world.now)

    assert ended == lifecycle.Ended(cancelled=3, goes_on=True)
    assert world.advance(flow, days=9).claimed == 0
    with pytest.raises(WrongStatus, match="still being ended"):
        start(flow_id=flow.pk, actor=world.user, now=world.now)
    job = Job.objects.get(kind="cancel_participants")
    while run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=world.now):
        pass
    assert Participant.objects.filter(status="cancelled").count() == 8
    assert set(Participant.objects.values_list("ended_at", flat=True)) == {job.created_at}
    assert counters.flow_counts([flow.pk])[flow.pk]["cancelled"] == 8


def test_a_small_flow_is_ended_at_once(world: World) -> None:
    flow = world.flow(wait(5))
    world.suggest(flow, world.contact("Anna"))
    ended = lifecycle.end_flow(flow_id=flow.pk, actor=world.user, now=world.now)
    assert ended == lifecycle.Ended(cancelled=1, goes_on=False)
    assert not Job.objects.exists()
    assert Flow.objects.get(pk=flow.pk).status == "not_running"
