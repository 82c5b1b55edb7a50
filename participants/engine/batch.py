"""One batch of one flow: gate, claim, then cohort by cohort down the document, then everything back in bulk."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from accounts.models import Holiday, Tenant
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id, tenant_scope
from crm.events import record_events
from flows.document import ExitSettings, StepNode
from flows.locks import flow_gate_shared
from flows.models import Flow
from flows.steps.base import Cohort, Outcomes, StepBroken, StepContext
from flows.steps.table import STEP_KINDS
from participants.engine import ending, outcomes
from participants.engine.bisect import EachFailed, run_bisected
from participants.engine.claim import claim
from participants.engine.guards import GuardContext, Verdict, check_email, check_everyone
from participants.engine.guards_address import ADDRESS_IN_USE, put_off_until
from participants.engine.guards_sms import check_sms
from participants.engine.held import hold_step, release_step
from participants.engine.moving import ACTIVE, Moving
from participants.engine.records import HERE, Records, Values, count_moments
from participants.engine.route import Place, Route, after_removed, route_of
from participants.engine.writeback import write_participants
from participants.models import HeldStep
from participants.success_seen import keep_seen


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What one batch did: `claimed` participants made `steps` steps (visits that ended); the rest says what to wake."""

    claimed: int = 0
    steps: int = 0
    messages: int = 0
    events: int = 0
    busy: bool = False


@dataclass(slots=True)
class Batch:
    """The state of one batch while it runs."""

    tenant: Tenant
    flow: Flow
    route: Route
    now: dt.datetime
    cursor: psycopg.Cursor[Any]
    ctx: StepContext
    guards: GuardContext
    records: Records
    movers: list[Moving]
    cohorts: dict[uuid.UUID, list[Moving]] = field(default_factory=lambda: defaultdict(list))
    silenced: list[Moving] = field(default_factory=list)
    exits: list[tuple[Moving, ExitSettings]] = field(default_factory=list)
    held_steps: set[uuid.UUID] = field(default_factory=set)
    messages: int = 0

    def gone(self) -> set[int]:
        """Return the participants that have left in this batch; their rows say so only when it ends."""
        return {mover.id for mover in self.movers if mover.status != ACTIVE}

    def arrive(self, movers: Sequence[Moving], place: Place) -> None:
        """Bring everyone to a place: the next step's cohort, or Finish."""
        if not isinstance(place, StepNode):
            ending.finish(self, movers)
            return
        for mover in movers:
            mover.step_id, mover.came_at, mover.fresh = place.id, self.now, True
            mover.stop_waiting()
            mover.visit_number += 1
            mover.attempts = 0
        self.cohorts[place.id].extend(movers)


def run_batch(*, tenant_id: int, flow_id: int, now: dt.datetime, limit: int) -> BatchResult:
    """Move up to limit due participants as far as they can go, in one transaction.

    A flow that is not running, not yet started, or whose gate is held (start, pause, end, save) is left alone.
    Errors of the connection or of locks go up: the batch is rolled back and due again.
    """
    return run_gated(
        tenant_id=tenant_id,
        flow_id=flow_id,
        now=now,
        claim=lambda cursor: claim(cursor, tenant_id=tenant_id, flow_id=flow_id, now=now, limit=limit),
        move=lambda batch: advance(batch, batch.movers),
    )


def run_gated(
    *,
    tenant_id: int,
    flow_id: int,
    now: dt.datetime,
    claim: Callable[[psycopg.Cursor[Any]], list[Moving]],
    move: Callable[[Batch], None],
) -> BatchResult:
    """Pass the flow's gate, claim, move and write back, in one transaction."""
    with tenant_scope(tenant_id), raw_cursor() as cursor:
        if not flow_gate_shared(cursor, flow_id):
            return BatchResult(busy=True)
        flow = Flow.objects.select_related(None).filter(pk=flow_id, status=Flow.Status.RUNNING).first()
        if flow is None or (flow.starts_at and now < flow.starts_at):
            return BatchResult()
        movers = claim(cursor)
        if not movers:
            return BatchResult()
        batch = _open(cursor, flow=flow, movers=movers, now=now)
        move(batch)
        return _write(batch)


def step_through(
    cursor: psycopg.Cursor[Any], *, flow: Flow, movers: list[Moving], now: dt.datetime
) -> BatchResult:
    """Move these by a flow as the caller holds it, whatever its row says, without the gate: for a rehearsal, whose
    transaction is rolled back."""
    batch = _open(cursor, flow=flow, movers=movers, now=now)
    advance(batch, movers)
    return _write(batch)


def _open(cursor: psycopg.Cursor[Any], *, flow: Flow, movers: list[Moving], now: dt.datetime) -> Batch:
    tenant = Tenant.objects.get(pk=require_tenant_id())
    route = route_of(flow_id=flow.pk, revision=flow.revision)
    document = route.document
    return Batch(
        tenant=tenant,
        flow=flow,
        route=route,
        now=now,
        cursor=cursor,
        ctx=StepContext(
            tenant_id=tenant.pk,
            flow_id=flow.pk,
            stream_id=flow.stream_id,
            revision=flow.revision,
            document=document,
            now=now,
            holidays=frozenset(Holiday.objects.values_list("day", flat=True)),
            cursor=cursor,
            owner_id=flow.owner_id,
        ),
        guards=GuardContext(
            tenant_id=tenant.pk,
            flow_id=flow.pk,
            document=document,
            now=now,
            consent_required=tenant.consent_required,
        ),
        records=Records(tenant_id=tenant.pk, flow_id=flow.pk, revision=flow.revision, now=now),
        movers=movers,
        held_steps=set(HeldStep.objects.filter(flow_id=flow.pk).values_list("step_id", flat=True)),
    )


def advance(batch: Batch, movers: Sequence[Moving]) -> None:
    """Start these from where they stand, then take the steps in document order until nobody is left to move."""
    new: list[Moving] = []
    stranded: dict[uuid.UUID, list[Moving]] = defaultdict(list)
    for mover in movers:
        if mover.step_id is None:
            new.append(mover)
        elif mover.step_id in batch.route.nodes:
            batch.cohorts[mover.step_id].append(mover)
        else:
            stranded[mover.step_id].append(mover)
    for step_id, group in stranded.items():
        place = after_removed(flow_id=batch.flow.pk, step_id=step_id, route=batch.route)
        outcomes.proceed(batch, group, place, how="removed_step")
    if new:
        batch.arrive(new, batch.route.first)
    while batch.cohorts:
        step_id = min(batch.cohorts, key=batch.route.rank.__getitem__)
        _take_step(batch, batch.route.nodes[step_id], batch.cohorts.pop(step_id))


def _take_step(batch: Batch, node: StepNode, cohort: list[Moving]) -> None:
    kind = STEP_KINDS[node.kind]
    resumed = [m for m in cohort if m.waiting]
    arrived = [m for m in cohort if not m.waiting]
    if resumed and (passed := guard(batch, resumed)):
        for then, group in _as_they_arrived(batch, node, passed):
            _run(batch, then, group, kind.resume)
    if arrived and (passed := guard(batch, arrived)):
        passed = _guard_channel(batch, node, passed) if kind.channel else passed
        if passed:
            _run(batch, node, passed, kind.run)


def _as_they_arrived(
    batch: Batch, node: StepNode, cohort: Sequence[Moving]
) -> list[tuple[StepNode, list[Moving]]]:
    """Group those who wait at a step by the step as it was when they came."""
    groups: dict[int, list[Moving]] = defaultdict(list)
    for mover in cohort:
        groups[mover.visit_revision or batch.flow.revision].append(mover)
    found = []
    for revision, movers in sorted(groups.items()):
        route = route_of(flow_id=batch.flow.pk, revision=revision)
        found.append((route.nodes.get(node.id, node), movers))
    return found


def guard(batch: Batch, cohort: list[Moving]) -> list[Moving]:
    """Return those who may act; the others have left, with the values seen."""
    result = check_everyone(batch.cursor, cohort, batch.guards, caused=lambda: outcomes.happened(batch))
    for mover in cohort if result.succeeded else ():
        mover.success_at = mover.success_at or result.succeeded.get(mover.id)
    if result.succeeded:
        moments = list(result.succeeded.values())
        count_moments(batch.cursor, flow_id=batch.flow.pk, measure="success_met", moments=moments)
        keep_seen(
            batch.cursor,
            document=batch.route.document,
            revision=batch.flow.revision,
            participants=[(m.id, m.contact_id) for m in cohort if m.id in result.succeeded],
            now=batch.now,
        )
    if batch.route.document.settings.move_to_finish:
        done = [m for m in cohort if m.success_at is not None]
        if done:
            ending.move_to_finish(batch, done)
            cohort = [m for m in cohort if m.success_at is None]
    for reason, movers, values in _by_reason(cohort, result.failed):
        ending.drop(batch, movers, reason=reason, values=values)
    return [m for m in cohort if m.id not in result.failed] if result.failed else cohort


def _guard_channel(batch: Batch, node: StepNode, cohort: list[Moving]) -> list[Moving]:
    kind = STEP_KINDS[node.kind]
    drops = kind.on_failed_guard(node) == "drop"
    if kind.channel == "sms":
        failed = check_sms(batch.cursor, cohort, batch.guards)
    else:
        result = check_email(batch.cursor, cohort, batch.guards, gone=batch.gone, drops=drops)
        failed, cohort = result.failed, _without_put_off(batch, cohort, result.put_off)
    for reason, movers, values in _by_reason(cohort, failed):
        if drops:
            ending.drop(batch, movers, reason=reason, values=values, then=kind.failed_exit(node))
        else:
            outcomes.skip(batch, movers, node, reason=reason, values=values)
    return [m for m in cohort if m.id not in failed] if failed else cohort


def _without_put_off(batch: Batch, cohort: list[Moving], put_off: set[int]) -> list[Moving]:
    """Keep these on the step for a moment; return the others."""
    if not put_off:
        return cohort
    stay = [mover for mover in cohort if mover.id in put_off]
    for mover in stay:
        mover.park(due_at=put_off_until(batch.now), until=None, held=ADDRESS_IN_USE)
    until = max(mover.due_at or batch.now for mover in stay)
    seen = outcomes.hold_seen(batch, "address", reason=ADDRESS_IN_USE, until=until)
    outcomes.keep(batch, stay, ended=HERE, values=seen)
    return [mover for mover in cohort if mover.id not in put_off]


def _by_reason(
    cohort: Sequence[Moving], failed: Mapping[int, Verdict]
) -> list[tuple[str, list[Moving], list[Values]]]:
    groups: dict[str, tuple[list[Moving], list[Values]]] = {}
    for mover in cohort if failed else ():
        verdict = failed.get(mover.id)
        if verdict is not None:
            movers, values = groups.setdefault(verdict.reason, ([], []))
            movers.append(mover)
            values.append(verdict.values)
    return [(reason, movers, values) for reason, (movers, values) in groups.items()]


def _run(
    batch: Batch, node: StepNode, cohort: list[Moving], run: Callable[[Cohort, StepContext], Outcomes]
) -> None:
    def remember() -> Callable[[], None]:
        events, later = len(batch.ctx.events), len(batch.ctx.later)

        def take_back() -> None:
            del batch.ctx.events[events:]
            del batch.ctx.later[later:]

        return take_back

    try:
        bisection = run_bisected(lambda part: run(part, batch.ctx), node, cohort, undo=remember)
    except StepBroken as error:
        hold_step(batch, node, cohort, cause=str(error), may_be_theirs=isinstance(error, EachFailed))
        return
    release_step(batch, node)
    for part, result in bisection.outcomes:
        outcomes.apply(batch, node, part, result)
    for mover in cohort if bisection.errors else ():
        if mover.id in bisection.errors:
            values = {"error": bisection.errors[mover.id]}
            ending.drop(batch, [mover], reason="step_failed", values=values)


def _write(batch: Batch) -> BatchResult:
    ending.pass_on(batch)
    ending.silence(batch)
    batch.records.write(batch.cursor)
    write_participants(batch.cursor, batch.movers, tenant_id=batch.tenant.pk)
    _do_later(batch.ctx)
    events = [*batch.records.events, *outcomes.caused(batch)]
    if events:
        record_events(events, cursor=batch.cursor)
    return BatchResult(len(batch.movers), batch.records.steps, batch.messages, events=len(events))


def _do_later(ctx: StepContext) -> None:
    """Do what steps left for the end, in one order whatever order the steps have, so that batches cannot deadlock."""
    works = {f"{later.work.__module__}.{later.work.__qualname__}": later.work for later in ctx.later}
    for name in sorted(works):
        items = [item for later in ctx.later if later.work is works[name] for item in later.items]
        works[name](ctx, items)
