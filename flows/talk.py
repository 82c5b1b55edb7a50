"""What colleagues wrote at the steps of a flow, for the panels and for the badges on the cards.

A place is written as a key: the step's id, or `start` for where people enter. Reads only; flows.operations.comments
writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q

from accounts.models import Membership
from accounts.rights import Right
from flows.document import FlowDocument, StepNode
from flows.mentions import pieces
from flows.models import Flow, FlowComment
from flows.operations.drafts import draft_of
from flows.queries import newest_document
from flows.steps.table import STEP_KINDS

START = "start"
SHOWN = 30


@dataclass(frozen=True, slots=True)
class Said:
    """One comment, as one member sees it."""

    row: FlowComment
    pieces: Sequence[tuple[str, bool]]
    is_own: bool
    may_delete: bool

    @property
    def lost(self) -> str:
        """Why there is no text; empty where there is."""
        if self.row.deleted_at:
            return "This comment was deleted."
        return "" if self.row.text else "Taken away: it named a person who was erased."


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment with its answers, oldest first."""

    first: Said
    answers: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said at one place. `older` is the number to ask for what came before, or None."""

    key: str
    title: str
    is_removed: bool
    icon: str
    family: str
    open: Sequence[Thread]
    resolved: Sequence[Thread]
    older: int | None = None


@dataclass(frozen=True, slots=True)
class TalkedAbout:
    """A place where something was said: how many threads are open, how many resolved."""

    key: str
    title: str
    icon: str
    family: str
    open: int
    resolved: int
    is_removed: bool


def place_key(step: uuid.UUID | None) -> str:
    """Return the key of a place."""
    return START if step is None else str(step)


def open_comments(flow_id: int) -> dict[str, int]:
    """Return how many threads are open, by place: for the badges. One query."""
    rows = FlowComment.objects.filter(flow_id=flow_id, thread=None, resolved_at=None)
    counted = rows.order_by().values_list("step").annotate(number=Count("pk"))
    return {place_key(step): number for step, number in counted}


def steps_of(flow: Flow) -> dict[uuid.UUID, StepNode]:
    """Return every step of the draft and of the newest revision; the draft's word counts."""
    documents: list[FlowDocument] = [newest_document(flow.pk)] if flow.revision else []
    return {node.id: node for document in [*documents, draft_of(flow)] for node in document.walk()}


def talk_at(flow: Flow, step: uuid.UUID | None, *, member: Membership, before: int | None = None) -> Talk:
    """Return the newest threads of a place, those that are open first; `before` goes on from an earlier answer."""
    firsts = FlowComment.objects.filter(flow=flow, step=step, thread=None).select_related(
        "author", "resolved_by"
    )
    known = firsts.order_by("-pk").values_list("step_title", flat=True).first()
    if before is not None:
        firsts = firsts.filter(pk__lt=before)
    rows = list(firsts.order_by("-pk")[: SHOWN + 1])
    shown = rows[:SHOWN]
    answers: dict[int, list[Said]] = {}
    replies = FlowComment.objects.filter(flow=flow, thread__in=[row.pk for row in shown])
    for row in replies.select_related("author").order_by("pk"):
        answers.setdefault(row.thread_id or 0, []).append(_said(row, member))
    threads = [Thread(_said(row, member), answers.get(row.pk, ())) for row in shown]
    node = steps_of(flow).get(step) if step else None
    kind = STEP_KINDS[node.kind] if node else None
    return Talk(
        key=place_key(step),
        title=(node.title if node else known or "A removed step") if step else "Who enters",
        is_removed=step is not None and node is None,
        icon=kind.icon if kind else "trash" if step else "lightning",
        family=kind.family if kind else "" if step else "trigger",
        open=[thread for thread in threads if not thread.first.row.resolved_at],
        resolved=[thread for thread in threads if thread.first.row.resolved_at],
        older=shown[-1].pk if len(rows) > SHOWN else None,
    )


def talked_about(flow: Flow) -> list[TalkedAbout]:
    """Return every place where something was said, in the order of the flow; removed steps last."""
    firsts = FlowComment.objects.filter(flow=flow, thread=None).order_by()
    counted = firsts.values("step").annotate(
        open=Count("pk", filter=Q(resolved_at=None)),
        resolved=Count("pk", filter=Q(resolved_at__isnull=False)),
        newest=Max("pk"),
    )
    found = {row["step"]: row for row in counted}
    steps = steps_of(flow) if found else {}
    gone = [step for step in found if step is not None and step not in steps]
    titles = dict(
        FlowComment.objects.filter(pk__in=[found[step]["newest"] for step in gone]).values_list(
            "step", "step_title"
        )
    )
    return list(_places(found, steps, titles))


def _places(
    found: Mapping[uuid.UUID | None, Any],
    steps: Mapping[uuid.UUID, StepNode],
    titles: Mapping[uuid.UUID | None, str],
) -> Iterator[TalkedAbout]:
    order = [None, *steps, *(step for step in found if step is not None and step not in steps)]
    for step in order:
        if step not in found:
            continue
        node, said = steps.get(step) if step else None, found[step]
        kind = STEP_KINDS[node.kind] if node else None
        yield TalkedAbout(
            key=place_key(step),
            title=node.title if node else (titles.get(step) or "A removed step") if step else "Who enters",
            icon=kind.icon if kind else "trash" if step else "lightning",
            family=kind.family if kind else "" if step else "trigger",
            open=said["open"],
            resolved=said["resolved"],
            is_removed=step is not None and node is None,
        )


def _said(row: FlowComment, member: Membership) -> Said:
    is_own = row.author_id == member.user_id and not row.deleted_at
    return Said(
        row=row,
        pieces=pieces(row.text, row.mentions),
        is_own=is_own,
        may_delete=not row.deleted_at and (is_own or member.may(Right.FLOW_ADMINISTRATOR)),
    )
