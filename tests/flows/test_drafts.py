"""Drafts, saves and the lifecycle of a flow, on a real database."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from content.models import EmailLock
from core.tenancy import tenant_scope
from crm.models import Selection, Usage
from crm.operations.clubs import delete_club
from crm.operations.usage import InUse
from delivery.models import Stream
from flows.document import FlowDocument
from flows.editing import steps
from flows.editing.frame import with_settings
from flows.editing.tree import IllegalEdit, Slot
from flows.locks import flow_gate_exclusive, flow_gate_shared
from flows.models import DraftState, Flow, FlowRevision, Step
from flows.occupancy import PeopleInside
from flows.operations import drafts, lifecycle
from flows.operations.create import copy_flow
from flows.operations.revisions import restore_revision
from flows.operations.save import save_draft
from flows.queries import NeverSaved, newest_document
from flows.steps.table import STEP_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step

OCCUPIED: dict[uuid.UUID, int] = {}


def occupancy(flow_id: int) -> dict[uuid.UUID, int]:
    """Stand in for participants: the steps that a test says are occupied."""
    return OCCUPIED


@pytest.fixture(autouse=True)
def scope(alice: Person, settings: object) -> Iterator[None]:
    OCCUPIED.clear()
    settings.FLOWS_OCCUPANCY = "tests.flows.test_drafts.occupancy"  # type: ignore[attr-defined]
    with tenant_scope(alice.tenant.pk):
        yield


def add(flow: Flow, alice: Person, node: object, index: int = 0, *, version: int | None = None) -> Flow:
    """Insert a step into the draft."""
    return drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version if version is None else version,
        change=lambda d: steps.insert(d, slot=Slot(None, index), node=node),  # type: ignore[arg-type]
        label="added a step",
        actor=alice.user,
        now=NOW,
    )


def titles(flow: Flow) -> list[str]:
    return [node.title for node in drafts.draft_of(flow).walk()]


def test_undo_and_redo_walk_the_states_and_return_the_same_draft(flow: Flow, alice: Person) -> None:
    empty = flow.draft
    one = add(flow, alice, step(title="A"))
    two = add(one, alice, step(title="B"), 1)
    kept = two.draft
    back = drafts.undo(flow_id=flow.pk, base_version=two.draft_version, actor=alice.user, now=NOW)
    assert titles(back) == ["A"]
    back = drafts.undo(flow_id=flow.pk, base_version=back.draft_version, actor=alice.user, now=NOW)
    assert back.draft == empty
    with pytest.raises(drafts.NothingThere):
        drafts.undo(flow_id=flow.pk, base_version=back.draft_version, actor=alice.user, now=NOW)
    forth = drafts.redo(flow_id=flow.pk, base_version=back.draft_version, actor=alice.user, now=NOW)
    forth = drafts.redo(flow_id=flow.pk, base_version=forth.draft_version, actor=alice.user, now=NOW)
    assert forth.draft == kept
    with pytest.raises(drafts.NothingThere):
        drafts.redo(flow_id=flow.pk, base_version=forth.draft_version, actor=alice.user, now=NOW)


def test_a_new_edit_after_undo_ends_the_redo(flow: Flow, alice: Person) -> None:
    one = add(flow, alice, step(title="A"))
    back = drafts.undo(flow_id=flow.pk, base_version=one.draft_version, actor=alice.user, now=NOW)
    other = add(back, alice, step(title="B"))
    with pytest.raises(drafts.NothingThere):
        drafts.redo(flow_id=flow.pk, base_version=other.draft_version, actor=alice.user, now=NOW)
    assert titles(other) == ["B"]


def test_a_hundred_states_are_kept(flow: Flow, alice: Person) -> None:
    current = flow
    for number in range(110):
        current = add(current, alice, step(title=str(number)))
    assert DraftState.objects.filter(flow=flow).count() == 100
    for _ in range(60):
        current = drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert len(titles(current)) == 50


def test_the_second_of_two_editors_is_told_who_changed_what_and_nothing_is_overwritten(
    flow: Flow, alice: Person, bob: Person
) -> None:
    seen = flow.draft_version
    changed = add(flow, bob, step(title="Bob's"))
    with pytest.raises(drafts.DraftConflict) as refused:
        add(flow, alice, step(title="Alice's"), version=seen)
    assert (refused.value.who, refused.value.what) == ("Bob Larsen", "added a step")
    flow.refresh_from_db()
    assert titles(flow) == ["Bob's"]
    assert flow.draft_version == changed.draft_version


def test_an_illegal_edit_leaves_version_draft_and_history_alone(flow: Flow, alice: Person) -> None:
    before = (flow.draft, flow.draft_version, DraftState.objects.count())
    with pytest.raises(IllegalEdit):
        add(flow, alice, step(), 5)
    flow.refresh_from_db()
    assert (flow.draft, flow.draft_version, DraftState.objects.count()) == before


def test_a_save_writes_a_numbered_revision_steps_usage_and_the_stream(
    flow: Flow, alice: Person, world: World
) -> None:
    node = step("send_email", "Welcome email", email=world.welcome.pk)
    current = add(flow, alice, node)
    revision = save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert revision.number == 1
    assert newest_document(flow.pk) == drafts.draft_of(current)
    assert list(Step.objects.values_list("id", "title", "removed_at")) == [(node.id, "Welcome email", None)]
    used = set(Usage.objects.filter(user_kind="flow").values_list("used_kind", "used_id", "place"))
    assert used == {
        ("email", world.welcome.pk, "Welcome email"),
        ("subscription_type", world.newsletter.pk, "Message settings"),
    }
    assert Usage.objects.get(used_kind="email").url == alice.url(
        f"flows/{flow.pk}/edit/?part=step:{node.id}"
    ).removeprefix("http://testserver")
    world.welcome.refresh_from_db()
    assert world.welcome.flow_id == flow.pk, "an email becomes the flow's own when a saved step sends it"
    stream = Stream.objects.get(pk=flow.stream_id)
    assert (stream.timezone, stream.subscription_type_id) == ("Europe/Oslo", world.newsletter.pk)


def test_what_only_a_draft_uses_is_in_use_and_named_so(flow: Flow, alice: Person, world: World) -> None:
    def draft_uses() -> list[tuple[str, int, str, str]]:
        rows = Usage.objects.filter(user_kind="flow", in_draft=True).order_by("used_kind", "place")
        return list(rows.values_list("used_kind", "used_id", "user_name", "place"))

    name, stays = "Autumn welcome (in a draft)", ("subscription_type", world.newsletter.pk)
    settings = (*stays, name, "Message settings")
    assert draft_uses() == [settings], "a flow that was never saved"
    current = add(flow, alice, step("add_to_selection", "Keep", selection=world.selection.pk))
    assert draft_uses() == [("selection", world.selection.pk, name, "Keep"), settings]
    with pytest.raises(InUse, match="is used in 1 place and cannot be deleted"):
        delete_club(model=Selection, club_id=world.selection.pk, actor=alice.user)
    current = drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert draft_uses() == [settings]
    current = drafts.redo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert draft_uses() == [], "the revision uses it now"
    with CaptureQueriesContext(connection) as queries:
        add(current, alice, step(title="Wait"))
    assert not [q for q in queries if "crm_usage" in q["sql"] and not q["sql"].startswith("SELECT")]
    copy = copy_flow(flow=Flow.objects.get(pk=flow.pk), actor=alice.user, now=NOW)
    assert {(row[0], row[3]) for row in draft_uses()} == {
        ("selection", "Keep"),
        ("subscription_type", "Message settings"),
    }
    lifecycle.delete(flow_id=copy.pk, actor=alice.user, now=NOW)
    assert draft_uses() == []


def test_one_undoes_and_redoes_only_ones_own_changes(flow: Flow, alice: Person, bob: Person) -> None:
    own = add(flow, alice, step(title="Alice's"))
    current = add(own, bob, step(title="Bob's"), 1)
    with pytest.raises(drafts.NotYours, match=r"The newest change is Bob Larsen's \(added a step\)"):
        drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    flow.refresh_from_db()
    assert (titles(flow), flow.draft_version) == (["Alice's", "Bob's"], current.draft_version)
    current = drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=bob.user, now=NOW)
    with pytest.raises(drafts.NotYours, match="you redo only your own"):
        drafts.redo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    current = drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert titles(current) == []
    with pytest.raises(drafts.NotYours):
        drafts.redo(flow_id=flow.pk, base_version=current.draft_version, actor=bob.user, now=NOW)


def test_settings_written_out_as_they_were_are_no_change(flow: Flow, alice: Person) -> None:
    node = step("wait_for_time", "Wait")
    current = add(flow, alice, node)
    written = STEP_KINDS["wait_for_time"].settings(node).model_dump(mode="json")

    def change(settings: dict[str, object]) -> Flow:
        return drafts.apply(
            flow_id=flow.pk,
            base_version=current.draft_version,
            change=lambda d: steps.update(d, step_id=node.id, title="Wait", note="", settings=settings),
            label="changed",
            actor=alice.user,
            now=NOW,
        )

    assert node.settings != written
    unchanged = change(written)
    assert (unchanged.draft_version, unchanged.draft) == (current.draft_version, current.draft)
    assert change({**written, "amount": 9}).draft_version == current.draft_version + 1


def test_saving_again_without_a_change_makes_no_revision(flow: Flow, alice: Person) -> None:
    current = add(flow, alice, step())
    for _ in range(2):
        save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert FlowRevision.objects.filter(flow=flow).count() == 1


def test_a_removed_step_stays_for_the_sums_and_comes_back_with_its_id(flow: Flow, alice: Person) -> None:
    node = step(title="Wait")
    current = add(flow, alice, node)
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    current = drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert Step.objects.get(pk=node.id).removed_at == NOW
    current = drafts.redo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    assert Step.objects.get(pk=node.id).removed_at is None
    assert FlowRevision.objects.filter(flow=flow).count() == 3


def test_a_step_of_another_flow_cannot_be_saved(flow: Flow, alice: Person) -> None:
    node = step()
    current = add(flow, alice, node)
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    from flows.operations.create import create_flow

    thief = create_flow(name="Thief", owner=alice.user, now=NOW, document=FlowDocument(steps=(node,)))
    with pytest.raises(IllegalEdit, match="another flow"):
        save_draft(flow_id=thief.pk, base_version=thief.draft_version, actor=alice.user, now=NOW)
    assert not FlowRevision.objects.filter(flow=thief).exists()


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
