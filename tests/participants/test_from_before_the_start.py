"""What happened before a flow was started and is taken after it: nobody enters for it, and who was sent keeps why."""

from __future__ import annotations

import datetime as dt

from crm.events import NewEvent, Origin, record_events
from flows.document import ExitSettings, Finish, Trigger
from flows.models import Flow
from participants.intake import take_events
from participants.models import Participant, Suggestion
from participants.why_words import newest_verdict
from tests.participants.conftest import NOW, World, update, wait

HOUR = dt.timedelta(hours=1)


def run_late(flow: Flow, at: dt.datetime) -> None:
    Flow.objects.filter(pk=flow.pk).update(status="running", started_at=at, status_since=at)


def test_who_was_sent_here_before_the_start_keeps_the_refusal(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    target = world.flow(wait(1), name="Target", status="not_running")
    onward = ExitSettings(flow=target.pk)
    first = world.flow(
        update("contact.job_title", "set", "x"),
        finish=Finish(success=onward, no_success=onward),
        name="First",
    )
    world.suggest(first, anna)
    world.advance(first)
    # Anna's event waits in the inbox while the target is started; Ben comes to Finish after it.
    run_late(target, NOW + HOUR)
    world.now += 2 * HOUR
    world.suggest(first, ben)
    world.advance(first)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert list(Participant.objects.filter(flow_id=target.pk).values_list("contact_id", flat=True)) == [
        ben.pk
    ]
    kept = Suggestion.objects.get(flow_id=target.pk, contact_id=anna.pk)
    assert (kept.verdict, kept.source, kept.source_id) == ("not_open", "onward", first.pk)
    assert kept.values == {"status": "not_running", "started": "2026-11-23T13:00+00:00"}
    told = newest_verdict(flow_id=target.pk, contact_id=anna.pk)
    assert told is not None
    assert told.sentence == (
        "Enrolment was not open: they were sent here before the flow was started on 23 November 2026 at 13:00."
    )
    assert take_events(tenant_id=world.tenant.pk, now=world.now).taken == 0
    assert Suggestion.objects.filter(flow_id=target.pk).count() == 2


def test_a_triggers_event_from_before_the_start_is_no_suggestion(world: World) -> None:
    anna = world.contact("Anna")
    flow = world.flow(
        wait(1), triggers=(Trigger(kind="outside_event", settings={"name": "paid"}),), status="not_running"
    )
    event = NewEvent("outside", anna.pk, NOW, Origin.API, object_key="paid", data={"name": "paid"})
    record_events([event])
    run_late(flow, NOW + HOUR)
    take_events(tenant_id=world.tenant.pk, now=NOW + 2 * HOUR)
    assert not Suggestion.objects.filter(flow_id=flow.pk).exists()
