"""Create sale: one for each contact, of a type and stage, owned by our contact, the service contact or one user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from pydantic import Field

from accounts.models import Licence, Tenant
from core.tenancy import require_tenant_id
from crm.bulk.sales import NewSale, UnknownSaleChoice, create_sales
from crm.currencies import CURRENCIES, currency_of
from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.create_sale_form import CreateSaleForm
from flows.steps.licences import require_licence
from flows.steps.people import Who, chosen_users, user_problems, user_references, who_text
from flows.steps.texts import render_for, tag_problems

DATE_UNITS = {"days": 1, "weeks": 7}


class CreateSaleSettings(StepSettings):
    """What the sale is. No stage means the type's first."""

    sale_title: str = ""
    sale_type: int | None = None
    stage: int | None = None
    amount: Decimal = Field(default=Decimal(0), ge=0, max_digits=17, decimal_places=2)
    currency: str = ""
    description: str = ""
    project: int | None = None
    date_by: Literal["type", "after"] = "type"
    after: int = Field(default=14, ge=0, le=3_650)
    unit: Literal["days", "weeks"] = "days"
    who: Who = "our_contact"
    user: int | None = None
    fallback_user: int | None = None


class CreateSale(StepKind):
    """See the module."""

    name = "create_sale"
    label = "Create sale"
    description = "Make a sale to the contact."
    icon = "hand-coins"
    family = "data"
    Settings = CreateSaleSettings
    Form = CreateSaleForm
    licence = Licence.Code.SALES

    def new(self) -> StepNode:
        """Return a new step in the tenant's own currency."""
        country = Tenant.objects.values_list("country", flat=True).get(pk=require_tenant_id())
        return super().new().model_copy(update={"settings": {"currency": currency_of(country)}})

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return title, type and whose it is."""
        settings: CreateSaleSettings = self.settings(node)
        kind = names.name("sale_type", settings.sale_type)
        if not settings.sale_title or kind is None:
            return "No sale described yet"
        worth = f", {settings.currency} {settings.amount:,.2f}" if settings.amount else ""
        return f"“{settings.sale_title}”, {kind}{worth}, for {who_text(names, who=settings.who, user=settings.user)}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Title, type and currency must be there, and what is chosen must exist."""
        settings: CreateSaleSettings = self.settings(node)
        found = []
        if not settings.sale_title.strip():
            found.append(Problem("Give the sale a title", place="sale_title"))
        if settings.sale_type is None:
            found.append(Problem("Choose a sale type", place="type_and_stage"))
        elif ctx.name("sale_type", settings.sale_type) is None:
            found.append(Problem("The sale type was deleted: choose another", place="type_and_stage"))
        elif settings.stage is not None and ctx.name("sale_stage", settings.stage) is None:
            found.append(Problem("The stage was deleted: choose another", place="type_and_stage"))
        if settings.currency not in CURRENCIES:
            found.append(Problem("Choose a currency", place="currency"))
        if settings.project is not None and ctx.name("project", settings.project) is None:
            found.append(Problem("The project was deleted: choose another", place="project"))
        texts = {"sale_title": settings.sale_title, "description": settings.description}
        people = user_problems(ctx, who=settings.who, user=settings.user, fallback=settings.fallback_user)
        return [*found, *tag_problems(texts), *people]

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield type, stage, project and users."""
        settings: CreateSaleSettings = self.settings(node)
        for kind, chosen in (
            ("sale_type", settings.sale_type),
            ("sale_stage", settings.stage),
            ("project", settings.project),
        ):
            if chosen is not None:
                yield Reference(kind, chosen)
        yield from user_references(who=settings.who, user=settings.user, fallback=settings.fallback_user)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Make a sale for everyone, dated by the flow's own day."""
        settings: CreateSaleSettings = self.settings(cohort.node)
        require_licence(ctx, self.licence)
        today = ctx.now.astimezone(ctx.settings.zone).date()
        try:
            made = create_sales(
                ctx.cursor,
                tenant_id=ctx.tenant_id,
                rows=self._sales(settings, cohort, ctx, today),
                now=ctx.now,
                origin=Origin.FLOW,
                flow_id=ctx.flow_id,
                today=today,
            )
        except UnknownSaleChoice as error:
            raise StepBroken(str(error)) from error
        return Outcomes(
            by_id={
                traveller.id: Advance(values={"sale": number})
                for traveller, number in zip(cohort, made, strict=True)
                if number is not None
            }
        )

    def _sales(
        self, settings: CreateSaleSettings, cohort: Cohort, ctx: StepContext, today: dt.date
    ) -> list[NewSale]:
        if settings.sale_type is None:
            raise StepBroken("No sale type is chosen.")
        owners = chosen_users(
            ctx, cohort, who=settings.who, user=settings.user, fallback=settings.fallback_user
        )
        texts = render_for(cohort, ctx, {"title": settings.sale_title, "description": settings.description})
        span = dt.timedelta(days=settings.after * DATE_UNITS[settings.unit])
        return [
            NewSale(
                contact_id=traveller.contact_id,
                title=text["title"] if text["title"].strip() else cohort.node.title,
                type_id=settings.sale_type,
                owner_id=owners[traveller.id],
                currency=settings.currency,
                stage_id=settings.stage,
                amount=settings.amount,
                description=text["description"],
                project_id=settings.project,
                date=today + span if settings.date_by == "after" else None,
                participant_id=traveller.id,
            )
            for traveller, text in zip(cohort, texts, strict=True)
        ]
