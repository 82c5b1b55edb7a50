"""Drafts and saves of a flow, on a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.tenancy import tenant_scope
from crm.models import Selection, Usage
from crm.operations.clubs import delete_club
from crm.operations.usage import InUse
from delivery.models import Stream
from flows.document import FlowDocument
from flows.editing import steps
from flows.editing.tree import IllegalEdit
from flows.models import DraftState, Flow, FlowRevision, Step
from flows.operations import drafts, lifecycle
from flows.operations.create import copy_flow
from flows.operations.rename import rename_flow
from flows.operations.save import save_draft
from flows.queries import newest_document
from flows.steps.table import STEP_KINDS
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


def test_a_renamed_flow_is_named_anew_where_it_uses_something(
    flow: Flow, alice: Person, world: World
) -> None:
    current = add(flow, alice, step("add_to_selection", "Keep", selection=world.selection.pk))
    save_draft(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    add(current, alice, step("add_to_selection", "Leave", selection=world.excluded.pk), 1)
    other = Usage.objects.create(
        used_kind="selection", used_id=1, user_kind="form", user_id=flow.pk, user_name="A form", url="/"
    )
    rename_flow(flow_id=flow.pk, name="W" * 120, actor=alice.user, now=NOW)
    rename_flow(flow_id=flow.pk, name="Winter ❄", actor=alice.user, now=NOW)
    named = Usage.objects.filter(user_kind="flow", used_kind="selection").values_list("used_id", "user_name")
    assert dict(named) == {world.selection.pk: "Winter ❄", world.excluded.pk: "Winter ❄ (in a draft)"}
    other.refresh_from_db()
    assert other.user_name == "A form"


def test_ones_own_change_is_undone_from_under_somebody_elses_and_given_back(
    flow: Flow, alice: Person, bob: Person
) -> None:
    def walk(verb: Callable[..., Flow], current: Flow, who: Person) -> Flow:
        return verb(flow_id=flow.pk, base_version=current.draft_version, actor=who.user, now=NOW)

    current = add(flow, alice, step(title="First"))
    current = add(current, alice, step(title="Second"), 1)
    current = add(current, bob, step(title="Bob's"), 1)
    assert titles(current) == ["First", "Bob's", "Second"]
    current = walk(drafts.undo, current, alice)
    assert titles(current) == ["First", "Bob's"]
    assert current.draft_label == "took back: added a step"
    current = walk(drafts.undo, current, alice)
    assert titles(current) == ["Bob's"]
    with pytest.raises(drafts.NothingThere):
        walk(drafts.undo, current, alice)
    current = walk(drafts.redo, current, alice)
    assert titles(current) == ["First", "Bob's"]
    current = walk(drafts.redo, current, alice)
    assert titles(current) == ["First", "Bob's", "Second"]
    with pytest.raises(drafts.NothingThere):
        walk(drafts.redo, current, alice)
    current = walk(drafts.undo, current, bob)
    assert titles(current) == ["First", "Second"]
    with pytest.raises(drafts.NotYours, match="you redo only your own"):
        walk(drafts.redo, current, alice)


def test_what_somebody_changed_since_is_not_undone_and_who_changed_nothing_undoes_nothing(
    flow: Flow, alice: Person, bob: Person
) -> None:
    node = step(title="Hers")
    current = add(flow, alice, node)
    with pytest.raises(drafts.NotYours, match=r"Alice Wong's \(added a step\), and none before it is yours"):
        drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=bob.user, now=NOW)
    current = drafts.apply(
        flow_id=flow.pk,
        base_version=current.draft_version,
        change=lambda d: steps.update(d, step_id=node.id, title="His", note="", settings={}),
        label="changed",
        actor=bob.user,
        now=NOW,
    )
    with pytest.raises(IllegalEdit, match="Somebody changed the same since: “His”"):
        drafts.undo(flow_id=flow.pk, base_version=current.draft_version, actor=alice.user, now=NOW)
    flow.refresh_from_db()
    assert (titles(flow), flow.draft_version) == (["His"], current.draft_version)


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
