"""Adding chosen contacts, or all that match a list's query, to a selection: at once, or as a job of slices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import QueryDict

from accounts.models import Membership, Tenant, User
from accounts.queries import active_membership
from core.db.cursors import raw_cursor
from core.jobs import JobFailed, Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from crm import bulk
from crm.events import Origin
from crm.models import Selection
from crm.operations.clubs import NameTaken, create_club
from crm.queries import listing
from crm.queries.reach import contacts_for

AT_ONCE = 1_000
SLICE = 5_000


class NotChosen(ValueError):
    """No contact, or no selection, was chosen; or the new selection's name is taken."""


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it: how many were added at once, or the job that goes on."""

    selection: Selection
    added: int
    job: Job | None


@transaction.atomic
def add_chosen(
    *,
    member: Membership,
    contact_ids: Sequence[int],
    query: str | None,
    selection_id: int | None,
    new_name: str,
    now: dt.datetime,
) -> Added:
    """Add contacts by id, or everyone a list's query string finds, within the member's reach. Raises NotChosen."""
    if query is None and not contact_ids:
        raise NotChosen("Choose at least one contact.")
    selection = _selection(member, selection_id, new_name, now)
    if query is not None:
        job = start_job(
            kind=ADD_TO_SELECTION.name,
            now=now,
            arguments={"selection": selection.pk, "query": query[:20_000], "user": member.user_id},
            title=f"Add contacts to {selection.name}"[:200],
            total=0,
            created_by_id=member.user_id,
        )
        return Added(selection, 0, job)
    allowed = list(contacts_for(member).filter(pk__in=contact_ids[:AT_ONCE]).values_list("pk", flat=True))
    return Added(selection, _add(selection.pk, allowed, member.user_id, now), None)


def _selection(member: Membership, selection_id: int | None, new_name: str, now: dt.datetime) -> Selection:
    if new_name:
        try:
            made = create_club(
                model=Selection, name=new_name[:120], description="", actor=member.user, now=now
            )
        except NameTaken as taken:
            raise NotChosen(str(taken)) from taken
        if isinstance(made, Selection):
            return made
    found = Selection.objects.filter(pk=selection_id or 0, kind=Selection.Kind.STATIC).first()
    if found is None:
        raise NotChosen("Choose a selection, or name a new one.")
    return found


def _add(selection_id: int, contact_ids: Sequence[int], user_id: int, now: dt.datetime) -> int:
    with raw_cursor() as cursor:
        added = bulk.add_to_selection(
            cursor,
            tenant_id=require_tenant_id(),
            selection_id=selection_id,
            contact_ids=contact_ids,
            now=now,
            origin=Origin.BULK if len(contact_ids) > 1 else Origin.USER,
            actor_id=user_id,
        )
    return len(added)


class AddToSelection:
    """The job kind. Its cursor is the last contact's id."""

    name = "add_to_selection"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Add the next contacts that match, judged with the rights that the member has now."""
        user = User.objects.get(pk=job.arguments["user"])
        member = active_membership(user)
        if member is None:
            raise JobFailed("Who asked for this is no longer a member.")
        after = int(job.cursor.get("after", 0))
        zone = ZoneInfo(Tenant.objects.get(pk=require_tenant_id()).timezone)
        asked = listing.read_query(QueryDict(str(job.arguments["query"])))
        found = listing.matching(member, asked, now=now, zone=zone)
        ids = list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:SLICE])
        added = _add(int(job.arguments["selection"]), ids, user.pk, now) if ids else 0
        total = job.total or found.order_by().count()
        result = {"added": int(job.result.get("added", 0)) + added}
        finished = len(ids) < SLICE
        done = total if finished else job.done + len(ids)
        return Slice({"after": ids[-1] if ids else after}, done, total, finished, result)


ADD_TO_SELECTION = AddToSelection()
