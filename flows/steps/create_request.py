"""Create request: one for each contact; its owner is a user, whom the category's rule says, or nobody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from accounts.models import Licence
from crm.bulk.requests import NewRequest, UnknownRequestChoice, assign_owners, create_requests
from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Later,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.create_request_form import CreateRequestForm
from flows.steps.licences import require_licence
from flows.steps.people import active_or_owner
from flows.steps.texts import render_for, tag_problems


class CreateRequestSettings(StepSettings):
    """What the request is."""

    request_title: str = ""
    request_type: int | None = None
    category: int | None = None
    priority: int | None = None
    status: Literal["open", "postponed", "closed"] = "open"
    owner_by: Literal["automatic", "named", "nobody"] = "automatic"
    user: int | None = None
    message: str = ""


_CHOSEN = (
    ("request_type", "request_type", "request type"),
    ("category", "request_category", "category"),
    ("priority", "request_priority", "priority"),
)


class CreateRequest(StepKind):
    """See the module."""

    name = "create_request"
    label = "Create request"
    description = "Register a request of the contact."
    icon = "lifebuoy"
    family = "data"
    Settings = CreateRequestSettings
    Form = CreateRequestForm
    licence = Licence.Code.SERVICE

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return title, category and whose it is."""
        settings: CreateRequestSettings = self.settings(node)
        category = names.name("request_category", settings.category)
        if not settings.request_title or category is None:
            return "No request described yet"
        owner = {
            "automatic": "owner by the category's rule",
            "nobody": "unassigned",
            "named": f"for {names.name('user', settings.user) or 'nobody chosen'}",
        }
        return f"“{settings.request_title}”, {category}, {owner[settings.owner_by]}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Title, type, category and priority must be there, and what is chosen must exist."""
        settings: CreateRequestSettings = self.settings(node)
        found = []
        if not settings.request_title.strip():
            found.append(Problem("Give the request a title", place="request_title"))
        for place, kind, word in _CHOSEN:
            chosen = getattr(settings, place)
            if chosen is None:
                found.append(Problem(f"Choose a {word}", place=place))
            elif ctx.name(kind, chosen) is None:
                found.append(Problem(f"The {word} was deleted: choose another", place=place))
        if settings.owner_by == "named" and settings.user is None:
            found.append(Problem("Choose a user", place="user"))
        elif settings.owner_by == "named" and ctx.name("user", settings.user) is None:
            text = "The user is not active any more: the flow's owner gets the requests"
            found.append(Problem(text, place="user", is_warning=True))
        texts = {"request_title": settings.request_title, "message": settings.message}
        return [*found, *tag_problems(texts)]

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield type, category, priority and user."""
        settings: CreateRequestSettings = self.settings(node)
        for place, kind, _ in _CHOSEN:
            chosen = getattr(settings, place)
            if chosen is not None:
                yield Reference(kind, chosen)
        if settings.owner_by == "named" and settings.user is not None:
            yield Reference("user", settings.user)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Register a request for everyone; whom a rule gives them to is settled at the batch's end."""
        settings: CreateRequestSettings = self.settings(cohort.node)
        require_licence(ctx, self.licence)
        try:
            made = create_requests(
                ctx.cursor,
                tenant_id=ctx.tenant_id,
                rows=self._requests(settings, cohort, ctx),
                now=ctx.now,
                origin=Origin.FLOW,
                flow_id=ctx.flow_id,
                assign=False,
            )
        except UnknownRequestChoice as error:
            raise StepBroken(str(error)) from error
        if settings.owner_by == "automatic":
            ctx.later.append(Later(give_owners, tuple(number for number in made if number is not None)))
        return Outcomes(
            by_id={
                traveller.id: Advance(values={"request": number})
                for traveller, number in zip(cohort, made, strict=True)
                if number is not None
            }
        )

    def _requests(
        self, settings: CreateRequestSettings, cohort: Cohort, ctx: StepContext
    ) -> list[NewRequest]:
        owner = None
        if settings.owner_by == "named":
            owner = active_or_owner(ctx, settings.user)
        texts = render_for(cohort, ctx, {"title": settings.request_title, "message": settings.message})
        return [
            NewRequest(
                contact_id=traveller.contact_id,
                title=text["title"] if text["title"].strip() else cohort.node.title,
                message=text["message"],
                type_id=settings.request_type,
                category_id=settings.category,
                priority_id=settings.priority,
                status=settings.status,
                owner_id=owner,
                automatic=settings.owner_by == "automatic",
                participant_id=traveller.id,
            )
            for traveller, text in zip(cohort, texts, strict=True)
        ]


def give_owners(ctx: StepContext, request_ids: list[int]) -> None:
    """Give the batch's requests their owners: a category's turn is shared by all batches."""
    assign_owners(ctx.cursor, tenant_id=ctx.tenant_id, request_ids=request_ids)
