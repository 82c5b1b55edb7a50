"""Whose changes can be undone and redone, from the list of a draft's states alone. Pure.

A state is a change, or takes an earlier one back: an undo from under somebody else's change takes a change back, a redo
takes such an undo back. What an effective later state takes back is not in effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StateLine:
    """One state: its number, who made it, and the number of the one that it takes back."""

    number: int
    user_id: int
    takes_back: int | None


def undoable(lines: Sequence[StateLine], user_id: int) -> list[int]:
    """Return the user's own changes that are in effect, newest first."""
    return [line.number for line in _in_effect(lines) if line.user_id == user_id and line.takes_back is None]


def redoable(lines: Sequence[StateLine], user_id: int) -> list[int]:
    """Return the states by which the user took own changes back, newest first, since the user's newest other change."""
    changes = {line.number for line in lines if line.takes_back is None}
    known = {line.number for line in lines}
    # Where the change itself is kept no more it was one: what is taken back of undos is always newer.
    undos = [
        line
        for line in _in_effect(lines)
        if line.user_id == user_id
        and line.takes_back is not None
        and (line.takes_back in changes or line.takes_back not in known)
    ]
    newest = max(
        (line.number for line in lines if line.user_id == user_id and line.takes_back is None), default=0
    )
    return [line.number for line in undos if line.number > newest]


def _in_effect(lines: Sequence[StateLine]) -> list[StateLine]:
    """Return those that nothing takes back, newest first."""
    taken: set[int] = set()
    found = []
    for line in sorted(lines, key=lambda one: -one.number):
        if line.number in taken:
            continue
        found.append(line)
        if line.takes_back is not None:
            taken.add(line.takes_back)
    return found
