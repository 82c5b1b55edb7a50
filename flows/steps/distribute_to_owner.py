"""Distribute to owner: hands contacts, company by company, to users in turn. Turn and evenness are crm.bulk's."""

from __future__ import annotations

from collections.abc import Iterable

from django import forms

from crm.bulk.distribute import Circle, distribute
from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm, offer_many
from flows.steps.people import active_or_owner, fallback_field, prepare_users


class DistributeSettings(StepSettings):
    """Among whom, and whether those who have somebody keep them."""

    users: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    only_unassigned: bool = True
    fallback_user: int | None = None


class DistributeForm(StepForm):
    """The settings panel."""

    users = forms.MultipleChoiceField(label="Users", required=False, widget=forms.CheckboxSelectMultiple)
    groups = forms.MultipleChoiceField(
        label="Groups",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Whoever is in a group when a contact comes here.",
    )
    only_unassigned = forms.BooleanField(
        label="Only contacts without our contact",
        required=False,
        help_text="Whoever has an active user already keeps them.",
    )
    fallback_user = fallback_field()
    template = "flows/steps/distribute_to_owner.html"

    def prepare(self) -> None:
        """Offer members and groups."""
        offer_many(self, "users", "user")
        offer_many(self, "groups", "group")
        prepare_users(self, fallback_user="The flow's owner")


class DistributeToOwner(StepKind):
    """See the module."""

    name = "distribute_to_owner"
    label = "Distribute to owner"
    description = "Hand contacts to colleagues in turn, as their “our contact”."
    icon = "users-three"
    family = "data"
    Settings = DistributeSettings
    Form = DistributeForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Name the first of the circle and count the others."""
        settings: DistributeSettings = self.settings(node)
        circle = [names.name("user", user) or "an inactive user" for user in settings.users]
        circle += [names.name("group", group) or "a deleted group" for group in settings.groups]
        if not circle:
            return "Nobody chosen"
        more = f" and {len(circle) - 2} more" if len(circle) > 2 else ""
        return f"In turn to {', '.join(circle[:2])}{more}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Somebody must be chosen, and at least one of them must be there still."""
        settings: DistributeSettings = self.settings(node)
        if not settings.users and not settings.groups:
            return [Problem("Choose users or groups", place="users")]
        gone_users = [user for user in settings.users if ctx.name("user", user) is None]
        gone_groups = [group for group in settings.groups if ctx.name("group", group) is None]
        nobody = len(gone_users) == len(settings.users) and len(gone_groups) == len(settings.groups)
        found = []
        if gone_users:
            text = "A chosen user is not active any more"
            found.append(Problem(text, place="users", is_warning=not nobody))
        if gone_groups:
            found.append(Problem("A chosen group was deleted", place="groups", is_warning=not nobody))
        if settings.fallback_user is not None and ctx.name("user", settings.fallback_user) is None:
            text = "The fallback user is not active any more: the flow's owner is used"
            found.append(Problem(text, place="fallback_user", is_warning=True))
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield users and groups."""
        settings: DistributeSettings = self.settings(node)
        yield from (Reference("user", user) for user in settings.users)
        yield from (Reference("group", group) for group in settings.groups)
        if settings.fallback_user is not None:
            yield Reference("user", settings.fallback_user)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Hand everyone out; the visit keeps to whom, or that somebody was there already."""
        settings: DistributeSettings = self.settings(cohort.node)
        served = distribute(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            step_id=cohort.node.id,
            contact_ids=cohort.contact_ids,
            circle=Circle(
                user_ids=settings.users,
                group_ids=settings.groups,
                fallback=active_or_owner(ctx, settings.fallback_user),
                only_unassigned=settings.only_unassigned,
            ),
            now=ctx.now,
            origin=Origin.FLOW,
            flow_id=ctx.flow_id,
        )
        ways = {user: Advance(values={"user": user}) for user in set(served.values())}
        outcomes = Outcomes(default=Advance(how="assigned_already"))
        for traveller in cohort:
            if traveller.contact_id in served:
                outcomes.by_id[traveller.id] = ways[served[traveller.contact_id]]
        return outcomes
