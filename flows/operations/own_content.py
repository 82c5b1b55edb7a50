"""Copies of steps with content of their own: what they send is copied, and what asks about it asks about the copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from accounts.models import User
from content.models import Email
from content.operations.variants import copy_email
from flows.document import Branch, FlowDocument, Part, StepNode, SuccessCriterion
from flows.editing.tree import subtree
from flows.exchange.swap import Swap, swapped

Steps = tuple[StepNode, ...]


def own_copies(nodes: Sequence[StepNode], *, flow_id: int, actor: User, now: dt.datetime) -> Steps:
    """Return the steps with a copy, owned by the flow, of each email that they send.

    Waits and splits among them that ask about one of these emails, by an action or a criterion, ask about its copy.
    An email that was deleted meanwhile is left for the checks to name. Where two steps send the same email each gets
    its own; who asks about it asks about the first one's.
    """
    copies = _Copies.of(nodes, flow_id=flow_id, actor=actor, now=now)
    made = tuple(copies.sending(node) for node in nodes)
    return tuple(StepNode.model_validate(copies.asking(node)) for node in made)


def own_document(document: FlowDocument, *, flow_id: int, actor: User, now: dt.datetime) -> FlowDocument:
    """Return the document with content of its own, as `own_copies` does; its success criteria ask about the copies.

    Triggers and the filter ask about people before they are inside: what they did with the original still counts.
    """
    copies = _Copies.of(document.steps, flow_id=flow_id, actor=actor, now=now)
    made = tuple(copies.sending(node) for node in document.steps)
    steps = tuple(StepNode.model_validate(copies.asking(node)) for node in made)
    success = tuple(SuccessCriterion.model_validate(copies.asking(one)) for one in document.success)
    return document.model_copy(update={"steps": steps, "success": success})


def own_branch(branch: Branch, *, flow_id: int, actor: User, now: dt.datetime) -> Branch:
    """Return the branch with content of its own, as `own_copies` does."""
    steps = own_copies(branch.steps, flow_id=flow_id, actor=actor, now=now)
    return branch.model_copy(update={"steps": steps})


@dataclass(slots=True)
class _Copies(Swap):
    """Makes the copies, and puts each in the place of its original."""

    there: Collection[int]
    copy: Callable[[int], int]
    instead: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Sequence[StepNode], *, flow_id: int, actor: User, now: dt.datetime) -> Self:
        """Return the copier for what these steps send."""
        inside = (inner for node in nodes for inner in subtree(node))
        sent = {email for inner in inside if (email := _sent(inner)) is not None}
        there = Email.objects.filter(pk__in=sent, deleted_at=None).values_list("pk", flat=True)

        def copy(email_id: int) -> int:
            return copy_email(email_id=email_id, flow_id=flow_id, actor=actor, now=now).pk

        return cls(set(there), copy)

    def sending(self, node: StepNode) -> StepNode:
        """Copy what is sent, top to bottom."""
        settings, email = node.settings, _sent(node)
        if email is not None and email in self.there:
            settings = {**settings, "email": self.copy(email)}
            self.instead.setdefault(email, settings["email"])
        branches = tuple(
            branch.model_copy(update={"steps": tuple(self.sending(inner) for inner in branch.steps)})
            for branch in node.branches
        )
        return node.model_copy(update={"settings": settings, "branches": branches})

    def asking(self, part: Part) -> Any:
        """Return a part in plain JSON that asks about the copies, once all are made; a copy's id is never copied."""
        plain = part.model_dump(mode="json")
        return swapped(plain, self) if self.instead else plain

    def id(self, kind: str, given: int) -> int:
        return self.instead.get(given, given) if kind == "email" else given

    def custom(self, key: str) -> str:
        return key

    def is_list(self, key: str) -> bool:
        return False

    def link(self, key: str) -> str:
        return key


def _sent(node: StepNode) -> int | None:
    email = node.settings.get("email") if node.kind == "send_email" else None
    return email if isinstance(email, int) else None
