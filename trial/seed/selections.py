"""The demo's static selections, filled by simple facts about the contacts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.bulk.members import add_to_selection
from crm.events import Origin
from crm.models import Contact, Selection


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
    return made


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
