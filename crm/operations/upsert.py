"""A contact as another system knows it: created, or found by its email address and updated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from core.text import norm_email
from crm.bulk import Change
from crm.bulk.changes import BadChange, read_change
from crm.bulk.targets import Target, targets_by_key
from crm.criteria.operators import read_id
from crm.events import Origin
from crm.importing.catalog import Catalog, load_catalog
from crm.operations.consent import record_consent
from crm.operations.contacts import create_contact, edit_contact
from crm.queries.who import find_contacts


class BadValues(ValueError):
    """Values that cannot be written: `errors` are (field key, what is wrong)."""

    def __init__(self, errors: Sequence[tuple[str, str]]) -> None:
        super().__init__("Some values cannot be written.")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """A consent, or its withdrawal, that came with the contact."""

    given: bool
    legal_basis: str = ""
    source: str = ""


@transaction.atomic
def upsert_contact(
    *,
    email: str,
    values: Mapping[str, Any],
    company_name: str | None,
    consent: GivenConsent | None,
    now: dt.datetime,
    origin: Origin = Origin.API,
) -> tuple[int, bool]:
    """Create the contact, or write these values to the oldest one with this address; return its id, and if it is new.

    `values` are by field key (crm.bulk.targets): None clears, what is not named stays. List values and users go by
    name or id. `company_name` "" takes the contact out of its company, None leaves it. Raises BadValues.
    """
    changes = _changes(values)
    with raw_cursor() as cursor:
        # Two requests with a new address at one time: the second waits and then finds the first one's contact.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))",
            [f"contact by address {require_tenant_id()}", norm_email(email)],
        )
        [found] = find_contacts(cursor, [email])
    country = Tenant.objects.values_list("country", flat=True).get(pk=require_tenant_id())
    if found is None:
        own = [Change("contact.email", "set", (email,)), *changes]
        contact_id = create_contact(
            changes=own, company_name=company_name or "", now=now, origin=origin, country=country
        ).pk
    else:
        contact_id = found[0]
        edit_contact(
            contact_id=contact_id,
            changes=changes,
            company_name=company_name,
            now=now,
            country=country,
            origin=origin,
        )
    if consent is not None:
        record_consent(
            contact_id=contact_id,
            given=consent.given,
            at=now,
            legal_basis=consent.legal_basis,
            source=consent.source,
            origin=origin,
        )
    return contact_id, found is None


def _changes(values: Mapping[str, Any]) -> list[Change]:
    known = targets_by_key(values)
    catalog = (
        load_catalog() if any(t.type in {"item", "items", "user"} for t in known.values()) else Catalog()
    )
    changes, errors = [], []
    for key, value in values.items():
        target = known.get(key)
        if target is None or key == "contact.email":
            errors.append((key, "There is no field of this name that can be written."))
            continue
        try:
            change = _change(target, value, catalog)
            read_change(change, target)
        except BadChange as problem:
            errors.append((key, str(problem)))
        else:
            changes.append(change)
    if errors:
        raise BadValues(errors)
    return changes


def _change(target: Target, value: Any, catalog: Catalog) -> Change:
    if target.type == "bool":
        if not isinstance(value, bool):
            raise BadChange(f"{target.label}: true or false is wanted.")
        return Change(target.key, "yes" if value else "no")
    if value is None or value in ("", []):
        return Change(target.key, "clear")
    if target.type == "items":
        if not isinstance(value, list):
            raise BadChange(f"{target.label}: a list is wanted.")
        return Change(target.key, "replace", tuple(_chosen(target, one, catalog) for one in value))
    if target.type in {"item", "user"}:
        return Change(target.key, "set", (_chosen(target, value, catalog),))
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise BadChange(f"{target.label}: a text or a number is wanted.")
    return Change(target.key, "set", (str(value),))


def _chosen(target: Target, value: Any, catalog: Catalog) -> int:
    """Return the id of a list value or user that was named, or given by its id."""
    if isinstance(value, int) and not isinstance(value, bool):
        known = catalog.user_names if target.type == "user" else catalog.names
        found = read_id(value)
        if found in known:
            return value
    elif isinstance(value, str):
        named = (
            catalog.user(value)
            if target.type == "user"
            else catalog.item((target.choices, target.custom_id), value)
        )
        if named is not None:
            return named
    raise BadChange(f"{target.label}: there is no value {str(value)[:80]!r}.")
