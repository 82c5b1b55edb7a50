"""Comparing two documents: what was added, removed, moved and changed, and which settings from what to what.

Pure: no database, no names. Parts are matched by their ids; two documents are equal exactly where nothing is found.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from flows.document import Branch, FlowDocument, StepNode
from flows.editing.tree import lists
from flows.references import part


class What(StrEnum):
    """What happened to a part."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs: its name in the document, and its values as JSON."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs. `of` is step, branch, trigger, success, note, filter, finish, settings, messages, or
    the name of another field of the document; `id` is None for parts that there is one of."""

    what: What
    of: str
    id: uuid.UUID | None = None
    changes: tuple[Change, ...] = ()

    @property
    def part(self) -> str:
        """Return the part of the designer that shows it."""
        if self.id is not None:
            return part(self.of, self.id)
        return self.of if self.of in {"filter", "finish", "settings", "messages"} else ""


_FRAME = frozenset(
    {"schema_version", "settings", "triggers", "filter", "success", "steps", "finish", "notes"}
)


def compare(old: FlowDocument, new: FlowDocument) -> list[Difference]:
    """Return what differs from `old` to `new`: the frame first, then the steps from top to bottom."""
    return [
        *_one("settings", _plain(old.settings, but="messages"), _plain(new.settings, but="messages")),
        *_one("messages", _plain(old.settings.messages), _plain(new.settings.messages)),
        *_listed("trigger", old.triggers, new.triggers),
        *_one("filter", {"criteria": _json(old.filter)}, {"criteria": _json(new.filter)}),
        *_listed("success", old.success, new.success),
        *_steps(old, new),
        *_branches(old, new),
        *_one("finish", _plain(old.finish), _plain(new.finish)),
        *_listed("note", old.notes, new.notes),
        *_others(old, new),
    ]


def _json(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _plain(value: BaseModel, *, but: str = "") -> dict[str, Any]:
    return value.model_dump(mode="json", exclude={but} if but else None)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    names = [*after, *(name for name in before if name not in after)]
    found = (Change(name, before.get(name), after.get(name)) for name in names)
    # A name that is there with None differs from one that is not: settings are kept as they were given.
    return tuple(c for c in found if c.before != c.after or (c.name in before) != (c.name in after))


def _one(of: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    changes = _changes(before, after)
    if changes:
        yield Difference(What.CHANGED, of, changes=changes)


def _others(old: FlowDocument, new: FlowDocument) -> Iterator[Difference]:
    """Whatever else the document holds is compared as a whole."""
    for name in FlowDocument.model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if name not in _FRAME and before != after:
            dumped = [document.model_dump(mode="json", include={name})[name] for document in (old, new)]
            yield Difference(What.CHANGED, name, changes=(Change(name, *dumped),))


def _listed(of: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Difference]:
    """Triggers, success criteria or notes: parts with an id, in an order."""
    before, after = {p.id: p for p in old}, {p.id: p for p in new}
    yield from (Difference(What.ADDED, of, p.id) for p in new if p.id not in before)
    moved = out_of_order([p.id for p in old if p.id in after], [p.id for p in new if p.id in before])
    for one in new:
        if one.id in moved:
            yield Difference(What.MOVED, of, one.id)
        if one.id in before:
            changes = _changes(_part(before[one.id]), _part(one))
            if changes:
                yield Difference(What.CHANGED, of, one.id, changes)
    yield from (Difference(What.REMOVED, of, p.id) for p in old if p.id not in after)


def _part(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = value.model_dump(mode="json", exclude={"id", "settings"})
    return {**plain, **getattr(value, "settings", {})}


def _node(node: StepNode) -> dict[str, Any]:
    return {"kind": node.kind, "title": node.title, "note": node.note, **_own(node.settings)}


def _branch(branch: Branch) -> dict[str, Any]:
    plain = branch.model_dump(mode="json", include={"name", "criteria", "exit"})
    return {**plain, **_own(branch.settings)}


def _own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings stand beside title and name; one called the same must not hide them."""
    taken = {"kind", "title", "note", "name", "criteria", "exit"}
    return {f"settings.{name}" if name in taken else name: value for name, value in settings.items()}


def _steps(old: FlowDocument, new: FlowDocument) -> Iterator[Difference]:
    before, after = {n.id: n for n in old.walk()}, {n.id: n for n in new.walk()}
    moved = _moved_steps(old, new)
    for node in new.walk():
        if node.id not in before:
            yield Difference(What.ADDED, "step", node.id)
            continue
        if node.id in moved:
            yield Difference(What.MOVED, "step", node.id)
        changes = _changes(_node(before[node.id]), _node(node))
        if changes:
            yield Difference(What.CHANGED, "step", node.id, changes)
    yield from (Difference(What.REMOVED, "step", step) for step in before if step not in after)


def _moved_steps(old: FlowDocument, new: FlowDocument) -> set[uuid.UUID]:
    """The steps in another list than before, and the fewest of those in the same list that changed their order."""
    was = {node.id: branch for branch, steps in lists(old) for node in steps}
    order = {branch: [node.id for node in steps] for branch, steps in lists(old)}
    moved: set[uuid.UUID] = set()
    for branch, steps in lists(new):
        here = [node.id for node in steps]
        moved |= {step for step in here if step in was and was[step] != branch}
        kept = [step for step in here if step in was and was[step] == branch]
        moved |= out_of_order([step for step in order.get(branch, ()) if step in set(kept)], kept)
    return moved


def _branches(old: FlowDocument, new: FlowDocument) -> Iterator[Difference]:
    """Branches of splits that are in both; those of a split that came or went, came or went with it."""
    for node in new.walk():
        was = old.step(node.id)
        if was is not None:
            yield from _branches_of(was, node)


def _branches_of(was: StepNode, node: StepNode) -> Iterator[Difference]:
    before, after = {b.id: b for b in was.branches}, {b.id: b for b in node.branches}
    moved = out_of_order([b for b in before if b in after], [b for b in after if b in before])
    for branch in node.branches:
        if branch.id not in before:
            yield Difference(What.ADDED, "branch", branch.id)
            continue
        if branch.id in moved:
            yield Difference(What.MOVED, "branch", branch.id)
        changes = _changes(_branch(before[branch.id]), _branch(branch))
        if changes:
            yield Difference(What.CHANGED, "branch", branch.id, changes)
    yield from (Difference(What.REMOVED, "branch", branch) for branch in before if branch not in after)


def out_of_order(old: Sequence[uuid.UUID], new: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return the fewest parts whose moving turns one order into the other: all but a longest rising row."""
    place = {one: index for index, one in enumerate(old)}
    ends: list[int] = []
    length = []
    for one in new:
        at = bisect_left(ends, place[one])
        ends[at : at + 1] = [place[one]]
        length.append(at)
    stays, wanted = set(), len(ends) - 1
    for one, reached in zip(reversed(new), reversed(length), strict=True):
        if reached == wanted:
            stays.add(one)
            wanted -= 1
    return set(new) - stays
