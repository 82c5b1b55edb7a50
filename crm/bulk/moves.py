"""A contact that moves to another company has other values by it: told as changes, like any other.

Category, business and our contact become the new company's (the contact's own where there is none), and so do the
company's own fields: waits and triggers that look at one of them hear of it. Reads only; four statements for a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from crm.bulk.plain import plain_value
from crm.bulk.state import Owner, filled, load, load_companies, load_custom
from crm.bulk.targets import NAME, Target, targets
from crm.criteria.fields import COMPANY

# The company itself, told by its name; its name as a value is another field that a trigger may watch.
MOVED = "contact.company"
_CREATED = Target("company.created_at", "Company created", COMPANY, "date", "company", "created_at")


@dataclass(frozen=True, slots=True)
class Move:
    """From one company to another; None is none."""

    contact_id: int
    old: int | None
    new: int | None


def lines_of_moves(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, moves: Sequence[Move]
) -> dict[int, list[dict[str, Any]]]:
    """Return the changes of each contact that moves, as events have them: the company first, then what differs."""
    moves = [move for move in moves if move.old != move.new]
    if not moves:
        return {}
    wanted = targets()
    shared = [target for target in wanted if target.place == "shared"]
    columns = [*shared, *(target for target in wanted if target.place == "company"), _CREATED]
    custom = [target for target in wanted if target.place == "company_custom"]
    ids = sorted({pk for move in moves for pk in (move.old, move.new) if pk})
    companies = load_companies(cursor, tenant_id, ids, columns, lock=False)
    load_custom(cursor, tenant_id, "company", companies, custom)
    homeless = [move.contact_id for move in moves if move.old is None or move.new is None]
    own: dict[int, Owner] = {}
    if homeless:
        # Without a company the contact's own row counts; load() would read the company's too.
        own = load(cursor, tenant_id=tenant_id, contact_ids=homeless, targets=shared, lock=False).contacts
    found = {}
    for move in moves:
        mine = own.get(move.contact_id)
        old = companies.get(move.old, Owner(0)) if move.old else mine or Owner(0)
        new = companies.get(move.new, Owner(0)) if move.new else mine or Owner(0)
        names = [companies[pk].row["name"] if pk in companies else None for pk in (move.old, move.new)]
        found[move.contact_id] = [
            {"field": MOVED, "old": names[0], "new": names[1]},
            {"field": NAME, "old": names[0], "new": names[1], "company": True},
            *_differing(old, new, [*columns, *custom]),
        ]
    return found


def _differing(old: Owner, new: Owner, wanted: Sequence[Target]) -> list[dict[str, Any]]:
    pairs = ((target.key, old.get(target.key), new.get(target.key)) for target in wanted)
    return [
        {"field": key, "old": plain_value(a), "new": plain_value(b), "company": True}
        for key, a, b in pairs
        if filled(a) != filled(b)
    ]
