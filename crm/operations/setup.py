"""What a new tenant begins with: the e-marketing purpose, subscription types and the usual list values."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from core.text import norm
from crm.models import ConsentPurpose, CustomField, ListItem, SubscriptionType
from crm.models.consent import E_MARKETING

SUBSCRIPTION_TYPES = (
    ("Newsletter", "News, about once a month"),
    ("Offers", "Offers and campaigns"),
    ("Events", "Invitations to events and webinars"),
)
CATEGORIES = ("Prospect", "Lead", "Customer", "Former customer", "Partner", "Supplier")
BUSINESSES = (
    "Agriculture",
    "Construction",
    "Education",
    "Finance",
    "Health care",
    "Hospitality",
    "IT",
    "Manufacturing",
    "Public sector",
    "Retail",
    "Services",
    "Transport",
)
INTERESTS = ("Product news", "Offers", "Events", "Webinars", "Developer", "Sustainability")
FOLLOW_UP_TYPES = ("Call", "Meeting", "Email", "To do")
CUSTOM_FIELDS = (
    ("customer-since", "Customer since", CustomField.Type.DATE),
    ("annual-revenue", "Annual revenue", CustomField.Type.MONEY),
)


@transaction.atomic
def set_up_tenant(*, tenant_id: int, now: dt.datetime) -> None:
    """Lay the default rows into the open scope's tenant. Called once, when the tenant is made (TENANT_SEEDS)."""
    ConsentPurpose.objects.create(key=E_MARKETING, name="E-marketing")
    SubscriptionType.objects.bulk_create(
        SubscriptionType(name=name, description=text, rank=rank)
        for rank, (name, text) in enumerate(SUBSCRIPTION_TYPES)
    )
    ListItem.objects.bulk_create(
        ListItem(list=list_name, name=name, name_norm=norm(name), rank=rank)
        for list_name, names in (
            (ListItem.List.CATEGORY, CATEGORIES),
            (ListItem.List.BUSINESS, BUSINESSES),
            (ListItem.List.INTEREST, INTERESTS),
            (ListItem.List.FOLLOW_UP_TYPE, FOLLOW_UP_TYPES),
        )
        for rank, name in enumerate(names)
    )
    CustomField.objects.bulk_create(
        CustomField(on=CustomField.On.CONTACT, key=key, name=name, type=type_, rank=rank)
        for rank, (key, name, type_) in enumerate(CUSTOM_FIELDS)
    )
