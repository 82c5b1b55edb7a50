"""Undo and redo of one person beside another: as many times as one undid, whatever the other does meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.tenancy import tenant_scope
from flows.designer import Designer
from flows.editing.history import StateLine, redoable, undoable
from flows.models import Flow
from flows.operations import drafts
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step
from tests.flows.drafting import add, titles

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def walk(verb: Callable[..., Flow], flow: Flow, who: Person, times: int = 1) -> Flow:
    for _ in range(times):
        flow = verb(flow_id=flow.pk, base_version=flow.draft_version, actor=who.user, now=NOW)
    return flow


def last(flow: Flow, who: Person, title: str) -> Flow:
    """Add a step at the end."""
    return add(flow, who, step(title=title), len(flow.draft["steps"]))


def may_redo(flow: Flow, who: Person) -> bool:
    return Designer(flow, who.tenant, who.member, NOW).walkable.redo


def test_ten_are_undone_and_redone_with_a_colleagues_edits_between(
    flow: Flow, alice: Person, bob: Person
) -> None:
    for number in range(10):
        flow = last(flow, alice, f"A{number}")
        if number in {2, 5, 8}:
            flow = last(flow, bob, f"B{number}")
    drawn = titles(flow)
    flow = walk(drafts.undo, flow, alice, 10)
    assert titles(flow) == ["B2", "B5", "B8"]
    with pytest.raises(drafts.NothingThere):
        walk(drafts.undo, flow, alice)
    flow = walk(drafts.redo, flow, alice, 10)
    assert titles(flow) == drawn
    assert not may_redo(flow, alice)
    with pytest.raises(drafts.NothingThere):
        walk(drafts.redo, flow, alice)
    # And once more: what was given back can be taken back again.
    flow = walk(drafts.undo, flow, alice, 10)
    assert titles(flow) == ["B2", "B5", "B8"]
    assert titles(walk(drafts.redo, flow, alice, 10)) == drawn


def test_what_was_undone_is_redone_after_a_colleague_went_on_from_there(
    flow: Flow, alice: Person, bob: Person
) -> None:
    for title in ("One", "Two", "Three"):
        flow = last(flow, alice, title)
    flow = walk(drafts.undo, flow, alice, 2)
    flow = add(flow, bob, step(title="Bob's"), 0)
    assert titles(flow) == ["Bob's", "One"]
    assert (may_redo(flow, alice), may_redo(flow, bob)) == (True, False)
    with pytest.raises(drafts.NothingThere):
        walk(drafts.redo, flow, bob)
    flow = walk(drafts.redo, flow, alice)
    assert titles(flow) == ["Bob's", "One", "Two"]
    flow = add(flow, bob, step(title="Bob's second"), 0)
    flow = walk(drafts.redo, flow, alice)
    assert titles(flow) == ["Bob's second", "Bob's", "One", "Two", "Three"]
    assert not may_redo(flow, alice)
    flow = walk(drafts.undo, flow, bob, 2)
    assert titles(flow) == ["One", "Two", "Three"]
    assert titles(walk(drafts.redo, flow, bob, 2)) == ["Bob's second", "Bob's", "One", "Two", "Three"]


def test_each_redoes_the_own_though_both_undid(flow: Flow, alice: Person, bob: Person) -> None:
    flow = last(last(flow, bob, "Bob's"), alice, "Alice's")
    flow = walk(drafts.undo, walk(drafts.undo, flow, alice), bob)
    assert titles(flow) == []
    flow = walk(drafts.redo, flow, alice)
    assert titles(flow) == ["Alice's"]
    assert titles(walk(drafts.redo, flow, bob)) == ["Bob's", "Alice's"]


def test_a_new_change_ends_ones_own_redo_and_nobody_elses(flow: Flow, alice: Person, bob: Person) -> None:
    flow = last(last(flow, bob, "Bob's"), alice, "Alice's")
    flow = walk(drafts.undo, walk(drafts.undo, flow, alice), bob)
    flow = last(flow, alice, "Another")
    assert (may_redo(flow, alice), may_redo(flow, bob)) == (False, True)
    with pytest.raises(drafts.NothingThere):
        walk(drafts.redo, flow, alice)
    assert titles(walk(drafts.redo, flow, bob)) == ["Bob's", "Another"]


def test_an_undo_from_under_another_keeps_what_was_undone_before_it(
    flow: Flow, alice: Person, bob: Person
) -> None:
    flow = last(last(last(flow, alice, "One"), bob, "Bob's"), alice, "Two")
    flow = walk(drafts.undo, flow, alice, 2)
    assert titles(flow) == ["Bob's"]
    assert titles(walk(drafts.redo, flow, alice, 2)) == ["One", "Bob's", "Two"]


def test_which_states_are_in_effect() -> None:
    alice, bob = 1, 2
    lines = [
        StateLine(1, alice, None),
        StateLine(2, alice, None),
        StateLine(3, bob, None),
        StateLine(4, alice, 2),
        StateLine(5, bob, None),
    ]
    assert undoable(lines, alice) == [1]
    assert redoable(lines, alice) == [4]
    given = [*lines, StateLine(6, alice, 4)]
    assert undoable(given, alice) == [2, 1]
    assert redoable(given, alice) == []
    assert redoable([*lines, StateLine(6, alice, None)], alice) == []
    assert redoable([*lines, StateLine(6, bob, None)], alice) == [4]
    # The change itself is kept no more.
    assert redoable([StateLine(4, alice, 2), StateLine(5, bob, None)], alice) == [4]
