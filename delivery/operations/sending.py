"""Sending a batch in commits of their own: reserve · check again and render · mark · hand over · settle.

Between marking and settling at most HANDS messages are in the air: only those of a dead process become unknown.
What became of some is settled in the commit that marks the next. Outcomes stay in memory, and settling is tried until
the database is back. A turn that takes long, because the other side is slow, gives back what it has not begun.
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
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.events import as_json
from delivery import mime
from delivery.channels.base import Channel, Envelope, HandOver, Outcome, TextEnvelope, one_by_one
from delivery.channels.provider import ProviderChannel
from delivery.channels.sms import SmsChannel
from delivery.channels.smtp import SmtpChannel, SmtpSettings
from delivery.domains import SenderDomains, sender_domains
from delivery.email_account import provider_channel
from delivery.envelopes import mail_envelope, sealed, text_envelope
from delivery.files import FileSet, FilesLost
from delivery.holds import Findings, keep
from delivery.models import ChannelHold, Message, Stream
from delivery.operations.rescue import rescue
from delivery.processes import living_process
from delivery.recheck import Candidate, recheck
from delivery.rendering import MessageLinks, Rendered, RenderFailed, RenderJob, message_links, renderer
from delivery.reserve import Batch, reserve, sweep_closed
from delivery.settle import Settlement, failed, handed_over, put_off, refused, settle
from delivery.sms import SmsAccount, sms_account

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


@dataclass(frozen=True, slots=True)
class Ready:
    """A message, rendered and addressed."""

    candidate: Candidate
    rendered: Rendered
    envelope: Envelope | TextEnvelope


@dataclass(slots=True)
class Turn:
    """What the parts of one turn share."""

    tenant: Tenant
    stream: Stream
    process: int
    now: dt.datetime
    email: Channel[Envelope]
    domains: SenderDomains
    sms: SmsChannel | None = None
    account: SmsAccount | None = None

    def hand_over(self, envelope: Envelope | TextEnvelope) -> HandOver:
        """Hand a message over to the channel of its sort."""
        if isinstance(envelope, Envelope):
            return self.email.hand_over(envelope)
        assert self.account is not None  # noqa: S101 - without an account no envelope was made
        self.sms = self.sms or SmsChannel(self.account.account)
        return self.sms.hand_over(envelope)

    def hand_over_all(self, envelopes: Sequence[Envelope | TextEnvelope]) -> list[HandOver]:
        """Hand a few over, side by side where the channel can."""
        mails = [envelope for envelope in envelopes if isinstance(envelope, Envelope)]
        if isinstance(self.email, ProviderChannel) and len(mails) == len(envelopes):
            return self.email.hand_over_all(mails)
        return one_by_one(self.hand_over, envelopes)

    def close(self) -> None:
        """Let go of what is this turn's own."""
        if self.sms is not None:
            self.sms.close()


_channel: list[SmtpChannel] = []


def process_channel() -> SmtpChannel:
    """Return this process's SMTP connection."""
    wanted = SmtpSettings.of_installation()
    if not _channel or _channel[0].given != wanted:
        for old in _channel:
            old.close()
        _channel[:] = [SmtpChannel(wanted)]
    return _channel[0]


def send_batch(
    *,
    tenant_id: int,
    channel: Channel[Envelope] | None = None,
    now: dt.datetime | None = None,
    limit: int = BATCH,
) -> Sent:
    """Send at most `limit` due messages of one tenant; `now` is the tenant's clock.

    Must not run inside a transaction: each part commits for itself. Never raises for what becomes of a message.
    """
    tenant = Tenant.objects.get(pk=tenant_id)
    now = now or clock.now() + tenant.clock_offset
    rescue(tenant_id=tenant_id, now=now)
    swept = sweep_closed(tenant_id=tenant_id)
    with living_process() as process:
        batch = reserve(tenant_id=tenant_id, process=process, now=now, limit=limit)
        if not batch.keys or batch.stream_id is None:
            return Sent(more=batch.busy or swept > 0)
        with tenant_scope(tenant_id):
            by = None if channel else provider_channel()
            stream, domains = Stream.objects.get(pk=batch.stream_id), sender_domains(by_provider=bool(by))
        turn = Turn(tenant, stream, process, now, channel or by or process_channel(), domains)
        ready = _prepare(turn, batch)
        try:
            sent = [_send(turn, items, batch.holds) for items in _by_channel(ready)]
        finally:
            turn.close()
            if by is not None:
                by.close()
        # A channel that does not work must not have the tenant asked for again and again; the other one may go on.
        return Sent(sum(count for count, _ in sent), more=not sent or any(works for _, works in sent))


def _by_channel(ready: Sequence[Ready]) -> list[list[Ready]]:
    """Return the messages of each channel apart: one that does not work holds nothing up but its own."""
    mails = [item for item in ready if isinstance(item.envelope, Envelope)]
    texts = [item for item in ready if isinstance(item.envelope, TextEnvelope)]
    # Those with the same files together: a process holds the encoding of one set at a time.
    mails.sort(key=lambda item: files.boundary if (files := _files(item)) else "")
    return [items for items in (mails, texts) if items]


def _files(item: Ready) -> FileSet | None:
    return item.envelope.files if isinstance(item.envelope, Envelope) else None


def _send(turn: Turn, items: Sequence[Ready], holds: Sequence[ChannelHold]) -> tuple[int, bool]:
    """Send the messages of one channel; return how many went out and whether the channel works."""
    handed, works = 0, True
    findings = Findings(items[0].candidate.channel)
    ends = time.monotonic() + TURN_SECONDS
    settlements: list[Settlement] = []
    for part in _parts(items, HANDS):
        if not works:
            settlements += [_down(turn, item) for item in part]
        elif time.monotonic() > ends:
            settlements += [_given_back(item) for item in part]
        else:
            goes, lost = _sealed(turn, part)
            marked = _settle(turn, settlements + lost, goes)
            settlements, works = _hand_over(turn, goes, marked, findings)
            handed += sum(s.status == Message.Status.SENT for s in settlements)
    _settle(turn, settlements)
    if holds or findings.down or findings.refuses:
        with tenant_scope(turn.tenant.pk):
            keep(findings, stream_id=turn.stream.pk, held=holds, now=turn.now)
    return handed, works


def _prepare(turn: Turn, batch: Batch) -> list[Ready]:
    """Check again and render, in one transaction; settle at once what does not go."""
    with tenant_scope(turn.tenant.pk):
        candidates = recheck(keys=batch.keys, stream=turn.stream, tenant=turn.tenant, process=turn.process)
        goes = [candidate for candidate in candidates if not candidate.refusal]
        goes, waiting = _without_account(turn, goes, batch.holds)
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


def _without_account(
    turn: Turn, goes: list[Candidate], holds: Sequence[ChannelHold]
) -> tuple[list[Candidate], list[Settlement]]:
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
    keep(findings, stream_id=turn.stream.pk, held=holds, now=turn.now)
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
    if not part or _files(part[0]) is None:
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


def _hand_over(
    turn: Turn, part: Sequence[Ready], marked: set[int], findings: Findings
) -> tuple[list[Settlement], bool]:
    """Hand a few messages over; return what became of each and whether the channel works."""
    mine = [item for item in part if item.candidate.id in marked]
    # Cancelled, held or taken over in the meantime: the row says so already, or is given back.
    settlements = [_given_back(item) for item in part if item.candidate.id not in marked]
    results = list(zip(mine, turn.hand_over_all([item.envelope for item in mine]), strict=True))
    results = _whose_fault(results)
    for _, result in results:
        findings.note(result)
    works = findings.down is None
    return settlements + [_outcome(turn, item, result) for item, result in results], works


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


def _mark(turn: Turn, part: Sequence[Ready]) -> set[int]:
    """Mark the messages as being handed over; return which are still ours to send. Inside the tenant's scope."""
    with raw_cursor() as cursor:
        days, ids = [i.candidate.enrolled_on for i in part], [i.candidate.id for i in part]
        versions = [i.rendered.version_id for i in part]
        kept = [as_json(i.rendered.kept) for i in part]
        cursor.execute(_MARK, [days, ids, versions, kept, turn.tenant.pk, turn.process])
        return {row[0] for row in cursor.fetchall()}


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
            with tenant_scope(turn.tenant.pk):
                settle(settlements, process=turn.process, now=turn.now)
                return _mark(turn, following) if following else set()
        except (OperationalError, InterfaceError) as error:
            if not settlements:
                raise
            _log.warning("settling failed, trying again", error=str(error), wait=wait)
            connections["default"].close()
            sleep(wait)
    raise AssertionError("The waits have no end.")


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
        files = _files(item)
        own = files.size if files else 0
        if part and (len(part) >= size or weight + own > HEAVY or files != _files(part[0])):
            yield part
            part, weight = [], 0
        part.append(item)
        weight += own
    if part:
        yield part
