"""The lists of sales and requests: what a query string asks for, as a query within the member's reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from accounts.models import Membership
from accounts.rights import DataObject, Reach
from crm import search
from crm.models import Company, Request, Sale
from crm.queries.desk import RELATED, may, requests_for, sales_for
from crm.queries.listing import find_ids
from crm.queries.reach import companies_for, contacts_for

M = TypeVar("M", bound=Model)
SALE_SORTS = {"": ["-id"], "date": ["date", "id"], "-date": ["-date", "-id"]}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked: words, a status, an owner ("mine", "nobody" or a user id), a contact, a company."""

    words: str
    status: str
    owner: str
    company: int | None
    sort: str

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return not (self.words or self.status or self.owner or self.company)


def read_filter(query: QueryDict, statuses: list[str]) -> Filter:
    """Return the filter of a query string; what makes no sense counts as not asked."""
    status, owner, company = query.get("status", ""), query.get("owner", ""), query.get("company", "")
    return Filter(
        words=query.get("q", "").strip()[:200],
        status=status if status in statuses else "",
        owner=owner if owner in {"mine", "nobody"} or owner.isdecimal() else "",
        company=int(company) if company.isdecimal() and len(company) < 19 else None,
        sort=query.get("sort", "") if query.get("sort", "") in SALE_SORTS else "",
    )


def find_sales(member: Membership, asked: Filter) -> QuerySet[Sale]:
    """Return the sales that a filter finds."""
    return _narrowed(sales_for(member).select_related(*RELATED, "stage"), asked, member, search.SALE)


def find_requests(member: Membership, asked: Filter) -> QuerySet[Request]:
    """Return the requests that a filter finds."""
    rows = requests_for(member).select_related(*RELATED, "category", "priority")
    return _narrowed(rows, asked, member, search.REQUEST)


def _narrowed(rows: QuerySet[M], asked: Filter, member: Membership, kind: str) -> QuerySet[M]:
    if asked.status:
        rows = rows.filter(status=asked.status)
    if asked.company:
        rows = rows.filter(company__in=companies_for(member).filter(pk=asked.company))
    if asked.owner:
        rows = rows.filter(_owner(asked.owner, member))
    if asked.words:
        rows = rows.filter(Q(pk__in=find_ids(kind, asked.words)) | _whose(asked.words, member))
    return rows


def _whose(words: str, member: Membership) -> Q:
    """By contact or company: only of contacts that the member may read, or the search would tell their names."""
    found = Q(contact__in=find_ids(search.CONTACT, words))
    found |= Q(company__in=find_ids(search.COMPANY, words, limit=100))
    if member.reach(DataObject.CONTACT, "read") != Reach.ALL:
        found &= Q(contact__in=contacts_for(member))
    return found


def _owner(owner: str, member: Membership) -> Q:
    if owner == "nobody":
        return Q(owner=None)
    return Q(owner=member.user_id if owner == "mine" else min(int(owner), 2**62))


NEWEST = 10


def company_desk(member: Membership, company: Company) -> dict[str, Any]:
    """Return the newest sales and requests of a company for its page; nothing where the member reads none."""
    shown: dict[str, Any] = {}
    for name, kind, rows in (
        ("sales", DataObject.SALE, sales_for(member)),
        ("requests", DataObject.REQUEST, requests_for(member)),
    ):
        if may(member, kind):
            related = ("type", "stage", "owner") if kind == DataObject.SALE else ("priority", "owner")
            found = rows.filter(company=company).select_related(*related).order_by("-id")[:NEWEST]
            shown[name] = {"rows": list(found), "may_create": may(member, kind, "create")}
    return shown
