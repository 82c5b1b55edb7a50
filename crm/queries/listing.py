"""The contact list: what the query string asks for, as a query. Keyset paging and counts are capped, never deep.

A search finds at most MOST_FOUND contacts by its most telling word; the others narrow those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.http import QueryDict

from accounts.models import Membership
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import search
from crm.criteria.editor import read_criteria
from crm.criteria.schema import Criteria
from crm.criteria.sql import FROM, compile_criteria
from crm.criteria.validate import problems
from crm.models import Contact
from crm.queries.reach import contacts_for

MOST_FOUND = 2_000
MOST_COUNTED = 10_000
PREFIX = "f"
SORTS = {"name": ["name_norm", "id"], "-name": ["-name_norm", "-id"], "created": ["id"], "-created": ["-id"]}
DEFAULT_SORT = "name"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query string asks of the list."""

    words: str
    criteria: Criteria
    sort: str
    problems: tuple[str, ...] = ()

    @property
    def order(self) -> Sequence[str]:
        """The columns to page by."""
        return SORTS[self.sort]


def read_query(query: QueryDict) -> Asked:
    """Return what is asked; criteria that cannot be judged count as none, with their problems named."""
    criteria = read_criteria(query, PREFIX)
    wrong = tuple(problems(criteria)) if criteria.groups else ()
    sort = query.get("sort", DEFAULT_SORT)
    return Asked(query.get("q", "").strip()[:200], criteria, sort if sort in SORTS else DEFAULT_SORT, wrong)


def find_ids(kind: str, words: str, *, limit: int = MOST_FOUND) -> list[int]:
    """Return the ids of contacts or companies that all words of a search find; one index scan a word."""
    prefixes = search.search_words(words)
    if not prefixes:
        return []
    first, *rest = prefixes
    more = "".join(
        " AND EXISTS (SELECT 1 FROM crm_searchword o WHERE o.tenant_id = s.tenant_id AND o.kind = s.kind "
        "AND o.object_id = s.object_id AND o.word ^@ %s::text)"
        for _ in rest
    )
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT s.object_id FROM crm_searchword s "
            f"WHERE s.tenant_id = %s::bigint AND s.word ^@ %s::text AND s.kind = %s::text{more} LIMIT %s::bigint",
            [require_tenant_id(), first, kind, *rest, limit],
        )
        return [row[0] for row in cursor.fetchall()]


def matching(member: Membership, asked: Asked, *, now: dt.datetime, zone: ZoneInfo) -> QuerySet[Contact]:
    """Return the contacts of a list within the member's reach."""
    contacts = contacts_for(member)
    if asked.words:
        found = find_ids(search.CONTACT, asked.words)
        companies = find_ids(search.COMPANY, asked.words, limit=100)
        # Without a company the condition stays one that an index answers.
        contacts = contacts.filter(
            Q(pk__in=found) | Q(company__in=companies) if companies else Q(pk__in=found)
        )
    if asked.criteria.groups and not asked.problems:
        compiled = compile_criteria(asked.criteria, now=now, zone=zone)
        sql = f"SELECT c.id FROM {FROM} WHERE c.tenant_id = %s AND {compiled.sql}"
        contacts = contacts.filter(pk__in=RawSQL(sql, [require_tenant_id(), *compiled.params]))  # noqa: S611
    return contacts


@dataclass(frozen=True, slots=True)
class Found:
    """What a list found: the contacts, their capped count, and whether they are few (found and counted already)."""

    contacts: QuerySet[Contact]
    count: int
    few: bool


def look_up(member: Membership, asked: Asked, *, now: dt.datetime, zone: ZoneInfo) -> Found:
    """Find what a list asks for with one pass over the table: up to MOST_COUNTED contacts by their ids.

    Criteria such as *contains* cannot use an index; asked for in the list's order they would be judged twice, and
    row by row. More than that are met early in any order, so the list walks its index.
    """
    contacts = matching(member, asked, now=now, zone=zone)
    if not asked.words and not asked.criteria.groups:
        return Found(contacts, capped_count(contacts), few=False)
    ids = list(contacts.order_by().values_list("pk", flat=True)[: MOST_COUNTED + 1])
    if len(ids) > MOST_COUNTED:
        return Found(contacts, len(ids), few=False)
    return Found(Contact.objects.filter(pk__in=ids), len(ids), few=True)


def capped_count(queryset: QuerySet[Contact]) -> int:
    """Count up to MOST_COUNTED + 1: more need not be known exactly, and costs."""
    return queryset.order_by()[: MOST_COUNTED + 1].count()


def count_words(count: int, noun: str = "contact") -> str:
    """Return a capped count in words."""
    if count > MOST_COUNTED:
        return f"More than {MOST_COUNTED:,} {noun}s"
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
