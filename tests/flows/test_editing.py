"""Operations on a document: what each does, and that none of them ever leaves an impossible document."""

from __future__ import annotations

import inspect
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.document import Branch, ExitSettings, FlowDocument, Note
from flows.editing import branches, frame, notes, several, steps
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit, Slot, fresh_document, slot_of
from tests.flows.documents import (
    ALWAYS,
    CHEFS,
    ON_BRANCHES,
    ON_NOTES,
    ON_STEPS,
    ON_SUCCESS,
    ON_TRIGGERS,
    Edits,
    slots,
    split,
    step,
)


def dump(document: FlowDocument) -> str:
    return document.model_dump_json()


def test_the_random_sequences_hold_every_operation_on_a_document() -> None:
    operations = {
        name
        for module in (branches, frame, notes, several, steps)
        for name, made in inspect.getmembers(module, inspect.isfunction)
        if made.__module__ == module.__name__
        and not name.startswith("_")
        and made.__annotations__.get("return") == "FlowDocument"
    }
    assert {*ALWAYS, *ON_TRIGGERS, *ON_SUCCESS, *ON_STEPS, *ON_BRANCHES, *ON_NOTES} == operations


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_any_sequence_of_operations_leaves_a_valid_document_and_an_illegal_one_changes_nothing(
    data: st.DataObject,
) -> None:
    document = FlowDocument()
    edits = Edits(data.draw)
    for _ in range(data.draw(st.integers(1, 25))):
        before = dump(document)
        try:
            after = edits.one(document)
        except IllegalEdit:
            assert dump(document) == before
            continue
        assert dump(document) == before, "operations are pure"
        assert checked(after) is after
        assert FlowDocument.model_validate_json(dump(after)) == after
        document = after


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_walking_back_through_the_states_returns_the_same_bytes(data: st.DataObject) -> None:
    states = [FlowDocument()]
    kept = [dump(states[0])]
    edits = Edits(data.draw)
    for _ in range(12):
        try:
            states.append(edits.one(states[-1]))
        except IllegalEdit:
            continue
        kept.append(dump(states[-1]))
    assert [dump(FlowDocument.model_validate_json(text)) for text in kept] == kept
    assert [dump(state) for state in states] == kept


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_move_keeps_every_step_exactly_once(data: st.DataObject) -> None:
    document = FlowDocument()
    edits = Edits(data.draw)
    for _ in range(8):
        document = edits.insert(document)
    before = sorted(node.id for node in document.walk())
    try:
        moved = edits.move(document)
    except IllegalEdit:
        return
    assert sorted(node.id for node in moved.walk()) == before


def test_a_step_moves_down_to_the_slot_that_was_pointed_at() -> None:
    a, b, c = step(title="A"), step(title="B"), step(title="C")
    document = FlowDocument(steps=(a, b, c))
    moved = steps.move(document, step_id=a.id, slot=Slot(None, 2))
    assert [node.title for node in moved.steps] == ["B", "A", "C"]


def test_a_step_stays_where_it_is_when_it_moves_to_either_slot_beside_it() -> None:
    a, b = step(title="A"), step(title="B")
    document = FlowDocument(steps=(a, b))
    assert steps.move(document, step_id=a.id, slot=Slot(None, 0)) == document
    assert steps.move(document, step_id=a.id, slot=Slot(None, 1)) == document


def test_a_split_cannot_be_moved_into_one_of_its_own_branches() -> None:
    inner = split(title="Inner")
    outer = split(Branch(name="One", steps=(inner,)), title="Outer")
    document = FlowDocument(steps=(outer,))
    with pytest.raises(IllegalEdit, match="into one of its own branches"):
        steps.move(document, step_id=outer.id, slot=Slot(inner.branches[0].id, 0))


def test_a_duplicated_split_has_new_ids_all_the_way_down() -> None:
    node = split(Branch(name="One", steps=(step(title="Deep"),)))
    document = steps.duplicate(FlowDocument(steps=(node,)), step_id=node.id)
    assert [n.title for n in document.walk()] == ["Split", "Deep", "Split", "Deep"]
    ids = [n.id for n in document.walk()] + [b.id for n in document.walk() for b in n.branches]
    assert len(set(ids)) == len(ids)


def test_removing_a_split_may_keep_the_steps_of_one_branch_in_line() -> None:
    kept, lost = step(title="Kept"), step(title="Lost")
    node = split(Branch(name="One", steps=(kept,)), Branch(name="Two", steps=(lost,)))
    document = FlowDocument(steps=(step(title="Before"), node, step(title="After")))
    titles = [n.title for n in steps.remove(document, step_id=node.id, keep=node.branches[0].id).walk()]
    assert titles == ["Before", "Kept", "After"]
    assert [n.title for n in steps.remove(document, step_id=node.id).walk()] == ["Before", "After"]


def test_everyone_else_is_always_last_and_cannot_be_moved_copied_or_removed() -> None:
    node = split(Branch(name="One"), Branch(name="Two"))
    document = FlowDocument(steps=(node,))
    last = node.branches[-1].id
    with pytest.raises(IllegalEdit):
        branches.move_branch(document, branch_id=last, by=-1)
    with pytest.raises(IllegalEdit):
        branches.move_branch(document, branch_id=node.branches[1].id, by=1)
    with pytest.raises(IllegalEdit):
        branches.copy_branch(document, branch_id=last)
    with pytest.raises(IllegalEdit):
        branches.remove_branch(document, branch_id=last)
    with pytest.raises(IllegalEdit):
        branches.update_branch(document, branch_id=last, name="All", criteria=CHEFS)
    with pytest.raises(IllegalEdit):
        branches.add_branch(document, step_id=node.id, position=3)


def test_a_new_branch_comes_right_before_everyone_else() -> None:
    node = split(Branch(name="One"))
    document = branches.add_branch(FlowDocument(steps=(node,)), step_id=node.id)
    assert [b.name for b in document.steps[0].branches] == ["One", "Branch 2", "Everyone else"]


def test_the_only_named_branch_cannot_be_removed() -> None:
    node = split(Branch(name="One"))
    with pytest.raises(IllegalEdit, match="one branch and everyone else at least"):
        branches.remove_branch(FlowDocument(steps=(node,)), branch_id=node.branches[0].id)


def test_branches_move_copy_and_end() -> None:
    node = split(Branch(name="One", steps=(step(title="Deep"),)), Branch(name="Two"))
    document = FlowDocument(steps=(node,))
    moved = branches.move_branch(document, branch_id=node.branches[0].id, by=1)
    assert [b.name for b in moved.steps[0].branches] == ["Two", "One", "Everyone else"]
    copied = branches.copy_branch(document, branch_id=node.branches[0].id)
    assert [b.name for b in copied.steps[0].branches] == ["One", "One (copy)", "Two", "Everyone else"]
    ended = branches.end_branch(document, branch_id=node.branches[1].id, exit_=ExitSettings(selection=7))
    assert ended.steps[0].branches[1].exit == ExitSettings(selection=7)
    joined = branches.end_branch(ended, branch_id=node.branches[1].id, exit_=None)
    assert joined == document


def test_a_place_that_is_gone_is_refused() -> None:
    document = FlowDocument(steps=(step(),))
    for slot in (Slot(None, 2), Slot(None, -1), Slot(uuid.uuid4(), 0)):
        with pytest.raises(IllegalEdit):
            steps.insert(document, slot=slot, node=step())


def test_pasting_nothing_is_refused_and_pasting_twice_gives_two_copies() -> None:
    document, node = FlowDocument(), step(title="Copy me")
    with pytest.raises(IllegalEdit, match="copy a step first"):
        steps.paste(document, slot=Slot(None, 0), nodes=())
    once = steps.paste(document, slot=Slot(None, 0), nodes=[node])
    twice = steps.paste(once, slot=Slot(None, 1), nodes=[node])
    assert [n.title for n in twice.steps] == ["Copy me", "Copy me"]
    assert node.id not in [n.id for n in twice.steps]


def test_move_by_walks_among_the_neighbours_and_stops_at_the_ends() -> None:
    a, b = step(title="A"), step(title="B")
    document = FlowDocument(steps=(a, b))
    assert [n.title for n in steps.move_by(document, step_id=a.id, by=1).steps] == ["B", "A"]
    assert [n.title for n in steps.move_by(document, step_id=b.id, by=-1).steps] == ["B", "A"]
    with pytest.raises(IllegalEdit, match="at that end already"):
        steps.move_by(document, step_id=a.id, by=-1)


def test_every_slot_of_a_document_takes_a_step_and_says_where_it_is() -> None:
    document = FlowDocument(steps=(split(Branch(name="One", steps=(step(),))), step()))
    for slot in slots(document):
        node = step(title="New")
        assert slot_of(steps.insert(document, slot=slot, node=node), node.id) == slot


def test_several_steps_move_in_the_order_of_the_document_and_a_split_takes_what_is_in_it() -> None:
    a, b, c, d = (step(title=title) for title in "ABCD")
    fork = split(Branch(name="One", steps=(c,)))
    document = FlowDocument(steps=(a, fork, b, d))
    moved = several.move_several(document, step_ids=[b.id, c.id, fork.id, a.id], slot=Slot(None, 4))
    assert [n.title for n in moved.walk()] == ["D", "A", "Split", "C", "B"]
    out = several.move_several(document, step_ids=[c.id, d.id], slot=Slot(None, 0))
    assert [n.title for n in out.walk()] == ["C", "D", "A", "Split", "B"]
    with pytest.raises(IllegalEdit, match="into one of its own branches"):
        several.move_several(document, step_ids=[a.id, fork.id], slot=Slot(fork.branches[0].id, 0))


def test_several_steps_are_removed_at_once_and_none_or_a_lost_one_is_refused() -> None:
    a, b, c = step(title="A"), step(title="B"), step(title="C")
    document = FlowDocument(steps=(a, split(Branch(name="One", steps=(b,)), title="Fork"), c))
    left = several.remove_several(document, step_ids=[a.id, b.id])
    assert [n.title for n in left.walk()] == ["Fork", "C"]
    for ids in ([], [uuid.uuid4()], [a.id, uuid.uuid4()]):
        with pytest.raises(IllegalEdit):
            several.remove_several(document, step_ids=ids)


def test_a_branch_goes_to_the_place_where_it_was_dropped_but_never_behind_everyone_else() -> None:
    node = split(Branch(name="One"), Branch(name="Two"), Branch(name="Three"))
    document = FlowDocument(steps=(node,))
    moved = branches.place_branch(document, branch_id=node.branches[2].id, position=0)
    assert [b.name for b in moved.steps[0].branches] == ["Three", "One", "Two", "Everyone else"]
    with pytest.raises(IllegalEdit, match="Everyone else comes last"):
        branches.place_branch(document, branch_id=node.branches[0].id, position=3)


def test_a_note_moves_with_its_step_goes_with_it_and_is_copied_with_the_flow() -> None:
    a, b = step(title="A"), step(title="B")
    document = FlowDocument(steps=(a, b))
    for note in (Note(text="At A", step=a.id), Note(text="At the start")):
        document = notes.add_note(document, note=note)
    assert steps.move(document, step_id=a.id, slot=Slot(None, 2)).notes == document.notes
    assert [n.text for n in steps.remove(document, step_id=a.id).notes] == ["At the start"]
    copy = fresh_document(document)
    assert [(n.text, n.step) for n in copy.notes] == [("At A", copy.steps[0].id), ("At the start", None)]
    assert {n.id for n in copy.notes}.isdisjoint(n.id for n in document.notes)
    with pytest.raises(IllegalEdit):
        notes.add_note(document, note=Note(step=uuid.uuid4()))
    with pytest.raises(IllegalEdit):
        notes.remove_note(document, note_id=uuid.uuid4())


def test_a_document_from_before_there_were_notes_still_loads() -> None:
    old = FlowDocument(steps=(step(),)).model_dump(mode="json")
    del old["notes"]
    assert FlowDocument.model_validate(old).notes == ()
