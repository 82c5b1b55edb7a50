"""What a new tenant begins with for sales and requests: types with stages, categories, priorities."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from crm.models import RequestCategory, RequestPriority, RequestType, SaleStage, SaleType

# Name, days until the date, stages with their probability.
SALE_TYPES: tuple[tuple[str, int, tuple[tuple[str, int], ...]], ...] = (
    (
        "New business",
        60,
        (("Lead", 10), ("Qualified", 25), ("Proposal", 50), ("Negotiation", 75), ("Verbal agreement", 90)),
    ),
    ("Additional sale", 30, (("Idea", 20), ("Proposal", 50), ("Negotiation", 80))),
    ("Renewal", 30, (("Due", 60), ("Offer sent", 75), ("Confirmed", 95))),
)
REQUEST_TYPES = ("Question", "Problem", "Complaint", "Order", "Feedback")
REQUEST_CATEGORIES = ("General", "Product", "Delivery", "Invoice", "Website")
REQUEST_PRIORITIES = ("Urgent", "High", "Normal", "Low")


@transaction.atomic
def set_up_desk(*, tenant_id: int, now: dt.datetime) -> None:
    """Lay the default rows into the open scope's tenant (TENANT_SEEDS)."""
    for rank, (name, days, stages) in enumerate(SALE_TYPES):
        kind = SaleType.objects.create(name=name, default_days=days, rank=rank)
        SaleStage.objects.bulk_create(
            SaleStage(type=kind, name=stage, probability=probability, rank=place)
            for place, (stage, probability) in enumerate(stages)
        )
    RequestType.objects.bulk_create(
        RequestType(name=name, rank=rank) for rank, name in enumerate(REQUEST_TYPES)
    )
    RequestCategory.objects.bulk_create(
        RequestCategory(name=name, rank=rank) for rank, name in enumerate(REQUEST_CATEGORIES)
    )
    RequestPriority.objects.bulk_create(
        RequestPriority(name=name, rank=rank) for rank, name in enumerate(REQUEST_PRIORITIES)
    )
