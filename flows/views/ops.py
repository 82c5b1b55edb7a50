"""What the designer may ask for by name: each turns a request into one pure operation on the draft."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from flows.document import ExitSettings, FlowDocument, Note, StepNode
from flows.editing import branches, frame, notes, several, steps
from flows.editing.tree import IllegalEdit, Slot, find_branch, find_step, slot_of, steps_in
from flows.operations.drafts import Change
from flows.references import part
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


@dataclass(slots=True)
class Ask:
    """A request for an operation, with what it may read."""

    post: QueryDict
    document: FlowDocument
    flow_id: int

    def id(self, name: str) -> uuid.UUID:
        """Return an id that was posted; raise IllegalEdit for anything else."""
        try:
            return uuid.UUID(self.post.get(name, ""))
        except ValueError:
            raise IllegalEdit("That is no longer in the flow.") from None

    @property
    def step_ids(self) -> list[uuid.UUID]:
        """Return the steps that were posted: several as `steps`, or one as `step`."""
        texts = (
            self.post.get("steps", "").split(",") if self.post.get("steps") else [self.post.get("step", "")]
        )
        try:
            return [uuid.UUID(text) for text in texts]
        except ValueError:
            raise IllegalEdit("That is no longer in the flow.") from None

    @property
    def slot(self) -> Slot:
        """Return the slot that was posted."""
        try:
            index = int(self.post.get("index", ""))
        except ValueError:
            raise IllegalEdit("That place is no longer in the flow.") from None
        return Slot(self.id("branch") if self.post.get("branch") else None, index)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: the operation, its words, the part to open, the element to focus and the steps to choose
    afterwards. `moves` names the steps that change place or go: people in them may forbid it."""

    change: Change
    label: str
    said: str
    part: str | None = None
    focus: str = ""
    moves: tuple[uuid.UUID, ...] = ()
    chooses: tuple[uuid.UUID, ...] = ()


def in_words(nodes: Sequence[StepNode]) -> str:
    """Return `“Welcome”`, or `3 steps`."""
    return f"“{nodes[0].title}”" if len(nodes) == 1 else f"{len(nodes)} steps"


def _insert(ask: Ask) -> Plan:
    kind = STEP_KINDS[_known(STEP_KINDS, ask.post.get("kind", ""))]
    node, slot = kind.new(), ask.slot
    return Plan(
        lambda d: steps.insert(d, slot=slot, node=node),
        f"added “{node.title}”",
        f"{node.title} added.",
        part("step", node.id),
        focus=f"step-{node.id}",
    )


def _move(ask: Ask) -> Plan:
    ids, slot = ask.step_ids, ask.slot
    nodes = several.chosen(ask.document, step_ids=ids)
    change: Change = lambda d: several.move_several(d, step_ids=ids, slot=slot)  # noqa: E731
    moved = tuple(node.id for node in nodes)
    said = f"{nodes[0].title} moved." if len(nodes) == 1 else f"{len(nodes)} steps moved."
    return Plan(change, f"moved {in_words(nodes)}", said, focus=f"step-{moved[0]}", moves=moved)


def _move_by(by: int) -> Callable[[Ask], Plan]:
    def plan(ask: Ask) -> Plan:
        step = ask.id("step")
        title, where = find_step(ask.document, step).title, "up" if by < 0 else "down"
        change: Change = lambda d: steps.move_by(d, step_id=step, by=by)  # noqa: E731
        return Plan(
            change, f"moved “{title}” {where}", f"{title} moved {where}.", focus=f"step-{step}", moves=(step,)
        )

    return plan


def _remove(ask: Ask) -> Plan:
    if ask.post.get("steps"):
        return _remove_several(ask)
    step = ask.id("step")
    keep = ask.id("keep") if ask.post.get("keep") else None
    title = find_step(ask.document, step).title
    return Plan(
        lambda d: steps.remove(d, step_id=step, keep=keep),
        f"removed “{title}”",
        f"{title} removed.",
        "",
        focus=beside(ask.document, step),
        moves=(step,),
    )


def _remove_several(ask: Ask) -> Plan:
    ids = ask.step_ids
    nodes = several.chosen(ask.document, step_ids=ids)
    words = in_words(nodes)
    return Plan(
        lambda d: several.remove_several(d, step_ids=ids),
        f"removed {words}",
        f"{words[0].upper()}{words[1:]} removed.",
        "",
        focus=beside(ask.document, nodes[0].id),
        moves=tuple(node.id for node in nodes),
    )


def beside(document: FlowDocument, step: uuid.UUID) -> str:
    """Return the element right before the step, which stays when it goes: the keyboard goes on from there."""
    place = slot_of(document, step)
    if place.index:
        return f"step-{steps_in(document, place.branch)[place.index - 1].id}"
    return f"branch-{place.branch}" if place.branch else "card-start"


def _add_branch(ask: Ask) -> Plan:
    step = ask.id("step") if ask.post.get("step") else find_branch(ask.document, ask.id("branch_id"))[0].id
    title = find_step(ask.document, step).title
    return Plan(
        lambda d: branches.add_branch(d, step_id=step), f"added a branch to “{title}”", "Branch added."
    )


def _on_branch(
    words: str, operation: Callable[[FlowDocument, uuid.UUID], FlowDocument]
) -> Callable[[Ask], Plan]:
    def plan(ask: Ask) -> Plan:
        branch_id = ask.id("branch_id")
        split, position = find_branch(ask.document, branch_id)
        label = f"{words} branch “{split.branches[position].name}”"
        said = f"{label[0].upper()}{label[1:]}."
        return Plan(lambda d: operation(d, branch_id), label, said, focus=f"branch-{branch_id}")

    return plan


def _remove_branch(ask: Ask) -> Plan:
    branch_id = ask.id("branch_id")
    split, position = find_branch(ask.document, branch_id)
    name = split.branches[position].name
    # Everyone else is last and stays; the keyboard goes on at the branch that takes the place.
    after = split.branches[position + 1 : position + 2]
    return Plan(
        lambda d: branches.remove_branch(d, branch_id=branch_id),
        f"removed branch “{name}”",
        f"Removed branch “{name}”.",
        focus=f"branch-{after[0].id}" if after else "",
    )


def _place_branch(ask: Ask) -> Plan:
    branch_id = ask.id("branch_id")
    split, position = find_branch(ask.document, branch_id)
    try:
        target = int(ask.post.get("position", ""))
    except ValueError:
        raise IllegalEdit("That place is no longer in the flow.") from None
    name = split.branches[position].name
    into = ask.id("step") if ask.post.get("step") else split.id
    if into != split.id:
        return Plan(
            lambda d: branches.transfer_branch(d, branch_id=branch_id, step_id=into, position=target),
            f"moved branch “{name}” to another split",
            f"Branch {name} moved.",
            focus=f"branch-{branch_id}",
        )
    return Plan(
        lambda d: branches.place_branch(d, branch_id=branch_id, position=target),
        f"moved branch “{name}”",
        f"Branch {name} moved.",
        focus=f"branch-{branch_id}",
    )


def _rename_branch(ask: Ask) -> Plan:
    branch_id, name = ask.id("branch_id"), ask.post.get("name", "").strip()[:60]
    find_branch(ask.document, branch_id)
    if not name:
        raise IllegalEdit("A branch needs a name.")
    return Plan(
        lambda d: branches.rename_branch(d, branch_id=branch_id, name=name),
        f"named a branch “{name}”",
        f"Branch {name} named.",
        focus=f"branch-{branch_id}",
    )


def _add_note(ask: Ask) -> Plan:
    note = Note(step=ask.id("step") if ask.post.get("step") else None)
    return Plan(lambda d: notes.add_note(d, note=note), "added a note", "Note added.", part("note", note.id))


def _move_note(ask: Ask) -> Plan:
    note = notes.find_note(ask.document, ask.id("note"))
    step = ask.id("step") if ask.post.get("step") else None
    change: Change = lambda d: notes.update_note(  # noqa: E731
        d, note_id=note.id, text=note.text, colour=note.colour, step=step
    )
    return Plan(change, "moved a note", "Note moved.", focus=f"note-{note.id}")


def _remove_note(ask: Ask) -> Plan:
    note = notes.find_note(ask.document, ask.id("note"))
    return Plan(
        lambda d: notes.remove_note(d, note_id=note.id),
        "removed a note",
        "Note removed.",
        "",
        focus=f"step-{note.step}" if note.step else "card-start",
    )


def _add_trigger(ask: Ask) -> Plan:
    kind = TRIGGER_KINDS[_known(TRIGGER_KINDS, ask.post.get("kind", ""))]
    document = frame.add_trigger(ask.document, kind=kind.name)
    trigger = document.triggers[-1]
    change: Change = lambda d: d.model_copy(update={"triggers": (*d.triggers, trigger)})  # noqa: E731
    return Plan(change, f"added trigger “{kind.label}”", "Trigger added.", part("trigger", trigger.id))


def _add_success(ask: Ask) -> Plan:
    kind = SUCCESS_KINDS[_known(SUCCESS_KINDS, ask.post.get("kind", ""))]
    document = frame.add_success(ask.document, kind=kind.name)
    criterion = document.success[-1]
    change: Change = lambda d: d.model_copy(update={"success": (*d.success, criterion)})  # noqa: E731
    return Plan(
        change, "added a success criterion", "Success criterion added.", part("success", criterion.id)
    )


def _remove_trigger(ask: Ask) -> Plan:
    trigger = ask.id("trigger")
    change: Change = lambda d: frame.remove_trigger(d, trigger_id=trigger)  # noqa: E731
    return Plan(change, "removed a trigger", "Trigger removed.", "start")


def _remove_success(ask: Ask) -> Plan:
    criterion = ask.id("success")
    change: Change = lambda d: frame.remove_success(d, success_id=criterion)  # noqa: E731
    return Plan(change, "removed a success criterion", "Success criterion removed.", "finish")


def _known(table: Container[str], name: str) -> str:
    if name not in table:
        raise IllegalEdit("There is no such kind.")
    return name


OPS: dict[str, Callable[[Ask], Plan]] = {
    "insert": _insert,
    "move": _move,
    "move_up": _move_by(-1),
    "move_down": _move_by(1),
    "remove": _remove,
    "add_branch": _add_branch,
    "branch_left": _on_branch("moved left:", lambda d, b: branches.move_branch(d, branch_id=b, by=-1)),
    "branch_right": _on_branch("moved right:", lambda d, b: branches.move_branch(d, branch_id=b, by=1)),
    "place_branch": _place_branch,
    "rename_branch": _rename_branch,
    "add_note": _add_note,
    "move_note": _move_note,
    "remove_note": _remove_note,
    "remove_branch": _remove_branch,
    "branch_exits": _on_branch(
        "exit at", lambda d, b: branches.end_branch(d, branch_id=b, exit_=ExitSettings())
    ),
    "branch_joins": _on_branch("no exit at", lambda d, b: branches.end_branch(d, branch_id=b, exit_=None)),
    "add_trigger": _add_trigger,
    "remove_trigger": _remove_trigger,
    "add_success": _add_success,
    "remove_success": _remove_success,
}
