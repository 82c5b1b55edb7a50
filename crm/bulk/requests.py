"""Registering requests for many contacts at once: nine statements however many, and giving them their owners.

The caller holds the contacts' rows. Owners that a row names are the caller's to check. A category's turn (who of its
group is next) is shared by everybody, so `assign_owners` locks categories in the order of their ids, and whoever does
more in one transaction calls it last: the engine at its write-back.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from crm import search
from crm.bulk.facts import TITLE, companies_of, desk_event, one_line
from crm.events import NewEvent, Origin, record_events

LONGEST_MESSAGE = 50_000


class UnknownRequestChoice(ValueError):
    """A request type, category or priority does not exist (any more), or there is none at all."""


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A request to register. None for type, category or priority means the first one that may be chosen."""

    contact_id: int
    title: str
    message: str = ""
    type_id: int | None = None
    category_id: int | None = None
    priority_id: int | None = None
    status: str = "open"
    owner_id: int | None = None
    # The category's rule says who gets it, where owner_id does not.
    automatic: bool = False
    author_id: int | None = None
    participant_id: int | None = None
    form_key: uuid.UUID | None = None


# What may be chosen, by id, in its order: (name, retired).
Named = dict[int, tuple[str, bool]]

_CHOICES = """
SELECT 'type', id, name, retired, rank FROM crm_requesttype WHERE tenant_id = %s::bigint
UNION ALL SELECT 'category', id, name, retired, rank FROM crm_requestcategory WHERE tenant_id = %s::bigint
UNION ALL SELECT 'priority', id, name, retired, rank FROM crm_requestpriority WHERE tenant_id = %s::bigint
ORDER BY 1, 5, 3, 2
"""
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("contact_id", "bigint"), ("company_id", "bigint"), ("title", "text"), ("type_id", "bigint"),
    ("category_id", "bigint"), ("priority_id", "bigint"), ("status", "text"), ("owner_id", "bigint"),
    ("closed_at", "timestamptz"), ("participant_id", "bigint"), ("form_key", "uuid"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
_INSERT = f"""
INSERT INTO crm_request (tenant_id, created_at, updated_at, created_by_id, origin, flow_id, {_NAMES})
SELECT %s::bigint, %s::timestamptz, %s::timestamptz, %s::bigint, %s::text, %s::bigint, {_NAMES}
FROM unnest({", ".join(f"%s::{cast}[]" for _, cast in _COLUMNS)}) WITH ORDINALITY AS v ({_NAMES}, place)
ORDER BY place RETURNING id
"""
_LOG = """
INSERT INTO crm_requestmessage (tenant_id, at, kind, origin, request_id, author_id, body)
SELECT %s::bigint, %s::timestamptz, 'message', %s::text, v.* FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) v
"""


def create_requests(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    rows: Sequence[NewRequest],
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None = None,
    actor_id: int | None = None,
    assign: bool = True,
) -> list[int | None]:
    """Register requests and write request.created; return ids in the order of rows, None for an erased contact.

    `assign=False` leaves automatic owners to a later `assign_owners` of the same transaction. Raises
    UnknownRequestChoice before anything is written.
    """
    choices = load_choices(cursor, tenant_id)
    companies = companies_of(cursor, tenant_id, [row.contact_id for row in rows])
    kept = [row for row in rows if row.contact_id in companies]
    ready = [_ready(row, choices, companies[row.contact_id], now) for row in kept]
    if not ready:
        return [None] * len(rows)
    arrays = [[values[name] for values in ready] for name, _ in _COLUMNS]
    cursor.execute(_INSERT, [tenant_id, now, now, actor_id, str(origin), flow_id, *arrays])
    ids = sorted(row[0] for row in cursor.fetchall())
    _write_log(cursor, tenant_id, list(zip(ids, kept, strict=True)), now, origin)
    words = {i: search.words_of_text(values["title"]) for i, values in zip(ids, ready, strict=True)}
    search.write_words(cursor, tenant_id=tenant_id, kind=search.REQUEST, words=words, are_new=True)
    if assign:
        automatic = [i for i, row in zip(ids, kept, strict=True) if row.automatic and row.owner_id is None]
        assign_owners(cursor, tenant_id=tenant_id, request_ids=automatic)
    record_events(
        [
            request_event("request.created", i, values, now, origin, flow_id=flow_id, actor_id=actor_id)
            for i, values in zip(ids, ready, strict=True)
        ],
        cursor=cursor,
    )
    left = iter(ids)
    return [next(left) if row.contact_id in companies else None for row in rows]


def load_choices(cursor: psycopg.Cursor[Any], tenant_id: int) -> dict[str, Named]:
    """Return the tenant's types, categories and priorities in their order. One statement."""
    cursor.execute(_CHOICES, [tenant_id] * 3)
    found: dict[str, Named] = {"type": {}, "category": {}, "priority": {}}
    for what, choice_id, name, retired, _ in cursor.fetchall():
        found[what][choice_id] = (name, retired)
    return found


def _ready(
    row: NewRequest, choices: Mapping[str, Named], company_id: int | None, now: dt.datetime
) -> dict[str, Any]:
    values = {name: getattr(row, name, None) for name, _ in _COLUMNS}
    for what, known in choices.items():
        chosen = _chosen(values[f"{what}_id"], known, what)
        values |= {f"{what}_id": chosen, f"{what}_name": known[chosen][0]}
    return values | {
        "company_id": company_id,
        "title": one_line(row.title, TITLE) or values["type_name"],
        "closed_at": now if row.status == "closed" else None,
    }


def _chosen(choice_id: int | None, known: Named, what: str) -> int:
    found = choice_id
    if choice_id is None:
        found = next((one for one, (_, retired) in known.items() if not retired), None)
    if found is None or found not in known:
        raise UnknownRequestChoice(f"The request {what} does not exist any more.")
    return found


def _write_log(
    cursor: psycopg.Cursor[Any],
    tenant_id: int,
    rows: Sequence[tuple[int, NewRequest]],
    now: dt.datetime,
    origin: Origin,
) -> None:
    said = [(i, row.author_id, _clean(row.message)) for i, row in rows if row.message.strip()]
    if said:
        cursor.execute(
            _LOG, [tenant_id, now, str(origin), *(list(column) for column in zip(*said, strict=True))]
        )


def _clean(text: str) -> str:
    return text.replace("\x00", "").strip()[:LONGEST_MESSAGE]


def request_event(
    kind: str,
    request_id: int,
    values: Mapping[str, Any],
    now: dt.datetime,
    origin: Origin,
    *,
    flow_id: int | None = None,
    actor_id: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> NewEvent:
    """Return an event of a request; `values` are its columns and the names of what it has of the lists."""
    data: dict[str, Any] = {"id": request_id, "title": values["title"], "status": values["status"]}
    for what in ("type", "category", "priority"):
        data |= {what: values[f"{what}_name"], f"{what}_id": values[f"{what}_id"]}
    return desk_event(
        kind,
        "request",
        request_id,
        values,
        data,
        now=now,
        origin=origin,
        flow_id=flow_id,
        actor_id=actor_id,
        more=more,
    )


# --- owners by the category's rule --------------------------------------------------------------------------------


_WAITING = """
SELECT id, category_id FROM crm_request
WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) AND owner_id IS NULL ORDER BY category_id, id
"""
_RULES = """
SELECT id, rule, owner_id, group_id, last_user_id FROM crm_requestcategory
WHERE tenant_id = %s::bigint AND id = ANY(%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
_PEOPLE = """
SELECT m.user_id, array_remove(array_agg(o.group_id) || m.group_id, NULL)
FROM accounts_membership m
JOIN accounts_user u ON u.id = m.user_id AND u.is_active
LEFT JOIN accounts_membershipgroup o ON o.tenant_id = m.tenant_id AND o.membership_id = m.id
WHERE m.tenant_id = %s::bigint AND m.is_active
  AND (m.user_id = ANY(%s::bigint[]) OR m.group_id = ANY(%s::bigint[]) OR o.group_id = ANY(%s::bigint[]))
GROUP BY m.user_id, m.group_id ORDER BY m.user_id
"""
_GIVE = """
UPDATE crm_request r SET owner_id = v.owner_id FROM unnest(%s::bigint[], %s::bigint[]) v (id, owner_id)
WHERE r.tenant_id = %s::bigint AND r.id = v.id
"""
_REMEMBER = """
UPDATE crm_requestcategory c SET last_user_id = v.user_id FROM unnest(%s::bigint[], %s::bigint[]) v (id, user_id)
WHERE c.tenant_id = %s::bigint AND c.id = v.id
"""


def assign_owners(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, request_ids: Sequence[int]
) -> dict[int, int]:
    """Give requests without an owner the one that their category's rule says; return {request id: user id}.

    Only active members get one; a group takes turns, and goes on behind who was last. Five statements.
    """
    if not request_ids:
        return {}
    cursor.execute(_WAITING, [tenant_id, list(request_ids)])
    waiting = cursor.fetchall()
    cursor.execute(_RULES, [tenant_id, sorted({category for _, category in waiting})])
    rules = {row[0]: row[1:] for row in cursor.fetchall()}
    turns = _turns(cursor, tenant_id, rules)
    given = [(i, next(turns[category])) for i, category in waiting if category in turns]
    if not given:
        return {}
    cursor.execute(_GIVE, [[i for i, _ in given], [user for _, user in given], tenant_id])
    categories = dict(waiting)
    last = {categories[i]: user for i, user in given if rules[categories[i]][0] == "group"}
    if last:
        cursor.execute(_REMEMBER, [list(last), list(last.values()), tenant_id])
    return dict(given)


def _turns(
    cursor: psycopg.Cursor[Any], tenant_id: int, rules: Mapping[int, Sequence[Any]]
) -> dict[int, Iterator[int]]:
    """Return for each category with someone to give to who comes next, without end."""
    users = [owner for rule, owner, _, _ in rules.values() if rule == "user" and owner is not None]
    groups = [group for rule, _, group, _ in rules.values() if rule == "group" and group is not None]
    if not users and not groups:
        return {}
    cursor.execute(_PEOPLE, [tenant_id, users, groups, groups])
    people = {user: set(of) for user, of in cursor.fetchall()}
    found: dict[int, Iterator[int]] = {}
    for category, (rule, owner, group, last) in rules.items():
        if rule == "user" and owner in people:
            found[category] = _in_turn([owner], None)
        elif rule == "group" and (mates := [user for user, of in people.items() if group in of]):
            found[category] = _in_turn(mates, last)
    return found


def _in_turn(users: Sequence[int], last: int | None) -> Iterator[int]:
    start = next((place for place, user in enumerate(users) if last is not None and user > last), 0)
    place = start
    while True:
        yield users[place % len(users)]
        place += 1
