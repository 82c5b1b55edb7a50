"""Taking one change back from under later ones: what it did is undone where nothing later touched the same part.

Pure: three documents, no database. `before` and `after` are around the change, `now` has the later ones too. A part is
a step's words and settings, a branch's, the order of a list, or a field of the frame.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from flows.document import Branch, FlowDocument, StepNode
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit, lists

Key = uuid.UUID | None
_FRAME = {
    "settings": "the settings",
    "triggers": "the triggers",
    "filter": "the filter",
    "success": "the success criteria",
    "finish": "Finish",
    "notes": "the notes",
}


def take_back(before: FlowDocument, after: FlowDocument, now: FlowDocument) -> FlowDocument:
    """Return `now` without the change; raise IllegalEdit naming what a later change stands in the way of."""
    return _Taking(before, after, now).done()


class _Taking:
    def __init__(self, before: FlowDocument, after: FlowDocument, now: FlowDocument) -> None:
        self.before, self.after, self.now = before, after, now
        self.nodes = [{node.id: node for node in document.walk()} for document in (before, after, now)]
        self.branches = [
            {branch.id: branch for node in nodes.values() for branch in node.branches} for nodes in self.nodes
        ]
        self.lists = [
            {key: [node.id for node in steps] for key, steps in lists(document)}
            for document in (before, after, now)
        ]
        self.refused: list[str] = []

    def done(self) -> FlowDocument:
        self._places()
        frame = {name: self._field(name, words) for name, words in _FRAME.items()}
        frame["steps"] = self._steps(None)
        if self.refused:
            what = ", ".join(dict.fromkeys(self.refused))
            raise IllegalEdit(
                f"Somebody changed the same since: {what}. Undo takes back only what nobody touched."
            )
        return checked(self.now.model_copy(update=frame))

    def _places(self) -> None:
        """Refuse where a step or branch that came, went or moved was changed or moved since."""
        places = [_places(document) for document in (self.before, self.after, self.now)]
        for one in {**places[0], **places[1]}:
            was, then, here = ((one in found, found.get(one)) for found in places)
            if was == then:
                continue
            moved = here[0] and here != then
            lost = was[0] and then[0] and not here[0]
            filled = not was[0] and here[0] and self._whole(1, one) != self._whole(2, one)
            if moved or lost or filled:
                found = self._whole(2, one) or self._whole(1, one) or self._whole(0, one)
                self.refused.append(
                    f"“{found.title}”" if isinstance(found, StepNode) else f"branch “{found.name}”"
                )

    def _whole(self, which: int, one: uuid.UUID) -> Any:
        return self.nodes[which].get(one) or self.branches[which].get(one)

    def _field(self, name: str, words: str) -> Any:
        return self._of(getattr(self.before, name), getattr(self.after, name), getattr(self.now, name), words)

    def _of(self, before: Any, after: Any, now: Any, words: str) -> Any:
        """Return one part as it is to be: as before where this change made it what it is now."""
        if before == after:
            return now
        if now != after:
            self.refused.append(words)
        return before

    def _steps(self, key: Key) -> tuple[StepNode, ...]:
        old, new, here = (found.get(key) for found in self.lists)
        order = self._order(old, new, here or [], self._where(key))
        return tuple(self._node(step) for step in order)

    def _where(self, key: Key) -> str:
        name = next((found[key].name for found in self.branches if key in found), "") if key else ""
        return f"the order of branch “{name}”" if key else "the order of the steps"

    def _order(
        self,
        old: Sequence[uuid.UUID] | None,
        new: Sequence[uuid.UUID] | None,
        here: Sequence[uuid.UUID],
        words: str,
    ) -> list[uuid.UUID]:
        """Return the order of one list: what came goes, what went comes back behind what it followed."""
        if old is None or new is None or old == new:
            return list(here or old or ())
        came, went = [one for one in new if one not in old], [one for one in old if one not in new]
        if [one for one in old if one in new] != [one for one in new if one in old]:
            if here != new:
                self.refused.append(words)
            return list(old)
        order = [one for one in here if one not in came]
        for one in went:
            above = old[: old.index(one)]
            at = next((order.index(other) + 1 for other in reversed(above) if other in order), 0)
            order.insert(at, one)
        return order

    def _node(self, step: uuid.UUID) -> StepNode:
        old, new, here = (found.get(step) for found in self.nodes)
        node = here or self.nodes[0][step]
        if old is not None and new is not None and here is not None:
            words = f"“{here.title}”"
            plain = self._of(_plain(old), _plain(new), _plain(here), words)
            node = here.model_copy(update=plain)
        if not node.branches:
            return node
        return node.model_copy(update={"branches": self._branches(step, node)})

    def _branches(self, step: uuid.UUID, node: StepNode) -> tuple[Branch, ...]:
        old, new, here = (
            [b.id for b in found[step].branches] if step in found else None for found in self.nodes
        )
        order = self._order(old, new, here or [], f"the branches of “{node.title}”")
        return tuple(self._branch(branch) for branch in order)

    def _branch(self, branch: uuid.UUID) -> Branch:
        old, new, here = (found.get(branch) for found in self.branches)
        shown = here or self.branches[0][branch]
        if old is not None and new is not None and here is not None:
            plain = self._of(_plain(old), _plain(new), _plain(here), f"branch “{here.name}”")
            shown = here.model_copy(update=plain)
        return shown.model_copy(update={"steps": self._steps(branch)})


def _plain(part: StepNode | Branch) -> dict[str, Any]:
    """Return what a part is, without what it holds."""
    return {
        name: getattr(part, name)
        for name in type(part).model_fields
        if name not in {"id", "steps", "branches"}
    }


def _places(document: FlowDocument) -> dict[uuid.UUID, Key]:
    """Return where each step and branch is: the branch of a step, the split of a branch."""
    found: dict[uuid.UUID, Key] = {node.id: key for key, steps in lists(document) for node in steps}
    found.update({branch.id: node.id for node in document.walk() for branch in node.branches})
    return found
