"""What the designer's pages and answers are drawn from: the flow, its draft, its problems, who is looking."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import F

from accounts.models import Membership, Tenant
from accounts.rights import Right
from accounts.urls_for import turl
from flows import validation
from flows.canvas import Canvas, canvas_of
from flows.checking import check_context
from flows.clipboard import NOTHING, Copied
from flows.document import FlowDocument
from flows.models import Flow, FlowRevision
from flows.occupancy import step_occupancy
from flows.operations.drafts import Walkable, draft_of, walkable
from flows.operations.folding import folded_parts
from flows.steps.base import CheckContext
from flows.talk import START, open_comments
from flows.together import print_of


@dataclass
class Designer:
    """One flow in the designer, as one member sees it."""

    flow: Flow
    tenant: Tenant
    member: Membership
    now: dt.datetime
    part: str = ""
    # The field of the open part that a link of a problem leads to.
    field: str = ""
    query: str = ""
    said: str = ""
    warning: str = ""
    focus: str = ""
    copied: Copied = NOTHING
    chosen: Sequence[uuid.UUID] = ()

    @cached_property
    def document(self) -> FlowDocument:
        """The draft."""
        return draft_of(self.flow)

    @property
    def print(self) -> str:
        """The print of the open part, for telling later whether it was changed meanwhile."""
        return print_of(self.flow, self.document, self.part)

    @cached_property
    def ctx(self) -> CheckContext:
        """Names and licences."""
        return check_context(self.document, flow_id=self.flow.pk)

    @cached_property
    def problems(self) -> Sequence[validation.FlowProblem]:
        """Everything that is not right with the draft."""
        return validation.problems(self.document, now=self.now, ctx=self.ctx)

    @property
    def errors(self) -> Sequence[validation.FlowProblem]:
        """What stops the start."""
        return validation.errors(list(self.problems))

    @property
    def editable(self) -> bool:
        """Whether the draft may be changed now, by this member."""
        return self.flow.status != Flow.Status.RUNNING and self.member.may(Right.FLOW_ADMINISTRATOR)

    @cached_property
    def people(self) -> Mapping[uuid.UUID, int]:
        """Who stands on which step; nobody stands in a flow that was never saved."""
        return step_occupancy(self.flow.pk) if self.flow.revision and self.editable else {}

    @cached_property
    def canvas(self) -> Canvas:
        """The picture."""
        return canvas_of(
            self.document,
            people=self.people,
            people_url=turl(self.tenant, "participants:participants", self.flow.pk),
            editable=self.editable,
            linked=True,
            found=self.problems,
            selected=self.card_part,
            ctx=self.ctx,
            folded=folded_parts(flow_id=self.flow.pk, user=self.member.user),
            comments=self.comments,
        )

    @property
    def card_part(self) -> str:
        """The part whose card is marked: the comments of a step belong to its card."""
        kind, _, key = self.part.partition(":")
        return self.part if kind != "comments" else key if key == START else f"step:{key}"

    @cached_property
    def comments(self) -> Mapping[str, int]:
        """How many threads are open, by place."""
        return open_comments(self.flow.pk)

    @cached_property
    def is_saved(self) -> bool:
        """Whether the draft is the newest revision. The database compares: both documents are large."""
        newest = FlowRevision.objects.filter(flow=self.flow, number=self.flow.revision)
        return bool(self.flow.revision) and newest.filter(document=F("flow__draft")).exists()

    @cached_property
    def walkable(self) -> Walkable:
        """Whether the member may undo and redo."""
        return walkable(self.flow, self.member.user_id)
