"""What a batch of contacts holds before an update, read in at most five statements, with its rows locked.

Locks contacts first, then companies, each in id order: two updates of the same people wait, never deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from crm.bulk.targets import Target

# Names and addresses are always read: their search words are written from all of them.
NAMED = ("first_name", "last_name", "email", "mobile", "phone")


@dataclass(slots=True)
class Owner:
    """A contact or company: its values by target key, as they were and as they shall be."""

    id: int
    company_id: int | None = None
    row: dict[str, Any] = field(default_factory=dict)
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)
    _changed: dict[str, tuple[Any, Any]] | None = None

    def get(self, key: str) -> Any:
        """Return the value as it stands now."""
        return self.new.get(key, self.old.get(key))

    @property
    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Old and new of what really changed; asked only once all changes are made, so it is kept."""
        if self._changed is None:
            pairs = ((key, self.old.get(key), value) for key, value in self.new.items())
            self._changed = {key: (old, new) for key, old, new in pairs if filled(old) != filled(new)}
        return self._changed


def filled(value: Any) -> Any:
    """Return a value as it compares."""
    # An empty text and no value are the same; zero and "no" are values.
    return None if value in ("", frozenset()) else value


@dataclass(slots=True)
class State:
    """The contacts and companies of a batch."""

    contacts: dict[int, Owner]
    companies: dict[int, Owner]

    def owner(self, contact: Owner, target: Target) -> Owner | None:
        """Return whose value a target is for this contact; None where it has no company to write to."""
        if target.is_company or (target.place == "shared" and contact.company_id is not None):
            return self.companies.get(contact.company_id or 0)
        return contact


def load(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    contact_ids: Sequence[int],
    targets: Iterable[Target],
    lock: bool = True,
) -> State:
    """Read, and unless only looking lock, what the targets need."""
    wanted = list(targets)
    shared = [t for t in wanted if t.place == "shared"]
    own = [t for t in wanted if t.place == "contact"] + shared
    contacts = _contacts(cursor, tenant_id, contact_ids, own, lock)
    company_targets = [t for t in wanted if t.place == "company"] + shared
    companies: dict[int, Owner] = {}
    if any(t.is_company for t in wanted) or shared:
        ids = sorted({c.company_id for c in contacts.values() if c.company_id})
        companies = load_companies(cursor, tenant_id, ids, company_targets, lock=lock)
    load_custom(cursor, tenant_id, "contact", contacts, [t for t in wanted if t.place == "contact_custom"])
    load_custom(cursor, tenant_id, "company", companies, [t for t in wanted if t.place == "company_custom"])
    _interests(cursor, tenant_id, contacts, [t for t in wanted if t.place == "interests"])
    return State(contacts, companies)


def _contacts(
    cursor: psycopg.Cursor[Any], tenant_id: int, ids: Sequence[int], targets: Sequence[Target], lock: bool
) -> dict[int, Owner]:
    columns = list(dict.fromkeys([*NAMED, *(target.column for target in targets)]))
    cursor.execute(
        f"SELECT id, company_id, {', '.join(columns)} FROM crm_contact "
        "WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) AND deleted_at IS NULL "
        "ORDER BY id" + (" FOR NO KEY UPDATE" if lock else ""),
        [tenant_id, list(ids)],
    )
    found = {}
    for contact_id, company_id, *values in cursor.fetchall():
        row = dict(zip(columns, values, strict=True))
        old = {target.key: row[target.column] for target in targets}
        found[contact_id] = Owner(contact_id, company_id, row, old)
    return found


def load_companies(
    cursor: psycopg.Cursor[Any],
    tenant_id: int,
    ids: Sequence[int],
    targets: Sequence[Target],
    *,
    lock: bool = True,
) -> dict[int, Owner]:
    """Read, and unless only looking lock, companies by id."""
    if not ids:
        return {}
    columns = [target.column for target in targets]
    cursor.execute(
        f"SELECT {', '.join(['id', 'name', *columns])} FROM crm_company "
        "WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) ORDER BY id"
        + (" FOR NO KEY UPDATE" if lock else ""),
        [tenant_id, list(ids)],
    )
    return {
        company_id: Owner(
            company_id, row={"name": name}, old={t.key: v for t, v in zip(targets, values, strict=True)}
        )
        for company_id, name, *values in cursor.fetchall()
    }


def load_custom(
    cursor: psycopg.Cursor[Any], tenant_id: int, on: str, owners: dict[int, Owner], targets: Sequence[Target]
) -> None:
    if not targets or not owners:
        return
    by_field = {target.custom_id: target for target in targets}
    columns = sorted({target.column for target in targets})
    cursor.execute(
        f"SELECT {on}_id, field_id, {', '.join(columns)} FROM crm_{on}fieldvalue "
        f"WHERE tenant_id = %s::bigint AND {on}_id = ANY(%s::bigint[]) AND field_id = ANY(%s::bigint[])",
        [tenant_id, list(owners), list(by_field)],
    )
    for owner_id, field_id, *values in cursor.fetchall():
        target = by_field[field_id]
        owners[owner_id].old[target.key] = values[columns.index(target.column)]


def _interests(
    cursor: psycopg.Cursor[Any], tenant_id: int, contacts: dict[int, Owner], targets: Sequence[Target]
) -> None:
    for target in targets[:1]:
        for contact in contacts.values():
            contact.old[target.key] = frozenset()
        cursor.execute(
            "SELECT contact_id, array_agg(item_id) FROM crm_contactinterest "
            "WHERE tenant_id = %s::bigint AND contact_id = ANY(%s::bigint[]) GROUP BY contact_id",
            [tenant_id, list(contacts)],
        )
        for contact_id, items in cursor.fetchall():
            contacts[contact_id].old[target.key] = frozenset(items)
