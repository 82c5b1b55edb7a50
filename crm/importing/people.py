"""From the rows of a slice to its people: rows of one address are one person, companies are set by the first row.

Knows no SQL: crm.importing.write loads what exists and writes the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.bulk.state import Owner
from crm.bulk.targets import Target
from crm.importing.catalog import Catalog
from crm.importing.rows import Plan, Row

INTERESTS = "contact.interests"
# How the reason of a differing company value begins.
NOT_APPLIED = "Not applied"


@dataclass(slots=True)
class Person:
    """One contact of a slice: created, unless `id` was found; later rows write over earlier ones."""

    id: int | None = None
    company_id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    consents: list[bool] = field(default_factory=list)
    is_new: bool = False


@dataclass(slots=True)
class People:
    """The people of a slice and how many rows made and updated them."""

    persons: list[Person] = field(default_factory=list)
    created: int = 0
    updated: int = 0


def gather(
    rows: Iterable[Row],
    *,
    known: Mapping[str, tuple[int, int | None]],
    companies: Mapping[str, Owner],
    by_id: Mapping[int, Owner],
    plan: Plan,
) -> People:
    """Return the people of the rows that are not rejected.

    `known` are contact and company id by normalised address; `companies` by name and `by_id` hold every company
    that the rows or the known contacts name. Company values go into those owners; what differs becomes a warning.
    """
    people = People()
    by_email: dict[str, Person] = {}
    shared = {c.into.key: c.into.target for c in plan.columns if _is_companys(c.into.target)}
    for row in rows:
        if row.rejected:
            continue
        person = by_email.get(row.email_norm) if row.email_norm else None
        if person is None:
            contact_id, company_id = (
                known.get(row.email_norm, (None, None)) if row.email_norm else (None, None)
            )
            person = Person(contact_id, company_id, is_new=contact_id is None)
            people.persons.append(person)
            by_email[row.email_norm] = person
            people.created += person.is_new
            people.updated += not person.is_new
        else:
            people.updated += 1
        _merge(person, row, companies, by_id, shared, plan)
    return people


def _is_companys(target: Target | None) -> bool:
    return target is not None and (target.is_company or target.place == "shared")


def _merge(
    person: Person,
    row: Row,
    companies: Mapping[str, Owner],
    by_id: Mapping[int, Owner],
    shared: Mapping[str, Target | None],
    plan: Plan,
) -> None:
    if row.company:
        person.company_id = companies[row.company].id
    company = by_id.get(person.company_id) if person.company_id is not None else None
    for key, value in row.values.items():
        target = shared.get(key)
        if target is None:
            person.values[key] = person.values.get(key, frozenset()) | value if key == INTERESTS else value
        elif company is not None:
            _set_company(company, row, key, value, target, plan)
        elif target.is_company:
            row.warn(plan.header_of(key), "The row names no company", str(value))
        else:
            person.values[key] = value
    if row.consent is not None:
        person.consents.append(row.consent)


def _set_company(company: Owner, row: Row, key: str, value: Any, target: Target, plan: Plan) -> None:
    """The first row that has a value sets it; what differs later is a warning."""
    old = company.get(key)
    if old in (None, ""):
        company.new[key] = value
    elif old != value:
        catalog: Catalog = plan.catalog
        has = catalog.name(target.type, old)
        text = f"{NOT_APPLIED}: {company.row['name']} has {has} already"
        row.warn(plan.header_of(key), text[:250], catalog.name(target.type, value))
