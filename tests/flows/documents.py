"""Documents for tests: small ones by hand, and random ones for properties."""

from __future__ import annotations

import uuid
from typing import Any

from hypothesis import strategies as st

from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, FlowDocument, StepNode
from flows.editing import branches, steps
from flows.editing.tree import Slot, lists
from flows.steps.table import STEP_KINDS


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


class Edits:
    """A random sequence of legal operations, drawn one by one."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def one(self, document: FlowDocument) -> FlowDocument:
        """Return the document after one random operation (which may be illegal: then it raises)."""
        nodes = list(document.walk())
        names = ["insert", "insert"] + (["move", "duplicate", "remove", "update"] if nodes else [])
        splits = [node for node in nodes if node.branches]
        names += ["add_branch", "move_branch", "copy_branch", "remove_branch"] if splits else []
        edited: FlowDocument = getattr(self, self.draw(st.sampled_from(names)))(document)
        return edited

    def insert(self, document: FlowDocument) -> FlowDocument:
        kind = self.draw(st.sampled_from(["wait_for_time", "send_email", "split", "split"]))
        return steps.insert(document, slot=self._slot(document), node=STEP_KINDS[kind].new())

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
        title = self.draw(st.text(max_size=5))
        return steps.update(document, step_id=self._step(document), title=title, note="", settings={})

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

    def _slot(self, document: FlowDocument) -> Slot:
        return self.draw(st.sampled_from(slots(document)))  # type: ignore[no-any-return]

    def _step(self, document: FlowDocument) -> uuid.UUID:
        return self.draw(st.sampled_from([node.id for node in document.walk()]))  # type: ignore[no-any-return]

    def _split(self, document: FlowDocument) -> StepNode:
        return self.draw(st.sampled_from([node for node in document.walk() if node.branches]))  # type: ignore[no-any-return]

    def _branch(self, document: FlowDocument) -> uuid.UUID:
        return self.draw(st.sampled_from([b.id for b in self._split(document).branches]))  # type: ignore[no-any-return]
