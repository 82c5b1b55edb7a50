"""The demo's selections: static ones filled by simple facts about the contacts, a dynamic and a combined one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.bulk.members import add_to_selection
from crm.criteria.schema import Criteria, Group, Line
from crm.events import Origin
from crm.models import Contact, Selection
from crm.operations.selections import Rule, create_selection


@dataclass(frozen=True)
class Selections:
    """The selections that the welcome flow names."""

    campaign: Selection
    exclusions: Selection
    not_a_fit: Selection


def seed_selections(*, owner: User, now: dt.datetime) -> Selections:
    """Make the selections of the open tenant and fill them."""

    def make(name: str, description: str) -> Selection:
        return Selection.objects.create(name=name, description=description, owner=owner, created_at=now)

    made = Selections(
        campaign=make("Autumn newcomers", "People who asked for the autumn catalogue"),
        exclusions=make("Do not disturb", "Nobody here gets marketing, whatever they consented to"),
        not_a_fit=make("Not a fit for the autumn offer", "Filled by the welcome flow"),
    )
    fair = make("Trade fair Oslo", "Met at our stand")
    prospects = Contact.objects.filter(company__category__name__in=("Prospect", "Lead")).order_by("pk")
    _fill(made.campaign, prospects.exclude(email="").values_list("pk", flat=True)[:80], owner, now)
    _fill(made.exclusions, prospects.values_list("pk", flat=True)[10:14], owner, now)
    nordic = Contact.objects.filter(country__in=("NO", "SE")).order_by("pk")
    _fill(fair, nordic.values_list("pk", flat=True)[:40], owner, now)
    _judged(owner, made.campaign, fair, now)
    return made


def _judged(owner: User, campaign: Selection, fair: Selection, now: dt.datetime) -> None:
    """One selection by criteria, and one of two others."""
    line = Line(field="contact.country", operator="one_of", values=("NO", "SE", "DK", "FI"))
    nordic = Rule(criteria=Criteria(groups=(Group(lines=(line,)),)))
    create_selection(
        name="Nordic contacts", description="Whoever lives there now", rule=nordic, actor=owner, now=now
    )
    rule = Rule(left_id=fair.pk, right_id=campaign.pk, combine=Selection.Combine.ONLY_A)
    create_selection(
        name="Fair, not yet in the campaign", description="Whom to ask next", rule=rule, actor=owner, now=now
    )


def _fill(selection: Selection, contact_ids: object, owner: User, now: dt.datetime) -> None:
    with raw_cursor() as cursor:
        add_to_selection(
            cursor,
            tenant_id=require_tenant_id(),
            selection_id=selection.pk,
            contact_ids=list(contact_ids),  # type: ignore[call-overload]
            now=now,
            origin=Origin.USER,
            actor_id=owner.pk,
        )
