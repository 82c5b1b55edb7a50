"""Sending a batch in commits of their own: reserve · check again and render · mark · hand over · settle.

Between marking and settling at most HANDS messages of a connection are in the air: only those of a dead process become
unknown. What became of some is settled in the commit that marks the next. Outcomes stay in memory, and settling is
tried until the database is back. A turn that takes long, because the other side is slow, gives back what it has not
begun. Where much is due, threads share a turn (delivery.hands): while one waits for a commit or for the mail server,
another renders.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog
from django.db import InterfaceError, OperationalError, connections

from accounts.models import Licence, Tenant
from accounts.queries import has_licence
from core import clock
from core.db.cursors import one_trip, raw_cursor
from core.tenancy import tenant_scope
from crm.events import as_json
from delivery import mime
from delivery.channels.base import Channel, Envelope, HandOver, Outcome, TextEnvelope
from delivery.domains import sender_domains
from delivery.email_account import provider_channel
from delivery.envelopes import mail_envelope, sealed, text_envelope
from delivery.files import FilesLost
from delivery.hands import shares, side_by_side
from delivery.holds import Findings, keep
from delivery.models import ChannelHold, Message, Stream
from delivery.operations.rescue import rescue
from delivery.operations.turn import Ready, Turn, files_of, process_channel
from delivery.processes import living_process
from delivery.recheck import Candidate, recheck
from delivery.rendering import MessageLinks, Rendered, RenderFailed, RenderJob, message_links, renderer
from delivery.reserve import Key, reserve, sweep_closed
from delivery.settle import (
    Cursor,
    Settlement,
    failed,
    handed_over,
    put_off,
    refused,
    settle,
    tell_addresses,
    tell_events,
    write_states,
    written,
)
from delivery.sms import sms_account

BATCH: Final = 200
HANDS: Final = 10
# Mails with files go fewer at a time: so many bytes between two commits, or one mail.
HEAVY: Final = 64 * 1024 * 1024
# How long one turn hands over; a worker's task must stay far below the broker's visibility timeout.
TURN_SECONDS: Final = 10.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """What one turn did. `more` says that another turn may find work at once."""

    handed: int = 0
    more: bool = False


def send_batch(
    *,
    tenant_id: int,
    channel: Channel[Envelope] | None = None,
    now: dt.datetime | None = None,
    limit: int = BATCH,
    threads: int = 1,
) -> Sent:
    """Send due messages of one tenant, at most `limit` for each thread; `now` is the tenant's clock.

    Must not run inside a transaction: each part commits for itself. Never raises for what becomes of a message.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    now = now or clock.now() + tenant.clock_offset
    rescue(tenant_id=tenant_id, now=now)
    swept = sweep_closed(tenant_id=tenant_id)
    with living_process() as process:
        batch = reserve(tenant_id=tenant_id, process=process, now=now, limit=limit * threads)
        if not batch.keys or batch.stream_id is None:
            return Sent(more=batch.busy or swept > 0)
        with tenant_scope(tenant_id):
            by = None if channel else provider_channel()
            stream, domains = Stream.objects.get(pk=batch.stream_id), sender_domains(by_provider=bool(by))
        down: set[str] = set()

        def work(keys: Sequence[Key]) -> tuple[int, bool]:
            turn = Turn(
                tenant, stream, process, now, channel or by or process_channel(), domains, batch.holds,
                time.monotonic() + TURN_SECONDS, down,
            )  # fmt: skip
            try:
                sent = [_send(turn, items) for items in _by_channel(_prepare(turn, keys))]
            finally:
                turn.close()
            # A channel that does not work must not have the tenant asked for again and again; another may go on.
            return sum(count for count, _ in sent), not sent or any(works for _, works in sent)

        # A provider's account has its own number of requests at the same time.
        parts = shares(batch.keys, 1 if by else threads)
        try:
            done = side_by_side(work, parts)
        finally:
            if by is not None:
                by.close()
        return Sent(sum(count for count, _ in done), more=any(more for _, more in done))


def _by_channel(ready: Sequence[Ready]) -> list[list[Ready]]:
    """Return the messages of each channel apart: one that does not work holds nothing up but its own."""
    mails = [item for item in ready if isinstance(item.envelope, Envelope)]
    texts = [item for item in ready if isinstance(item.envelope, TextEnvelope)]
    # Those with the same files together: a thread holds the encoding of one set at a time.
    mails.sort(key=lambda item: files.boundary if (files := files_of(item)) else "")
    return [items for items in (mails, texts) if items]


def _send(turn: Turn, items: Sequence[Ready]) -> tuple[int, bool]:
    """Send the messages of one channel; return how many went out and whether the channel works."""
    channel = items[0].candidate.channel
    handed, findings = 0, Findings(channel)
    settlements: list[Settlement] = []
    for part in _parts(items, HANDS):
        if channel in turn.down:
            settlements += [_down(turn, item) for item in part]
        elif time.monotonic() > turn.ends:
            settlements += [_given_back(item) for item in part]
        else:
            goes, lost = _sealed(turn, part)
            marked = _settle(turn, settlements + lost, goes)
            settlements = _hand_over(turn, goes, marked, findings)
            if findings.down:
                turn.down.add(channel)
            handed += sum(s.status == Message.Status.SENT for s in settlements)
    _settle(turn, settlements)
    if turn.holds or findings.down or findings.refuses:
        with tenant_scope(turn.tenant.pk):
            keep(findings, stream_id=turn.stream.pk, held=turn.holds, now=turn.now)
    return handed, channel not in turn.down


def _prepare(turn: Turn, keys: Sequence[Key]) -> list[Ready]:
    """Check again and render, in one transaction; settle at once what does not go."""
    with tenant_scope(turn.tenant.pk):
        candidates = recheck(keys=keys, stream=turn.stream, tenant=turn.tenant, process=turn.process)
        goes = [candidate for candidate in candidates if not candidate.refusal]
        goes, waiting = _without_account(turn, goes)
        jobs = [_job(turn, candidate) for candidate in goes]
        results = renderer()(jobs) if jobs else {}
        ready = []
        settlements = waiting + [refused(candidate) for candidate in candidates if candidate.refusal]
        for candidate, job in zip(goes, jobs, strict=True):
            made = _address(turn, candidate, results[candidate.id], job.links)
            if isinstance(made, Ready):
                ready.append(made)
            else:
                settlements.append(made)
        settle(settlements, process=turn.process, now=turn.now)
    return ready


def _without_account(turn: Turn, goes: list[Candidate]) -> tuple[list[Candidate], list[Settlement]]:
    """Take out the SMS where no account could send them, or the licence has ended: they wait, and that is noted."""
    texts = [candidate for candidate in goes if candidate.channel == Message.Channel.SMS]
    if not texts:
        return goes, []
    turn.account = sms_account()
    cause = "" if turn.account else ChannelHold.Cause.NO_ACCOUNT
    cause = cause if has_licence(Licence.Code.SMS, on=turn.now.date()) else ChannelHold.Cause.NO_LICENCE
    if not cause:
        return goes, []
    waits = HandOver(Outcome.DOWN, cause=cause)
    findings = Findings(Message.Channel.SMS, down=waits)
    keep(findings, stream_id=turn.stream.pk, held=turn.holds, now=turn.now)
    others = [candidate for candidate in goes if candidate.channel != Message.Channel.SMS]
    return others, [put_off(candidate, waits, now=turn.now) for candidate in texts]


def _job(turn: Turn, candidate: Candidate) -> RenderJob:
    return RenderJob(
        message_id=candidate.id,
        content_version_id=candidate.content_version_id,
        contact_id=candidate.contact_id,
        channel=candidate.channel,
        values=candidate.values,
        links=message_links(candidate.ref(turn.tenant.pk), turn.now.date()),
    )


def _address(
    turn: Turn, candidate: Candidate, result: Rendered | RenderFailed, links: MessageLinks
) -> Ready | Settlement:
    """Return the assembled message, or why there is none."""
    if isinstance(result, RenderFailed):
        return failed(candidate, reason="not_rendered", error=result.error)
    if candidate.channel == Message.Channel.SMS:
        assert turn.account is not None  # noqa: S101 - without one it would not have come here
        text = text_envelope(candidate, result, stream=turn.stream, tenant=turn.tenant, account=turn.account)
        return Ready(candidate, result, text)
    try:
        mail = mail_envelope(
            candidate,
            result,
            links,
            stream=turn.stream,
            tenant=turn.tenant,
            domains=turn.domains,
            now=turn.now,
        )
    except mime.BadAddress as error:
        return failed(candidate, reason="bad_address", error=str(error))
    return Ready(candidate, result, mail)


def _sealed(turn: Turn, part: Sequence[Ready]) -> tuple[Sequence[Ready], list[Settlement]]:
    """Return a part with its files at hand and signed, and what becomes of mails whose files are not there: before they
    are marked, so that trouble in reading files leaves nobody's fate open."""
    if not part or files_of(part[0]) is None:
        return part, []
    ready, others = [], []
    for item in part:
        assert isinstance(item.envelope, Envelope)  # noqa: S101 - only mails have files
        try:
            mail = sealed(
                item.candidate, item.envelope, stream=turn.stream, tenant=turn.tenant, domains=turn.domains
            )
            ready.append(replace(item, envelope=mail))
        except FilesLost as error:
            others.append(failed(item.candidate, reason="not_rendered", error=str(error)))
        except (OperationalError, InterfaceError) as error:
            _log.warning("files not read, trying again", error=str(error))
            connections["default"].close()
            others.append(_given_back(item))
    return ready, others


def _hand_over(turn: Turn, part: Sequence[Ready], marked: set[int], findings: Findings) -> list[Settlement]:
    """Hand a few messages over and note how the channel does; return what became of each."""
    mine = [item for item in part if item.candidate.id in marked]
    # Cancelled, held or taken over in the meantime: the row says so already, or is given back.
    settlements = [_given_back(item) for item in part if item.candidate.id not in marked]
    results = list(zip(mine, turn.hand_over_all([item.envelope for item in mine]), strict=True))
    results = _whose_fault(results)
    for _, result in results:
        findings.note(result)
    return settlements + [_outcome(turn, item, result) for item, result in results]


def _whose_fault(results: list[tuple[Ready, HandOver]]) -> list[tuple[Ready, HandOver]]:
    """Blame the server where it hung up on several mails and took none; on one alone, the mail may be to blame."""
    lost = [result for _, result in results if result.outcome is Outcome.LOST]
    if len(lost) < 2 or any(result.outcome is Outcome.SENT for _, result in results):
        return results
    down = HandOver(Outcome.DOWN, lost[0].said)
    return [(item, down if result.outcome is Outcome.LOST else result) for item, result in results]


def _given_back(item: Ready) -> Settlement:
    return Settlement(item.candidate, Message.Status.QUEUED)


def _outcome(turn: Turn, item: Ready, result: HandOver) -> Settlement:
    return handed_over(
        item.candidate,
        result,
        rendered=item.rendered,
        now=turn.now,
    )


def _down(turn: Turn, item: Ready) -> Settlement:
    return _outcome(turn, item, HandOver(Outcome.DOWN, "The channel does not work."))


_MARK = """
UPDATE delivery_message m SET status = 'sending', content_version_id = t.version_id, "values" = m."values" || t.kept
FROM unnest(%s::date[], %s::bigint[], %s::bigint[], %s::jsonb[]) AS t(enrolled_on, id, version_id, kept),
     delivery_stream s
WHERE m.tenant_id = %s AND m.enrolled_on = t.enrolled_on AND m.id = t.id
  AND m.status = 'queued' AND m.reserved_by = %s
  AND s.tenant_id = m.tenant_id AND s.id = m.stream_id AND s.state = 'open' AND s.epoch = m.epoch
RETURNING m.id
"""


def _mark(cursor: Cursor, turn: Turn, part: Sequence[Ready]) -> None:
    """Mark the messages as being handed over; the cursor then says which are still ours to send."""
    days, ids = [i.candidate.enrolled_on for i in part], [i.candidate.id for i in part]
    versions = [i.rendered.version_id for i in part]
    kept = [as_json(i.rendered.kept) for i in part]
    cursor.execute(_MARK, [days, ids, versions, kept, turn.tenant.pk, turn.process])


def _settle(
    turn: Turn,
    settlements: Sequence[Settlement],
    following: Sequence[Ready] = (),
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> set[int]:
    """Write outcomes down, however often it takes: what was handed over must not be forgotten. In the same commit
    mark those that follow, and return which of them are still ours."""
    if not settlements and not following:
        return set()
    for wait in _waits():
        try:
            return _settle_once(turn, settlements, following)
        except (OperationalError, InterfaceError) as error:
            if not settlements:
                raise
            _log.warning("settling failed, trying again", error=str(error), wait=wait)
            connections["default"].close()
            sleep(wait)
    raise AssertionError("The waits have no end.")


def _settle_once(turn: Turn, settlements: Sequence[Settlement], following: Sequence[Ready]) -> set[int]:
    """Do it in three round trips: scope and states, events and marks, commit."""

    def states() -> None:
        if settlements:
            write_states(cursor, settlements, process=turn.process)

    with raw_cursor() as cursor, raw_cursor() as marks, tenant_scope(turn.tenant.pk, first=states):
        taken = written(cursor, settlements) if settlements else []
        with one_trip():
            tell_events(cursor, taken, now=turn.now)
            if following:
                _mark(marks, turn, following)
        tell_addresses(cursor, taken, now=turn.now)
        return {row[0] for row in marks.fetchall()} if following else set()


def _waits() -> Iterator[float]:
    wait = 0.1
    while True:
        yield wait
        wait = min(wait * 2, 10.0)


def _parts(items: Sequence[Ready], size: int) -> Iterator[Sequence[Ready]]:
    """Yield parts of at most `size` messages that carry the same files, HEAVY bytes of them together."""
    part: list[Ready] = []
    weight = 0
    for item in items:
        files = files_of(item)
        own = files.size if files else 0
        if part and (len(part) >= size or weight + own > HEAVY or files != files_of(part[0])):
            yield part
            part, weight = [], 0
        part.append(item)
        weight += own
    if part:
        yield part
