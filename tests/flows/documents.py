"""Documents for tests: small ones by hand, and random ones for properties."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import strategies as st

from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, ExitSettings, Finish, FlowDocument, Note, StepNode
from flows.editing import branches, frame, notes, several, steps
from flows.editing.tree import Slot, find_branch, fresh_branch, lists
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS


def job(text: str) -> Criteria:
    """Return criteria on the job title."""
    line = Line(field="contact.job_title", operator="contains", values=(text,))
    return Criteria(groups=(Group(lines=(line,)),))


CHEFS = job("chef")


def step(kind: str = "wait_for_time", title: str = "", **settings: Any) -> StepNode:
    """Return a step with these settings."""
    return StepNode(kind=kind, title=title or kind, settings=settings)


def split(*named: Branch, otherwise: Branch | None = None, title: str = "Split") -> StepNode:
    """Return a split with these branches and everyone else."""
    return StepNode(kind="split", title=title, branches=(*named, otherwise or Branch(name="Everyone else")))


def slots(document: FlowDocument) -> list[Slot]:
    """Return every slot of a document."""
    return [Slot(branch, index) for branch, inner in lists(document) for index in range(len(inner) + 1)]


# The operations by what they need; a test compares them with those of flows.editing.
ALWAYS = ["insert", "add_note", "add_trigger", "add_success", "with_settings", "with_filter", "with_finish"]
ON_TRIGGERS = ["update_trigger", "remove_trigger"]
ON_SUCCESS = ["update_success", "remove_success"]
ON_STEPS = [
    "move",
    "move_by",
    "duplicate",
    "remove",
    "update",
    "paste",
    "put",
    "move_several",
    "remove_several",
]
ON_BRANCHES = [
    "add_branch", "update_branch", "rename_branch", "end_branch", "move_branch", "place_branch", "transfer_branch",
    "copy_branch", "put_branch", "paste_branch", "remove_branch",
]  # fmt: skip
ON_NOTES = ["update_note", "remove_note"]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"amount": 3},
    {"based_on": "random"},
    {"based_on": "contact"},
    {"nonsense": ["💚", None]},
]


class Edits:
    """A random sequence of legal operations, drawn one by one."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def one(self, document: FlowDocument) -> FlowDocument:
        """Return the document after one random operation (which may be illegal: then it raises)."""
        nodes = list(document.walk())
        names = ["insert", "insert", *ALWAYS]
        names += ON_TRIGGERS if document.triggers else []
        names += ON_SUCCESS if document.success else []
        names += ON_STEPS if nodes else []
        names += ON_BRANCHES if any(node.branches for node in nodes) else []
        names += ON_NOTES if document.notes else []
        edited: FlowDocument = getattr(self, self.draw(st.sampled_from(names)))(document)
        return edited

    def insert(self, document: FlowDocument) -> FlowDocument:
        kind = self.draw(st.sampled_from(["split", "split", *(kind.name for kind in STEP_KINDS)]))
        # A new sale asks the tenant for its currency.
        node = step(kind) if kind == "create_sale" else STEP_KINDS[kind].new()
        return steps.insert(document, slot=self._slot(document), node=node)

    def move(self, document: FlowDocument) -> FlowDocument:
        return steps.move(document, step_id=self._step(document), slot=self._slot(document))

    def duplicate(self, document: FlowDocument) -> FlowDocument:
        return steps.duplicate(document, step_id=self._step(document))

    def remove(self, document: FlowDocument) -> FlowDocument:
        node = document.step(self._step(document))
        assert node is not None
        keep = self.draw(st.sampled_from([None, *(branch.id for branch in node.branches)]))
        return steps.remove(document, step_id=node.id, keep=keep)

    def update(self, document: FlowDocument) -> FlowDocument:
        title, note = self.draw(st.text(max_size=5)), self.draw(st.text(max_size=5))
        node = document.step(self._step(document))
        assert node is not None
        # What a split is based on is read when it changes; other kinds keep what they are given.
        bases = [one for one in SETTINGS if node.branches == () or set(one) <= {"based_on"}]
        step_id, given = node.id, self.draw(st.sampled_from(bases))
        return steps.update(document, step_id=step_id, title=title, note=note, settings=given)

    def move_by(self, document: FlowDocument) -> FlowDocument:
        return steps.move_by(document, step_id=self._step(document), by=self.draw(st.sampled_from([-1, 1])))

    def put(self, document: FlowDocument) -> FlowDocument:
        nodes = [
            STEP_KINDS[kind].new()
            for kind in self.draw(st.sampled_from([["webhook"], ["split", "go_to_flow"]]))
        ]
        return steps.put(document, self._slot(document), nodes)

    def update_branch(self, document: FlowDocument) -> FlowDocument:
        name, criteria = self.draw(st.text(max_size=5)), self._criteria()
        given = self.draw(st.sampled_from(SETTINGS))
        branch_id = self._branch(document)
        return branches.update_branch(
            document, branch_id=branch_id, name=name, criteria=criteria, settings=given
        )

    def transfer_branch(self, document: FlowDocument) -> FlowDocument:
        branch_id, split = self._branch(document), self._split(document)
        position = self.draw(st.integers(-1, 4))
        return branches.transfer_branch(document, branch_id=branch_id, step_id=split.id, position=position)

    def put_branch(self, document: FlowDocument) -> FlowDocument:
        inner = (STEP_KINDS["wait_for_time"].new(),)
        return branches.put_branch(
            document, after=self._branch(document), branch=Branch(name="Put", steps=inner)
        )

    def with_settings(self, document: FlowDocument) -> FlowDocument:
        change = self.draw(
            st.sampled_from(
                [
                    {"once_only": True},
                    {"control_share": 7},
                    {"exclusions": (1, 2)},
                    {"timezone": "Asia/Tokyo"},
                ]
            )
        )
        return frame.with_settings(document, settings=document.settings.model_copy(update=change))

    def with_filter(self, document: FlowDocument) -> FlowDocument:
        return frame.with_filter(document, criteria=self._criteria())

    def with_finish(self, document: FlowDocument) -> FlowDocument:
        exits = st.builds(ExitSettings, flow=st.sampled_from([None, 3]), selection=st.sampled_from([None, 5]))
        return frame.with_finish(
            document, finish=Finish(success=self.draw(exits), no_success=self.draw(exits))
        )

    def update_trigger(self, document: FlowDocument) -> FlowDocument:
        trigger, given = self.draw(st.sampled_from(document.triggers)), self.draw(st.sampled_from(SETTINGS))
        return frame.update_trigger(
            document, trigger_id=trigger.id, settings=given, criteria=self._criteria()
        )

    def update_success(self, document: FlowDocument) -> FlowDocument:
        one, given = self.draw(st.sampled_from(document.success)), self.draw(st.sampled_from(SETTINGS))
        return frame.update_success(document, success_id=one.id, settings=given, criteria=self._criteria())

    def add_branch(self, document: FlowDocument) -> FlowDocument:
        position = self.draw(st.integers(-1, 4))
        return branches.add_branch(document, step_id=self._split(document).id, position=position)

    def move_branch(self, document: FlowDocument) -> FlowDocument:
        return branches.move_branch(
            document, branch_id=self._branch(document), by=self.draw(st.sampled_from([-1, 1]))
        )

    def copy_branch(self, document: FlowDocument) -> FlowDocument:
        return branches.copy_branch(document, branch_id=self._branch(document))

    def remove_branch(self, document: FlowDocument) -> FlowDocument:
        return branches.remove_branch(document, branch_id=self._branch(document))

    def move_several(self, document: FlowDocument) -> FlowDocument:
        return several.move_several(document, step_ids=self._several(document), slot=self._slot(document))

    def remove_several(self, document: FlowDocument) -> FlowDocument:
        return several.remove_several(document, step_ids=self._several(document))

    def paste(self, document: FlowDocument) -> FlowDocument:
        nodes = several.chosen(document, step_ids=self._several(document))
        return steps.paste(document, slot=self._slot(document), nodes=nodes)

    def place_branch(self, document: FlowDocument) -> FlowDocument:
        position = self.draw(st.integers(-1, 4))
        return branches.place_branch(document, branch_id=self._branch(document), position=position)

    def paste_branch(self, document: FlowDocument) -> FlowDocument:
        split, position = find_branch(document, self._branch(document))
        branch = fresh_branch(split.branches[position])
        return branches.paste_branch(document, step_id=self._split(document).id, branch=branch)

    def add_note(self, document: FlowDocument) -> FlowDocument:
        return notes.add_note(document, note=Note(text="Mind", step=self._step_or_start(document)))

    def update_note(self, document: FlowDocument) -> FlowDocument:
        note = self.draw(st.sampled_from(document.notes))
        step_id, colour = self._step_or_start(document), self.draw(st.sampled_from(["green", "pink"]))
        return notes.update_note(document, note_id=note.id, text="New", colour=colour, step=step_id)

    def remove_note(self, document: FlowDocument) -> FlowDocument:
        return notes.remove_note(document, note_id=self.draw(st.sampled_from(document.notes)).id)

    def end_branch(self, document: FlowDocument) -> FlowDocument:
        exit_ = self.draw(st.sampled_from([None, ExitSettings(), ExitSettings(selection=7)]))
        return branches.end_branch(document, branch_id=self._branch(document), exit_=exit_)

    def rename_branch(self, document: FlowDocument) -> FlowDocument:
        name = self.draw(st.text(min_size=1, max_size=5))
        return branches.rename_branch(document, branch_id=self._branch(document), name=name)

    def add_trigger(self, document: FlowDocument) -> FlowDocument:
        return frame.add_trigger(
            document, kind=self.draw(st.sampled_from([kind.name for kind in TRIGGER_KINDS]))
        )

    def remove_trigger(self, document: FlowDocument) -> FlowDocument:
        trigger = self.draw(st.sampled_from(document.triggers))
        return frame.remove_trigger(document, trigger_id=trigger.id)

    def add_success(self, document: FlowDocument) -> FlowDocument:
        return frame.add_success(
            document, kind=self.draw(st.sampled_from([kind.name for kind in SUCCESS_KINDS]))
        )

    def remove_success(self, document: FlowDocument) -> FlowDocument:
        criterion = self.draw(st.sampled_from(document.success))
        return frame.remove_success(document, success_id=criterion.id)

    def _criteria(self) -> Criteria | None:
        return self.draw(st.sampled_from([None, CHEFS, job("💚"), Criteria()]))  # type: ignore[no-any-return]

    def _step_or_start(self, document: FlowDocument) -> uuid.UUID | None:
        return self.draw(st.sampled_from([None, *(node.id for node in document.walk())]))  # type: ignore[no-any-return]

    def _several(self, document: FlowDocument) -> list[uuid.UUID]:
        ids = [node.id for node in document.walk()]
        return self.draw(st.lists(st.sampled_from(ids), min_size=1, max_size=4, unique=True))  # type: ignore[no-any-return]

    def _slot(self, document: FlowDocument) -> Slot:
        return self.draw(st.sampled_from(slots(document)))  # type: ignore[no-any-return]

    def _step(self, document: FlowDocument) -> uuid.UUID:
        return self.draw(st.sampled_from([node.id for node in document.walk()]))  # type: ignore[no-any-return]

    def _split(self, document: FlowDocument) -> StepNode:
        return self.draw(st.sampled_from([node for node in document.walk() if node.branches]))  # type: ignore[no-any-return]

    def _branch(self, document: FlowDocument) -> uuid.UUID:
        return self.draw(st.sampled_from([b.id for b in self._split(document).branches]))  # type: ignore[no-any-return]
