"""Writing a changed batch back: one statement a table, whatever the number of rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import psycopg
from django.db import IntegrityError, transaction

from core.text import norm, norm_email
from crm import search
from crm.bulk.state import NAMED, Owner
from crm.bulk.targets import NAME, Target

R = TypeVar("R")
# How often a batch of companies' names is tried: each time somebody else was quicker with one of them.
TRIES = 5
NAME_ONCE = "company_name_once"
_CASTS = {
    "date": "date",
    "bool": "boolean",
    "item": "bigint",
    "user": "bigint",
    "number": "numeric",
}


def write_rows(
    cursor: psycopg.Cursor[Any],
    *,
    table: str,
    tenant_id: int,
    owners: Sequence[Owner],
    targets: Sequence[Target],
    now: dt.datetime,
    derived: Sequence[tuple[str, Sequence[Any]]] = (),
) -> None:
    """Write columns of crm_contact or crm_company (and `derived` text columns), and updated_at."""
    if not owners:
        return
    columns: list[tuple[str, str, Sequence[Any]]] = [
        (target.column, _CASTS.get(target.type, "text"), [owner.get(target.key) for owner in owners])
        for target in targets
    ]
    columns += [(name, "text", values) for name, values in derived]
    names = [name for name, _, _ in columns]
    arrays = ", ".join(f"%s::{cast}[]" for _, cast, _ in columns)
    sets = "".join(f"{name} = v.{name}, " for name in names)
    cursor.execute(
        f"UPDATE {table} t SET {sets}updated_at = %s::timestamptz "
        f"FROM unnest(%s::bigint[]{', ' if names else ''}{arrays}) AS v ({', '.join(['id', *names])}) "
        "WHERE t.tenant_id = %s::bigint AND t.id = v.id",
        [now, [owner.id for owner in owners], *(values for _, _, values in columns), tenant_id],
    )


def name_columns(owners: Sequence[Owner], keys: set[str]) -> list[tuple[str, list[str]]]:
    """Return the norm columns that follow from changed names and addresses."""
    derived = []
    if keys & {"contact.first_name", "contact.last_name"}:
        derived.append(
            ("name_norm", [norm(f"{_now(o, 'first_name')} {_now(o, 'last_name')}") for o in owners])
        )
    if "contact.email" in keys:
        derived.append(("email_norm", [norm_email(_now(owner, "email")) for owner in owners]))
    return derived


def write_search_words(cursor: psycopg.Cursor[Any], *, tenant_id: int, owners: Iterable[Owner]) -> None:
    """Refresh the search words of contacts whose name, address or phone changed."""
    keys = {f"contact.{column}" for column in NAMED}
    words = {
        owner.id: search.words_of_contact(
            first_name=_now(owner, "first_name"),
            last_name=_now(owner, "last_name"),
            email=_now(owner, "email"),
            phones=(_now(owner, "mobile"), _now(owner, "phone")),
        )
        for owner in owners
        if keys & owner.changed.keys()
    }
    search.write_words(cursor, tenant_id=tenant_id, kind=search.CONTACT, words=words)


def keep_taken_names(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, companies: Iterable[Owner]
) -> dict[int, str]:
    """Take back new names that are empty, or that another company has or was given first; return why, by company."""
    renamed = [owner for owner in companies if owner.get(NAME) != owner.row["name"]]
    cursor.execute(
        "SELECT name FROM crm_company WHERE tenant_id = %s::bigint AND name = ANY(%s::text[])",
        [tenant_id, [owner.new[NAME] for owner in renamed]],
    )
    held = {row[0] for row in cursor.fetchall()}
    found: dict[int, str] = {}
    for owner in renamed:
        name = " ".join(owner.new[NAME].split())
        if name and name not in held:
            owner.new[NAME] = name
            held.add(name)
            continue
        found[owner.id] = (
            f"Company name (another company is called “{name}”)" if name else "Company name (empty)"
        )
        del owner.new[NAME]
    return found


def past_a_taken_name(attempt: Callable[[], R]) -> R:
    """Do it again from its beginning where somebody else took a company's name between the look and the write: the next
    look sees that name. What was done is rolled back to a savepoint first."""
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return attempt()
        except (psycopg.errors.UniqueViolation, IntegrityError) as error:
            cause = error if isinstance(error, psycopg.Error) else error.__cause__
            if getattr(getattr(cause, "diag", None), "constraint_name", "") != NAME_ONCE:
                raise
    with transaction.atomic():
        return attempt()


def company_name_columns(owners: Sequence[Owner]) -> list[tuple[str, list[str]]]:
    """Return the norm column of companies' names."""
    return [("name_norm", [norm(owner.get(NAME) or owner.row["name"]) for owner in owners])]


def write_company_words(cursor: psycopg.Cursor[Any], *, tenant_id: int, owners: Sequence[Owner]) -> None:
    """Refresh the search words of companies that have a new name."""
    words = {owner.id: search.words_of_company(name=owner.new[NAME]) for owner in owners}
    search.write_words(cursor, tenant_id=tenant_id, kind=search.COMPANY, words=words)


def _now(owner: Owner, column: str) -> str:
    return str(owner.new.get(f"contact.{column}", owner.row[column]))


def write_custom(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, owners: Sequence[Owner], target: Target
) -> None:
    """Write one custom field of contacts or companies; an empty value is no row."""
    on = "contact" if target.place == "contact_custom" else "company"
    table = f"crm_{on}fieldvalue"
    changed = [owner for owner in owners if target.key in owner.changed]
    empty = [owner.id for owner in changed if owner.new[target.key] in (None, "")]
    if empty:
        cursor.execute(
            f"DELETE FROM {table} WHERE tenant_id = %s::bigint AND field_id = %s::bigint "
            f"AND {on}_id = ANY(%s::bigint[])",
            [tenant_id, target.custom_id, empty],
        )
    full = [(owner.id, owner.new[target.key]) for owner in changed if owner.new[target.key] not in (None, "")]
    upsert_custom(cursor, tenant_id=tenant_id, target=target, rows=full)


def upsert_custom(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, target: Target, rows: Sequence[tuple[int, Any]]
) -> None:
    """Set one custom field for (owner id, value) pairs, values not empty."""
    if not rows:
        return
    on = "contact" if target.place == "contact_custom" else "company"
    norms = ", value_norm" if target.type == "text" else ""
    cast = _CASTS.get(target.type, "text")
    more = [[norm(value) for _, value in rows]] if norms else []
    arrays = f"%s::bigint[], %s::{cast}[]" + (", %s::text[]" if norms else "")
    cursor.execute(
        f"INSERT INTO crm_{on}fieldvalue (tenant_id, field_id, {on}_id, {target.column}{norms}) "
        f"SELECT %s::bigint, %s::bigint, v.* FROM unnest({arrays}) v "
        f"ON CONFLICT (tenant_id, {on}_id, field_id) DO UPDATE SET {target.column} = excluded.{target.column}"
        + (", value_norm = excluded.value_norm" if norms else ""),
        [tenant_id, target.custom_id, [row[0] for row in rows], [row[1] for row in rows], *more],
    )


def write_interests(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, owners: Sequence[Owner], key: str = "contact.interests"
) -> None:
    """Add and remove interests: one statement each."""
    pairs = {owner.id: owner.changed[key] for owner in owners if key in owner.changed}
    gone = [(contact_id, item) for contact_id, (old, new) in pairs.items() for item in sorted(old - new)]
    come = [(contact_id, item) for contact_id, (old, new) in pairs.items() for item in sorted(new - old)]
    if gone:
        cursor.execute(
            "DELETE FROM crm_contactinterest i USING unnest(%s::bigint[], %s::bigint[]) v (contact_id, item_id) "
            "WHERE i.tenant_id = %s::bigint AND i.contact_id = v.contact_id AND i.item_id = v.item_id",
            [[pair[0] for pair in gone], [pair[1] for pair in gone], tenant_id],
        )
    add_interests(cursor, tenant_id=tenant_id, pairs=come)


def add_interests(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, pairs: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Add (contact id, item id) pairs and return those that were new."""
    if not pairs:
        return []
    cursor.execute(
        "INSERT INTO crm_contactinterest (tenant_id, contact_id, item_id) "
        "SELECT %s::bigint, v.* FROM unnest(%s::bigint[], %s::bigint[]) v ON CONFLICT DO NOTHING "
        "RETURNING contact_id, item_id",
        [tenant_id, [pair[0] for pair in pairs], [pair[1] for pair in pairs]],
    )
    return [(row[0], row[1]) for row in cursor.fetchall()]
