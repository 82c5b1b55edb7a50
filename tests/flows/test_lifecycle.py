"""The lifecycle of a flow on a real database: start, pause, resume, end, delete, and who stands in the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from accounts.models import AuditEntry
from content.models import EmailLock
from core.tenancy import tenant_scope
from crm.models import Usage
from delivery.models import Stream
from flows.document import FlowDocument
from flows.editing import steps
from flows.editing.frame import with_settings
from flows.editing.tree import Slot
from flows.locks import flow_gate_exclusive, flow_gate_shared
from flows.models import Flow, FlowRevision
from flows.occupancy import PeopleInside
from flows.operations import drafts, lifecycle
from flows.operations.create import copy_flow
from flows.operations.revisions import restore_revision
from flows.operations.save import save_draft
from flows.queries import NeverSaved, newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.drafting import OCCUPIED, add, titles


@pytest.fixture(autouse=True)
def scope(alice: Person, settings: object) -> Iterator[None]:
    OCCUPIED.clear()
    settings.FLOWS_OCCUPANCY = "tests.flows.drafting.occupancy"  # type: ignore[attr-defined]
    with tenant_scope(alice.tenant.pk):
        yield


def ready(flow: Flow, alice: Person, world: World) -> Flow:
    """Give the flow a step with which it can start."""
    return add(flow, alice, step("send_email", "Welcome email", email=world.welcome.pk))


def begin(flow: Flow, alice: Person) -> Flow:
    return lifecycle.save_and_start(
        flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW
    )


def test_a_flow_starts_pauses_resumes_and_ends_with_its_stream_and_the_locks_of_its_emails(
    flow: Flow, alice: Person, world: World
) -> None:
    running = begin(ready(flow, alice, world), alice)
    stream = Stream.objects.get(pk=flow.stream_id)
    assert (running.status, running.started_at, stream.state) == ("running", NOW, "open")
    assert EmailLock.objects.filter(flow_id=flow.pk, email=world.welcome).exists()
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    stream.refresh_from_db()
    assert (Flow.objects.get(pk=flow.pk).status, stream.state) == ("paused", "held")
    assert not EmailLock.objects.exists()
    lifecycle.resume(flow_id=flow.pk, actor=alice.user, now=NOW)
    lifecycle.end(flow_id=flow.pk, actor=alice.user, now=NOW)
    stream.refresh_from_db()
    assert (Flow.objects.get(pk=flow.pk).status, stream.state) == ("not_running", "closed")
    actions = AuditEntry.objects.filter(object_kind="flow").order_by("id").values_list("action", flat=True)
    assert list(actions) == [
        "flow.create",
        "flow.save",
        "flow.start",
        "flow.pause",
        "flow.resume",
        "flow.end",
    ]


def test_a_double_click_on_start_starts_once(flow: Flow, alice: Person, world: World) -> None:
    current = ready(flow, alice, world)
    begin(current, alice)
    begin(current, alice)
    assert AuditEntry.objects.filter(action="flow.start").count() == 1
    assert FlowRevision.objects.count() == 1


def test_a_start_with_problems_is_refused_with_all_of_them_and_changes_nothing(
    flow: Flow, alice: Person
) -> None:
    current = add(add(flow, alice, step("send_email", "Welcome email")), alice, step(title="Wait"), 1)
    with pytest.raises(lifecycle.NotReady) as refused:
        begin(current, alice)
    assert [(p.title, p.message) for p in refused.value.problems] == [
        ("Welcome email", "Choose an email"),
        ("Wait", "Say how long to wait"),
    ]
    flow.refresh_from_db()
    assert (flow.status, flow.revision) == ("not_running", 0)
    assert Stream.objects.get(pk=flow.stream_id).state == "closed"


def test_a_flow_that_was_never_saved_cannot_start(flow: Flow, alice: Person) -> None:
    with pytest.raises(lifecycle.NotReady, match="1 things"):
        lifecycle.start(flow_id=flow.pk, actor=alice.user, now=NOW)
    with pytest.raises(NeverSaved):
        newest_document(flow.pk)


def test_a_running_flow_cannot_be_edited(flow: Flow, alice: Person, world: World) -> None:
    running = begin(ready(flow, alice, world), alice)
    with pytest.raises(drafts.NotEditable):
        add(running, alice, step())
    with pytest.raises(drafts.NotEditable):
        save_draft(flow_id=flow.pk, base_version=running.draft_version, actor=alice.user, now=NOW)


def test_a_wait_with_people_in_it_can_be_neither_moved_nor_removed(
    flow: Flow, alice: Person, world: World
) -> None:
    wait = step(title="Wait", amount=2)
    current = add(ready(flow, alice, world), alice, wait, 1)
    begin(current, alice)
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    OCCUPIED[wait.id] = 3
    for change in (
        lambda d: steps.remove(d, step_id=wait.id),
        lambda d: steps.move(d, step_id=wait.id, slot=Slot(None, 0)),
    ):
        with pytest.raises(PeopleInside, match="participants in it"):
            drafts.apply(
                flow_id=flow.pk,
                base_version=current.draft_version,
                change=change,
                label="",
                actor=alice.user,
                now=NOW,
                moves=(wait.id,),
            )
    OCCUPIED.clear()
    drafts.apply(
        flow_id=flow.pk,
        base_version=current.draft_version,
        change=lambda d: steps.remove(d, step_id=wait.id),
        label="removed",
        actor=alice.user,
        now=NOW,
    )


def test_neither_undo_nor_an_old_revision_moves_a_wait_with_people_in_it(
    flow: Flow, alice: Person, world: World
) -> None:
    first, second = step(title="First", amount=2), step(title="Second", amount=2)
    current = add(add(ready(flow, alice, world), alice, first, 1), alice, second, 2)
    begin(current, alice)
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    moved = drafts.apply(
        flow_id=flow.pk,
        base_version=current.draft_version,
        change=lambda d: steps.move(d, step_id=second.id, slot=Slot(None, 0)),
        label="moved “Second”",
        actor=alice.user,
        now=NOW,
        moves=(second.id,),
    )
    save_draft(flow_id=flow.pk, base_version=moved.draft_version, actor=alice.user, now=NOW)
    OCCUPIED[second.id] = 1
    with pytest.raises(PeopleInside, match="“Second” has participants in it"):
        drafts.undo(flow_id=flow.pk, base_version=moved.draft_version, actor=alice.user, now=NOW)
    OCCUPIED[first.id] = 1
    with pytest.raises(PeopleInside):
        restore_revision(
            flow_id=flow.pk, number=1, base_version=moved.draft_version, actor=alice.user, now=NOW
        )
    flow.refresh_from_db()
    assert (titles(flow), flow.draft_version) == (
        ["Second", "Welcome email", "First"],
        moved.draft_version,
    )
    OCCUPIED.clear()
    back = drafts.undo(flow_id=flow.pk, base_version=moved.draft_version, actor=alice.user, now=NOW)
    assert titles(back) == ["Welcome email", "First", "Second"]


def test_an_email_step_with_people_waiting_for_the_timeframe_may_go(
    flow: Flow, alice: Person, world: World
) -> None:
    node = step("send_email", "Welcome email", email=world.welcome.pk)
    current = add(add(flow, alice, node), alice, step(title="Wait", amount=1), 1)
    begin(current, alice)
    lifecycle.pause(flow_id=flow.pk, actor=alice.user, now=NOW)
    OCCUPIED[node.id] = 1
    gone = drafts.apply(
        flow_id=flow.pk,
        base_version=current.draft_version,
        change=lambda d: steps.remove(d, step_id=node.id),
        label="removed",
        actor=alice.user,
        now=NOW,
        moves=(node.id,),
    )
    assert titles(gone) == ["Wait"]


def test_only_a_flow_that_is_not_running_and_not_used_is_deleted(
    flow: Flow, alice: Person, world: World
) -> None:
    running = begin(ready(flow, alice, world), alice)
    with pytest.raises(lifecycle.WrongStatus):
        lifecycle.delete(flow_id=flow.pk, actor=alice.user, now=NOW)
    lifecycle.end(flow_id=flow.pk, actor=alice.user, now=NOW)
    lifecycle.delete(flow_id=flow.pk, actor=alice.user, now=NOW)
    running.refresh_from_db()
    assert running.deleted_at == NOW
    assert running.name == "Autumn welcome"
    assert not Usage.objects.exists()


def test_a_copy_has_its_own_steps_and_emails_and_does_not_run(
    flow: Flow, alice: Person, world: World
) -> None:
    current = ready(flow, alice, world)
    copy = copy_flow(flow=current, actor=alice.user, now=NOW)
    original, copied = drafts.draft_of(current).steps[0], drafts.draft_of(copy).steps[0]
    assert (copy.name, copy.status, copy.revision) == ("Autumn welcome (copy)", "not_running", 0)
    assert copied.id != original.id
    assert copied.settings["email"] not in {None, world.welcome.pk}


@pytest.mark.django_db(transaction=True)
def test_whoever_changes_the_flow_waits_for_the_batches_in_flight(flow: Flow) -> None:
    changed = threading.Event()

    def change() -> None:
        try:
            with transaction.atomic(), connection.cursor() as other:
                flow_gate_exclusive(other, flow.pk)
                changed.set()
        finally:
            connection.close()

    with connection.cursor() as cursor:
        assert flow_gate_shared(cursor, flow.pk)
    thread = threading.Thread(target=change, daemon=True)
    thread.start()
    assert not changed.wait(0.3), "the batch's transaction is still open"


def test_settings_with_start_and_end_are_on_the_flow_after_a_save(flow: Flow, alice: Person) -> None:
    def timed(document: FlowDocument) -> FlowDocument:
        settings = document.settings.model_copy(update={"starts_at": NOW, "enrolment_ends_at": NOW})
        return with_settings(document, settings=settings)

    current = drafts.apply(
        flow_id=flow.pk, base_version=0, change=timed, label="timed", actor=alice.user, now=NOW
    )
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    flow.refresh_from_db()
    assert (flow.starts_at, flow.enrolment_ends_at) == (NOW, NOW)
