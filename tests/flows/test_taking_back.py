"""One change taken back from under later ones: all that it did goes, all else stays, and what conflicts is named."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.document import Branch, Finish, FlowDocument, FlowSettings
from flows.editing import branches, frame, steps
from flows.editing.taking_back import take_back
from flows.editing.tree import IllegalEdit, Slot
from tests.flows.documents import CHEFS, Edits, job, split, step

A, B, C = step(title="A", amount=1), step(title="B"), step(title="C")
CHEF, NURSE = Branch(name="Chefs", criteria=CHEFS, steps=(C,)), Branch(name="Nurses")
FORK = split(CHEF, NURSE, title="Fork")
FLOW = FlowDocument(steps=(A, B, FORK))
NEW, OTHER = step(title="New"), step(title="Other")


def renamed(document: FlowDocument, step_id: uuid.UUID, title: str) -> FlowDocument:
    return steps.update(document, step_id=step_id, title=title, note="", settings={})


Change = Callable[[FlowDocument], FlowDocument]
MINE: dict[str, Change] = {
    "insert": lambda d: steps.insert(d, slot=Slot(None, 1), node=NEW),
    "insert in a branch": lambda d: steps.insert(d, slot=Slot(NURSE.id, 0), node=NEW),
    "remove": lambda d: steps.remove(d, step_id=B.id),
    "remove a split": lambda d: steps.remove(d, step_id=FORK.id),
    "keep a branch in line": lambda d: steps.remove(d, step_id=FORK.id, keep=CHEF.id),
    "move": lambda d: steps.move(d, step_id=B.id, slot=Slot(NURSE.id, 0)),
    "reorder": lambda d: steps.move_by(d, step_id=A.id, by=1),
    "rename": lambda d: renamed(d, B.id, "Rest"),
    "branch": lambda d: branches.rename_branch(d, branch_id=NURSE.id, name="Doctors"),
    "remove a branch": lambda d: branches.remove_branch(d, branch_id=CHEF.id),
    "add a branch": lambda d: branches.add_branch(d, step_id=FORK.id),
    "finish": lambda d: frame.with_finish(d, finish=Finish()),
    "filter": lambda d: frame.with_filter(d, criteria=job("chef")),
}


@pytest.mark.parametrize("name", MINE)
def test_what_nobody_touched_goes_and_the_later_change_stays(name: str) -> None:
    after = MINE[name](FLOW)
    later = frame.with_settings(renamed(after, A.id, "Later"), settings=FlowSettings(once_only=True))
    assert take_back(FLOW, after, later) == frame.with_settings(
        renamed(FLOW, A.id, "Later"), settings=FlowSettings(once_only=True)
    )
    assert take_back(FLOW, after, after) == FLOW


def test_steps_that_others_put_beside_it_stay_beside_it() -> None:
    after = steps.insert(FLOW, slot=Slot(None, 1), node=NEW)
    later = steps.insert(after, slot=Slot(None, 1), node=OTHER)
    assert [n.title for n in take_back(FLOW, after, later).steps] == ["A", "Other", "B", "Fork"]
    after = steps.remove(FLOW, step_id=B.id)
    later = steps.insert(steps.remove(after, step_id=A.id), slot=Slot(None, 0), node=OTHER)
    assert [n.title for n in take_back(FLOW, after, later).steps] == ["B", "Other", "Fork"]


@pytest.mark.parametrize(
    ("mine", "theirs", "named"),
    [
        ("insert", lambda d: renamed(d, NEW.id, "Theirs"), "“Theirs”"),
        ("insert", lambda d: steps.move(d, step_id=NEW.id, slot=Slot(NURSE.id, 0)), "“New”"),
        ("rename", lambda d: renamed(d, B.id, "Theirs"), "“Theirs”"),
        ("move", lambda d: steps.move(d, step_id=B.id, slot=Slot(None, 0)), "“B”"),
        ("reorder", lambda d: steps.insert(d, slot=Slot(None, 0), node=OTHER), "the order of the steps"),
        (
            "branch",
            lambda d: branches.rename_branch(d, branch_id=NURSE.id, name="Theirs"),
            "branch “Theirs”",
        ),
        ("filter", lambda d: frame.with_filter(d, criteria=job("cook")), "the filter"),
    ],
)
def test_what_somebody_changed_since_is_named_and_nothing_is_taken(
    mine: str, theirs: Change, named: str
) -> None:
    after = MINE[mine](FLOW)
    with pytest.raises(IllegalEdit, match=f"Somebody changed the same since: {named}"):
        take_back(FLOW, after, theirs(after))


def test_what_others_took_out_already_is_no_conflict() -> None:
    after = steps.insert(FLOW, slot=Slot(None, 1), node=NEW)
    assert take_back(FLOW, after, steps.remove(after, step_id=NEW.id)) == FLOW


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_change_is_taken_back_whole_or_not_at_all_and_leaves_a_lawful_flow(data: st.DataObject) -> None:
    edits = Edits(data.draw)
    states = [FLOW]
    while len(states) < 4:
        try:
            states.append(edits.one(states[-1]))
        except IllegalEdit:
            states.append(states[-1])
    assert take_back(states[0], states[1], states[1]) == states[0]
    try:
        result = take_back(states[1], states[2], states[3])
    except IllegalEdit:
        return
    ids = [node.id for node in result.walk()]
    assert len(ids) == len(set(ids))
