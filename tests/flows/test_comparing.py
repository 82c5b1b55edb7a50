"""Comparing two documents: nothing between equal ones, and every operation of the editor shows up."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.comparing.compare import Change, What, compare, out_of_order
from flows.document import (
    Branch,
    ExitSettings,
    Finish,
    FlowDocument,
    FlowSettings,
    Note,
    SuccessCriterion,
    Trigger,
)
from flows.editing import branches, frame, notes, steps
from flows.editing.tree import IllegalEdit, Slot
from tests.flows.documents import CHEFS, Edits, job, split, step

A, B, C = step(title="A", amount=1), step(title="B"), step(title="C")
CHEF = Branch(name="Chefs", criteria=CHEFS, steps=(C,))
NURSE = Branch(name="Nurses")
FORK = split(CHEF, NURSE, title="Fork")
TRIGGER, SUCCESS = Trigger(kind="contact_created"), SuccessCriterion(kind="sale_created")
FLOW = FlowDocument(triggers=(TRIGGER,), success=(SUCCESS,), steps=(A, B, FORK))


def found(old: FlowDocument, new: FlowDocument) -> list[tuple[str, str, uuid.UUID | None]]:
    return [(one.what.value, one.of, one.id) for one in compare(old, new)]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_only_equal_documents_have_no_difference(data: st.DataObject) -> None:
    document, edits = FlowDocument(), Edits(data.draw)
    for _ in range(data.draw(st.integers(1, 12))):
        try:
            after = edits.one(document)
        except IllegalEdit:
            continue
        assert compare(after, after) == []
        assert bool(compare(document, after)) is (document != after)
        assert bool(compare(after, document)) is (document != after)
        document = after


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_what_came_and_went_between_two_documents_is_the_other_way_round_backwards(
    data: st.DataObject,
) -> None:
    old = new = FlowDocument()
    edits = Edits(data.draw)
    for _ in range(10):
        try:
            new = edits.one(new)
        except IllegalEdit:
            continue
        old = new if data.draw(st.booleans()) else old
    turned = {What.ADDED: What.REMOVED, What.REMOVED: What.ADDED, What.CHANGED: What.CHANGED}
    there = {(one.what, one.of, one.id) for one in compare(old, new) if one.what in turned}
    back = {(turned[one.what], one.of, one.id) for one in compare(new, old) if one.what in turned}
    assert there == back


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: steps.move(d, step_id=A.id, slot=Slot(None, 3)), [("moved", "step", A.id)]),
        (lambda d: steps.move(d, step_id=A.id, slot=Slot(NURSE.id, 0)), [("moved", "step", A.id)]),
        (lambda d: steps.remove(d, step_id=B.id), [("removed", "step", B.id)]),
        (
            lambda d: steps.remove(d, step_id=FORK.id, keep=CHEF.id),
            [("moved", "step", C.id), ("removed", "step", FORK.id)],
        ),
        (
            lambda d: steps.remove(d, step_id=FORK.id),
            [("removed", "step", FORK.id), ("removed", "step", C.id)],
        ),
        (lambda d: branches.move_branch(d, branch_id=CHEF.id, by=1), [("moved", "branch", NURSE.id)]),
        (lambda d: branches.remove_branch(d, branch_id=NURSE.id), [("removed", "branch", NURSE.id)]),
        (
            lambda d: branches.end_branch(d, branch_id=CHEF.id, exit_=ExitSettings()),
            [("changed", "branch", CHEF.id)],
        ),
        (lambda d: frame.remove_trigger(d, trigger_id=TRIGGER.id), [("removed", "trigger", TRIGGER.id)]),
        (lambda d: frame.remove_success(d, success_id=SUCCESS.id), [("removed", "success", SUCCESS.id)]),
        (lambda d: frame.with_filter(d, criteria=CHEFS), [("changed", "filter", None)]),
        (
            lambda d: frame.with_finish(d, finish=Finish(success=ExitSettings(flow=7))),
            [("changed", "finish", None)],
        ),
        (
            lambda d: frame.with_settings(d, settings=FlowSettings(once_only=True)),
            [("changed", "settings", None)],
        ),
    ],
)
def test_each_operation_shows_up_as_what_it_did(
    change: Callable[[FlowDocument], FlowDocument], expected: list[tuple[str, str, uuid.UUID | None]]
) -> None:
    """Of two that change places either may be called the one that moved."""
    assert found(FLOW, change(FLOW)) == expected


def test_settings_say_from_what_to_what() -> None:
    changed = steps.update(
        FLOW, step_id=A.id, title="A later", note="", settings={"amount": 3, "unit": "days"}
    )
    changed = branches.update_branch(changed, branch_id=CHEF.id, name="Cooks", criteria=job("cook"))
    one, two = compare(FLOW, changed)
    assert one.changes == (
        Change("title", "A", "A later"),
        Change("amount", 1, 3),
        Change("unit", None, "days"),
    )
    assert [c.name for c in two.changes] == ["name", "criteria"]
    assert (one.part, two.part) == (f"step:{A.id}", f"branch:{CHEF.id}")


def test_a_note_that_came_went_moved_or_says_something_else_is_told_one_by_one() -> None:
    first, second = Note(text="Ask legal", step=A.id), Note(text="Later")
    noted = notes.add_note(notes.add_note(FLOW, note=first), note=second)
    assert found(FLOW, noted) == [("added", "note", first.id), ("added", "note", second.id)]
    changed = notes.update_note(noted, note_id=first.id, text="Asked", colour="green", step=None)
    (one,) = compare(noted, changed)
    assert (one.what, one.part) == ("changed", f"note:{first.id}")
    assert {c.name: (c.before, c.after) for c in one.changes} == {
        "text": ("Ask legal", "Asked"),
        "colour": ("yellow", "green"),
        "step": (str(A.id), None),
    }
    assert found(noted, notes.remove_note(noted, note_id=second.id)) == [("removed", "note", second.id)]
    assert found(noted, noted.model_copy(update={"notes": (second, first)})) in (
        [("moved", "note", first.id)],
        [("moved", "note", second.id)],
    )


def test_the_fewest_are_called_moved() -> None:
    a, b, c, d = (uuid.uuid4() for _ in range(4))
    assert out_of_order([a, b, c, d], [d, a, b, c]) == {d}
    assert out_of_order([a, b, c, d], [b, c, d, a]) == {a}
    assert out_of_order([a, b, c, d], [a, b, c, d]) == set()
    assert len(out_of_order([a, b, c, d], [d, c, b, a])) == 3
