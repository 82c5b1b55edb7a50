"""Add contacts to a flow by hand: a few at once, a selection or a list of a million as a job of slices.

A slice commits its cursor and its verdicts together, so a crash repeats nothing. Many contacts are cut into lanes
(core.lanes): ranges of ids that several workers go through side by side. The token comes with the form: the same form
sent twice is the same job.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.audit import write_audit
from accounts.models import Membership, Tenant, User
from accounts.queries import active_membership
from core.db.cursors import commit_without_waiting, raw_cursor
from core.jobs import JobFailed, Slice, run_slice, wake_after_commit
from core.models import Job
from core.tenancy import require_tenant_id
from crm.models import Contact, Selection
from crm.queries import listing
from crm.queries.reach import contacts_for
from crm.queries.selections import count_members, member_after, member_ids, members_of
from crm.queries.who import find_contacts
from flows.models import Flow
from participants.operations.enrol import Source, suggest
from participants.words import GONE

AT_ONCE: Final = 2_000
SLICE: Final = 10_000
# From so many on a job is cut; each worker gets some lanes, so that the last ones end at about the same time.
CUT_FROM: Final = 20_000
LANES_PER_WORKER: Final = 8


class FlowClosed(Exception):
    """The flow is not running or paused: nobody can be added."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Who is to be added: a selection's members, everyone a list's query string finds, these contacts, or those of a
    project or company."""

    selection_id: int | None = None
    query: str | None = None
    contact_ids: Sequence[int] = ()
    project_id: int | None = None
    company_id: int | None = None

    def contacts(self, member: Membership, now: dt.datetime) -> QuerySet[Contact]:
        """Return the contacts; but for a selection's members, those within the member's reach."""
        if self.selection_id is not None:
            return members_of(Selection.objects.get(pk=self.selection_id), now=now)
        if self.query is not None:
            zone = ZoneInfo(Tenant.objects.values_list("timezone", flat=True).get(pk=require_tenant_id()))
            return listing.matching(member, listing.read_query(QueryDict(self.query)), now=now, zone=zone)
        if self.project_id is not None:
            return contacts_for(member).filter(projects__project=self.project_id)
        if self.company_id is not None:
            return contacts_for(member).filter(company=self.company_id)
        return contacts_for(member).filter(pk__in=list(self.contact_ids)[:AT_ONCE])

    def page(
        self, member: Membership, now: dt.datetime, *, after: int, until: int | None = None
    ) -> list[int]:
        """Return the next SLICE ids, up to and with `until`; a static selection's by its own index, however large."""
        if self.selection_id is not None:
            selection = Selection.objects.filter(pk=self.selection_id).first()
            if selection is None:
                return []
            return member_ids(selection, now=now, after=after, until=until, limit=SLICE)
        found = self.contacts(member, now).filter(pk__gt=after)
        found = found if until is None else found.filter(pk__lte=until)
        return list(found.order_by("pk").values_list("pk", flat=True)[:SLICE])

    def ends(self, member: Membership, now: dt.datetime, *, each: int) -> Iterator[int]:
        """Yield the id of every so many-th contact, by id: where a lane may end. Costs one pass over them."""
        selection = Selection.objects.filter(pk=self.selection_id or 0).first()
        after = 0
        while True:
            if selection is not None:
                end = member_after(selection, now=now, after=after, skip=each)
            else:
                found = self.contacts(member, now).filter(pk__gt=after).order_by("pk")
                end = found.values_list("pk", flat=True)[each - 1 : each].first()
            if end is None:
                return
            yield end
            after = end

    def number(self, member: Membership, now: dt.datetime) -> int:
        """Return how many there are."""
        if self.selection_id is not None:
            return count_members(Selection.objects.get(pk=self.selection_id), now=now)
        return self.contacts(member, now).order_by().count()


def start_adding(*, flow_id: int, chosen: Chosen, token: str, member: Membership, now: dt.datetime) -> Job:
    """Suggest the chosen contacts for a flow; return the job with its result so far.

    Up to AT_ONCE are judged right here, more by a worker. Raises FlowClosed (up to AT_ONCE the verdicts are kept all
    the same), Flow.DoesNotExist.
    """
    flow = Flow.objects.get(pk=flow_id, deleted_at=None)
    if flow.status == Flow.Status.NOT_RUNNING:
        refused = list(
            chosen.contacts(member, now).order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1]
        )
        if len(refused) <= AT_ONCE:
            _suggest_once(flow_id, refused, source=_source(chosen, member.user_id), now=now)
        raise FlowClosed(f"{flow.name} is not running, so nobody can be added.")
    return _start(flow_id=flow_id, chosen=chosen, token=token, member=member, now=now)


@transaction.atomic
def _start(*, flow_id: int, chosen: Chosen, token: str, member: Membership, now: dt.datetime) -> Job:
    _one_at_a_time(member.user)
    made = Job.objects.filter(kind=ADD_TO_FLOW.name, created_by=member.user, arguments__token=token).first()
    if made is not None:
        return made
    flow = Flow.objects.get(pk=flow_id, deleted_at=None)
    job = Job.objects.create(
        kind=ADD_TO_FLOW.name,
        title=f"Adding contacts to {flow.name}"[:200],
        arguments={
            "token": token,
            "flow": flow_id,
            "selection": chosen.selection_id,
            "query": chosen.query,
            "contacts": sorted(set(chosen.contact_ids))[:AT_ONCE],
            "project": chosen.project_id,
            "company": chosen.company_id,
        },
        total=chosen.number(member, now),
        created_by=member.user,
        created_at=now,
        updated_at=now,
    )
    payload = {
        "selection": chosen.selection_id,
        "query": chosen.query,
        "project": chosen.project_id,
        "company": chosen.company_id,
        "contacts": job.total,
    }
    write_audit(
        actor=member.user,
        action="flow.add_contacts",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload=payload,
    )
    if job.total <= AT_ONCE:
        while run_slice(tenant_id=require_tenant_id(), job_id=job.pk, now=now):
            pass
        job.refresh_from_db()
    else:
        wake_after_commit(job)
    return job


def add_by_api(*, flow_id: int, contacts: Sequence[int | str], now: dt.datetime) -> dict[str, int]:
    """Suggest contacts (ids or email addresses) for a flow here and now; return how many got which verdict.

    Those who are not known count as "unknown". Raises FlowClosed (the verdicts are kept all the same),
    Flow.DoesNotExist.
    """
    flow = Flow.objects.get(pk=flow_id, deleted_at=None)
    with raw_cursor() as cursor:
        found = find_contacts(cursor, contacts)
    known = sorted({one[0] for one in found if one is not None})
    verdicts = _suggest_once(flow_id, known, source=Source("api"), now=now)
    if flow.status == Flow.Status.NOT_RUNNING:
        raise FlowClosed(f"{flow.name} is not running, so nobody can be added.")
    sums = {str(verdict): number for verdict, number in verdicts.items()}
    unknown = sum(one is None for one in found)
    return {**sums, "unknown": unknown} if unknown else sums


@transaction.atomic
def _suggest_once(
    flow_id: int, contact_ids: Sequence[int], *, source: Source, now: dt.datetime
) -> Counter[str]:
    return suggest(flow_id=flow_id, contact_ids=contact_ids, source=source, now=now).verdicts


class AddToFlow:
    """The job: suggests contacts in slices, in the order of their ids."""

    name = "add_to_flow"

    def lanes(self, job: Job, *, now: dt.datetime, workers: int) -> list[Mapping[str, Any]]:
        """Cut the contacts into ranges of ids with as many contacts each; the last one is open to whoever comes."""
        if job.total < CUT_FROM:
            return []
        each = max(SLICE, -(-job.total // (workers * LANES_PER_WORKER)))
        ends = list(_chosen(job).ends(_member(job), now, each=each))
        return [
            {"after": after, "until": until} for after, until in zip([0, *ends], [*ends, None], strict=True)
        ]

    def merged(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Add the verdicts of lanes up."""
        sums: Counter[str] = Counter()
        for result in results:
            sums.update(result.get("verdicts", {}))
        return {"verdicts": dict(sums)}

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Judge and enrol the next contacts. Members who come meanwhile are judged too, those who go are not."""
        after, until = int(job.cursor.get("after", 0)), job.cursor.get("until")
        chosen = _chosen(job)
        ids = chosen.page(_member(job), now, after=after, until=until)
        source = _source(chosen, job.created_by_id)
        found = suggest(flow_id=job.arguments["flow"], contact_ids=ids, source=source, now=now)
        finished = len(ids) < SLICE or ids[-1] == until
        if not finished:
            commit_without_waiting()
        done = job.done + len(ids)
        return Slice(
            cursor={"after": ids[-1] if ids else after, "until": until},
            done=done,
            total=done if finished else max(job.total, done),
            finished=finished,
            result={"verdicts": _sums(job, found.verdicts, len(ids))},
        )


ADD_TO_FLOW: Final = AddToFlow()


def _chosen(job: Job) -> Chosen:
    arguments = job.arguments
    return Chosen(
        arguments["selection"],
        arguments["query"],
        tuple(arguments["contacts"]),
        project_id=arguments.get("project"),
        company_id=arguments.get("company"),
    )


def _source(chosen: Chosen, actor_id: int | None) -> Source:
    kind = "selection" if chosen.selection_id else "manual"
    return Source(kind, id=chosen.selection_id, actor_id=actor_id)


def _member(job: Job) -> Membership:
    user = User.objects.filter(pk=job.created_by_id or 0).first()
    member = active_membership(user) if user else None
    if member is None:
        raise JobFailed("Whoever started this is no longer a member of the company.")
    return member


def _sums(job: Job, verdicts: Counter[Any], asked: int) -> dict[str, int]:
    sums: Counter[str] = Counter(job.result.get("verdicts", {}))
    sums.update({str(verdict): number for verdict, number in verdicts.items()})
    gone = asked - sum(verdicts.values())
    if gone:
        sums.update({GONE: gone})
    return dict(sums)


def _one_at_a_time(user: User) -> None:
    """The second click of a double click waits for the first and then finds its job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s)",
            [f"add to flow {require_tenant_id()}", user.pk % 2**31],
        )
