"""A tenant with an open scope, and helpers that put contacts into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Tenant, User
from core.tenancy import tenant_scope
from core.text import norm, norm_email
from crm.models import Company, Contact, ListItem, RequestCategory, SaleStage, SaleType
from tests.fixtures.people import Person

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
UTC = ZoneInfo("UTC")


@pytest.fixture
def bare(db: None) -> Iterator[Tenant]:
    """A tenant whose scope is open."""
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    with tenant_scope(tenant.pk):
        yield tenant


@pytest.fixture
def foreign(globex: Tenant) -> dict[Any, int]:
    """Ids of the other tenant, by model."""
    with tenant_scope(globex.pk):
        return {model: model.objects.latest("pk").pk for model in (SaleType, SaleStage, RequestCategory)}


@pytest.fixture
def scope(acme: Tenant, alice: Person, bob: Person, charlie: Person, foreign: Any) -> Iterator[Tenant]:
    """Acme with its scope open."""
    with tenant_scope(acme.pk):
        yield acme


@pytest.fixture
def anna(db: None) -> User:
    """Somebody's sales contact."""
    return User.objects.create_user(email="anna@demo.test", first_name="Anna", last_name="Berg")


def make_contact(**fields: Any) -> Contact:
    """Create a contact with its norm columns."""
    name = norm(f"{fields.get('first_name', '')} {fields.get('last_name', '')}")
    values = {
        "name_norm": name,
        "email_norm": norm_email(fields.get("email", "")),
        "origin": "user",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Contact.objects.create(**{**values, **fields})


def make_company(name: str, **fields: Any) -> Company:
    """Create a company with its norm column."""
    return Company.objects.create(name=name, name_norm=norm(name), created_at=NOW, updated_at=NOW, **fields)


def make_item(list_name: str, name: str, **fields: Any) -> ListItem:
    """Create a list value."""
    return ListItem.objects.create(list=list_name, name=name, name_norm=norm(name), **fields)
