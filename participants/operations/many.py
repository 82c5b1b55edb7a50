"""What a marketer does with everybody who matches a list, however many: a job of slices, in the order of ids.

Who comes in after it began is left out, and nobody is met twice, also where what is done changes who matches. A slice
commits its cursor and what it did together, so a crash repeats nothing. The token comes with the form: the same form
sent twice is the same job.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.http import QueryDict

from accounts.models import Membership, User
from accounts.queries import active_membership
from accounts.rights import Right
from core.jobs import JobFailed, Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from flows.models import Flow
from participants.asked import asked
from participants.models import Participant
from participants.operations import handing_on, members, moving_on

VERBS: Final[Mapping[str, Callable[..., int]]] = {
    "take_out": members.take_out,
    "move_on": moving_on.move_on_now,
    "retry": moving_on.retry,
    "add_to_selection": handing_on.add_to_selection,
    "suggest": handing_on.suggest_for_flow,
    "remove": members.remove_from_flow,
}
SLICE: Final = 500
# Counting stops here: whoever matches beyond is met all the same.
MOST_COUNTED: Final = 100_000


def matching(
    *, flow_id: int, query: str, member: Membership, until: int | None = None
) -> QuerySet[Participant]:
    """Return everybody whom the list's address finds, up to an id."""
    rows = (
        asked(QueryDict(query[:2_000]), member).as_filter().apply(Participant.objects.filter(flow_id=flow_id))
    )
    return rows if until is None else rows.filter(pk__lte=until)


@transaction.atomic
def start_acting(
    *,
    flow: Flow,
    action: str,
    target: Mapping[str, int],
    query: str,
    token: str,
    member: Membership,
    now: dt.datetime,
) -> Job:
    """Do something with everybody who matches now; returns the job. `target` is what the action leads to."""
    _one_at_a_time(member.user)
    known = Job.objects.filter(kind=ACT_ON_MANY.name, created_by=member.user, arguments__token=token).first()
    if known is not None:
        return known
    until = Participant.objects.filter(flow_id=flow.pk).aggregate(Max("pk"))["pk__max"] or 0
    found = matching(flow_id=flow.pk, query=query, member=member, until=until)
    total = found.order_by().values("pk")[:MOST_COUNTED].count()
    return start_job(
        kind=ACT_ON_MANY.name,
        title=f"Participants of {flow.name}"[:200],
        arguments={
            "token": token,
            "flow": flow.pk,
            "action": action,
            "target": dict(target),
            "query": query[:2_000],
            "until": until,
        },
        total=total,
        now=now,
        created_by_id=member.user_id,
    )


class ActOnMany:
    """The job: does it to the next participants by id."""

    name = "act_on_participants"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Do it to the next SLICE. Whoever started it must still be a flow administrator."""
        arguments, after = job.arguments, int(job.cursor.get("after", 0))
        member = _member(job)
        rows = matching(
            flow_id=arguments["flow"], query=arguments["query"], member=member, until=arguments["until"]
        )
        ids = list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:SLICE])
        changed = self._act(arguments, ids, member.user, now) if ids else 0
        finished, done = len(ids) < SLICE, job.done + len(ids)
        return Slice(
            cursor={"after": ids[-1] if ids else after},
            done=done,
            total=done if finished else max(job.total, done),
            finished=finished,
            result={"changed": int(job.result.get("changed", 0)) + changed},
        )

    def _act(self, arguments: Mapping[str, Any], ids: list[int], actor: User, now: dt.datetime) -> int:
        try:
            return VERBS[arguments["action"]](
                flow_id=arguments["flow"], participant_ids=ids, actor=actor, now=now, **arguments["target"]
            )
        except (moving_on.NobodyMoves, handing_on.NoSuchTarget) as refused:
            raise JobFailed(str(refused)) from refused


ACT_ON_MANY: Final = ActOnMany()


def _member(job: Job) -> Membership:
    user = User.objects.filter(pk=job.created_by_id or 0).first()
    member = active_membership(user) if user else None
    if member is None or not member.may(Right.FLOW_ADMINISTRATOR):
        raise JobFailed("Whoever started this may not change participants any more.")
    return member


def _one_at_a_time(user: User) -> None:
    """The second click of a double click waits for the first and then finds its job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), %s)",
            [f"act on participants {require_tenant_id()}", user.pk % 2**31],
        )
