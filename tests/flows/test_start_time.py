"""A running flow that waits for its start time can be given another one; what waits with it goes then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from accounts.models import AuditEntry
from core.tenancy import tenant_scope
from delivery.models import Stream
from flows.editing.frame import with_settings
from flows.models import Flow
from flows.operations import drafts, lifecycle
from flows.operations.lifecycle import NotReady, WrongStatus, change_start
from flows.queries import newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.drafting import add

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def starting(
    flow: Flow, alice: Person, world: World, at: dt.datetime | None, *, ends: dt.datetime = NOW + 9 * DAY
) -> Flow:
    """Start the flow; it begins at a moment."""
    current = add(flow, alice, step("send_email", "Welcome email", email=world.welcome.pk))
    current = drafts.apply(
        flow_id=flow.pk,
        base_version=current.draft_version,
        change=lambda old: with_settings(
            old,
            settings=old.settings.model_copy(update={"starts_at": at, "enrolment_ends_at": ends}),
        ),
        label="start",
        actor=alice.user,
        now=NOW,
    )
    return lifecycle.save_and_start(
        flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW
    )


def facts(flow: Flow) -> tuple[str, dt.datetime | None, str, int]:
    found = Flow.objects.get(pk=flow.pk)
    return found.status, found.starts_at, Stream.objects.get(pk=found.stream_id).state, found.revision


def test_another_start_time_is_a_revision_and_messages_go_on_waiting(
    flow: Flow, alice: Person, world: World
) -> None:
    starting(flow, alice, world, NOW + DAY)
    assert facts(flow) == ("running", NOW + DAY, "held", 1)
    change_start(flow_id=flow.pk, starts_at=NOW + 2 * DAY, actor=alice.user, now=NOW)
    assert facts(flow) == ("running", NOW + 2 * DAY, "held", 2)
    assert newest_document(flow.pk).settings.starts_at == NOW + 2 * DAY
    found = Flow.objects.get(pk=flow.pk)
    assert drafts.draft_of(found) == newest_document(flow.pk)
    assert found.clock_at == NOW + 2 * DAY
    assert AuditEntry.objects.filter(action="flow.start_time", object_id=flow.pk).count() == 1
    assert found.revisions.get(number=2).note == "Start time changed"


@pytest.mark.parametrize("at", [None, NOW - DAY, NOW])
def test_nothing_or_a_moment_that_is_past_lets_it_begin_at_once(
    flow: Flow, alice: Person, world: World, at: dt.datetime | None
) -> None:
    starting(flow, alice, world, NOW + DAY)
    change_start(flow_id=flow.pk, starts_at=at, actor=alice.user, now=NOW)
    assert facts(flow) == ("running", at, "open", 2)


def test_what_else_the_draft_has_stays_in_the_draft(flow: Flow, alice: Person, world: World) -> None:
    starting(flow, alice, world, NOW + DAY)
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    current = Flow.objects.get(pk=flow.pk)
    add(current, alice, step("wait_for_time", "Later", amount=1))
    lifecycle.resume(flow_id=flow.pk, actor=alice.user, now=NOW)
    change_start(flow_id=flow.pk, starts_at=NOW + 3 * DAY, actor=alice.user, now=NOW)
    saved, draft = newest_document(flow.pk), drafts.draft_of(Flow.objects.get(pk=flow.pk))
    assert [node.title for node in saved.walk()] == ["Welcome email"]
    assert [node.title for node in draft.walk()] == ["Later", "Welcome email"]
    assert saved.settings.starts_at == draft.settings.starts_at == NOW + 3 * DAY


def test_one_that_has_begun_or_would_begin_after_enrolment_ends_is_refused(
    flow: Flow, alice: Person, world: World
) -> None:
    starting(flow, alice, world, NOW + DAY)
    with pytest.raises(NotReady):
        change_start(flow_id=flow.pk, starts_at=NOW + 10 * DAY, actor=alice.user, now=NOW)
    with pytest.raises(WrongStatus):
        change_start(flow_id=flow.pk, starts_at=NOW + 2 * DAY, actor=alice.user, now=NOW + DAY)
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    with pytest.raises(WrongStatus):
        change_start(flow_id=flow.pk, starts_at=NOW + 2 * DAY, actor=alice.user, now=NOW)
    assert facts(flow) == ("paused", NOW + DAY, "held", 1)
