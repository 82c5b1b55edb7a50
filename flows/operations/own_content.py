"""Copies of steps with content of their own: what they send is copied, and what asks about it asks about the copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from content.models import Email
from content.operations.emails import copy_email
from flows.document import Branch, StepNode
from flows.editing.tree import subtree

Steps = tuple[StepNode, ...]


def own_copies(nodes: Sequence[StepNode], *, flow_id: int, actor: User, now: dt.datetime) -> Steps:
    """Return the steps with a copy, owned by the flow, of each email that they send.

    Waits and splits among them that look at one of these emails look at its copy. An email that was deleted meanwhile
    is left for the checks to name. Where two steps send the same email each gets its own; who asks about it asks
    about the first one's.
    """
    inside = (inner for node in nodes for inner in subtree(node))
    sent = {email for inner in inside if (email := _sent(inner)) is not None}
    there = Email.objects.filter(pk__in=sent, deleted_at=None).values_list("pk", flat=True)

    def copy(email_id: int) -> int:
        return copy_email(email_id=email_id, flow_id=flow_id, actor=actor, now=now).pk

    copier = _Copier(set(there), copy)
    made = tuple(copier.sending(node) for node in nodes)
    return tuple(copier.asking(node) for node in made)


def own_branch(branch: Branch, *, flow_id: int, actor: User, now: dt.datetime) -> Branch:
    """Return the branch with content of its own, as `own_copies` does."""
    steps = own_copies(branch.steps, flow_id=flow_id, actor=actor, now=now)
    return branch.model_copy(update={"steps": steps})


@dataclass(slots=True)
class _Copier:
    there: Collection[int]
    copy: Callable[[int], int]
    instead: dict[int, int] = field(default_factory=dict)

    def sending(self, node: StepNode) -> StepNode:
        """Copy what is sent, top to bottom."""
        settings, email = node.settings, _sent(node)
        if email is not None and email in self.there:
            settings = {**settings, "email": self.copy(email)}
            self.instead.setdefault(email, settings["email"])
        return node.model_copy(update={"settings": settings, "branches": _each(node.branches, self.sending)})

    def asking(self, node: StepNode) -> StepNode:
        """Ask about the copies, once all are made."""
        settings = node.settings if _sent(node) is not None else _named(node.settings, self.instead)
        branches = tuple(
            branch.model_copy(update={"settings": _named(branch.settings, self.instead)})
            for branch in _each(node.branches, self.asking)
        )
        return node.model_copy(update={"settings": settings, "branches": branches})


def _each(branches: Sequence[Branch], change: Callable[[StepNode], StepNode]) -> tuple[Branch, ...]:
    return tuple(
        branch.model_copy(update={"steps": tuple(change(node) for node in branch.steps)})
        for branch in branches
    )


def _sent(node: StepNode) -> int | None:
    email = node.settings.get("email") if node.kind == "send_email" else None
    return email if isinstance(email, int) else None


def _named(value: Any, instead: Mapping[int, int]) -> Any:
    """Return settings with each `email` that was copied replaced by its copy, however deep."""
    if isinstance(value, dict):
        return {
            key: instead.get(inner, inner)
            if key == "email" and isinstance(inner, int)
            else _named(inner, instead)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_named(inner, instead) for inner in value]
    return value
