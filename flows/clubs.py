"""Selections and projects as flows name them: problems and references that steps, triggers and success
criteria share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from flows.steps.base import CheckContext, Problem, Reference

ClubKind = Literal["selection", "project"]


def club_problems(ctx: CheckContext, kind: ClubKind, chosen: int | None) -> list[Problem]:
    """One must be chosen and exist."""
    if chosen is None:
        return [Problem(f"Choose a {kind}", place=kind)]
    if ctx.name(kind, chosen) is None:
        return [Problem(f"The {kind} was deleted: choose another", place=kind)]
    if kind == "selection" and (text := ctx.not_static(chosen)):
        return [Problem(text, place=kind)]
    return []


def club_references(kind: ClubKind, chosen: int | None) -> Iterable[Reference]:
    """Yield what was chosen."""
    if chosen is not None:
        yield Reference(kind, chosen)
