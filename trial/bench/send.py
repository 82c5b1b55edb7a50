"""`bench send`: queued messages rendered and handed to a mail server by one real worker, beside the same mails
prepared beforehand and pushed by `smtplib` alone."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import Tenant
from core.tenancy import tenant_scope
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.models import Message, Stream
from delivery.operations.sending import send_batch
from delivery.operations.streams import open_stream
from delivery.tasks import wake_delivery
from trial.bench.costs import Costs, costs_of
from trial.bench.engine import WrongResult
from trial.bench.mail_sink import mail_sink, taken
from trial.bench.mails import Mails, make_mails
from trial.bench.workers import Workers, celery_workers
from trial.bench.world import analyze

# How many mails are prepared for smtplib: they are pushed again and again.
PREPARED = 500


class Keep:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def hand_over(self, envelope: Envelope) -> HandOver:
        """Keep one mail."""
        self.envelopes.append(envelope)
        return HandOver(Outcome.SENT)

    def close(self) -> None:
        """Hold nothing open."""


def send(*, messages: int) -> dict[str, Any]:
    """Return the figures of one run; raises WrongResult where a message was not handed over exactly once.

    The floor is pushed once before and once after; its mean counts, so that a machine that others use at the same
    time is as slow for both.
    """
    mails = make_mails(messages)
    prepared = _prepare(mails)
    with mail_sink() as port:
        floor = [_push(prepared, port, number=messages)]
        mails.queue(messages)
        seconds, early, crew, spent = _work(mails.tenant, mails.stream, port, messages)
        floor.append(_push(prepared, port, number=messages))
    _check(mails.tenant, messages)
    alone = sum(floor) / len(floor)
    return {
        "messages": messages,
        "seconds": round(seconds, 3),
        "messages_per_second": round(messages / seconds),
        "smtplib_per_second": round(alone),
        "ratio": round(messages / seconds / alone, 3),
        "mail_bytes": round(sum(len(e.data) for e in prepared) / len(prepared)),
        "rss_mib_at_a_tenth": round(early / 1024),
        "peak_rss_mib": round(crew.peak_kib / 1024),
        **spent.each(messages),
    }


def _prepare(mails: Mails) -> list[Envelope]:
    """Return mails as they leave, rendered by the real way; their messages are deleted."""
    keep = Keep()
    mails.queue(PREPARED, held=False)
    while len(keep.envelopes) < PREPARED:
        send_batch(tenant_id=mails.tenant.pk, channel=keep)
    with tenant_scope(mails.tenant.pk):
        Message.objects.all().delete()
    return keep.envelopes


def _work(tenant: Tenant, stream: Stream, port: int, messages: int) -> tuple[float, int, Workers, Costs]:
    """Let one worker send everything; return seconds, peak memory (KiB) at a tenth, the worker, and what it cost."""
    os.environ.update(MILLRACE_SMTP_HOST="127.0.0.1", MILLRACE_SMTP_PORT=str(port))
    log = Path(settings.HOME) / "logs" / "bench-worker.log"
    before, early = taken(port), 0
    with celery_workers(1, log=log) as crew:
        analyze()
        cost = costs_of([crew.process.pid])
        at_first = cost()
        start = time.perf_counter()
        with tenant_scope(tenant.pk):
            open_stream(stream_id=stream.pk)
        wake_delivery(tenant.pk)
        while _unsettled(tenant):
            if crew.process.poll() is not None:
                raise WrongResult(f"The worker died: {crew.log.read_text()[-2000:]}")
            if not early and taken(port) - before >= messages / 10:
                crew.measure()
                early = crew.peak_kib
            time.sleep(0.05)
        seconds = time.perf_counter() - start
        spent = cost().since(at_first)
        crew.measure()
    return seconds, early, crew, spent


def _unsettled(tenant: Tenant) -> bool:
    with tenant_scope(tenant.pk):
        waits = Message.objects.filter(status=Message.Status.QUEUED, reserved_by=None)
        return waits.exists() or Message.objects.filter(reserved_by__isnull=False).exists()


def _push(prepared: Sequence[Envelope], port: int, *, number: int) -> float:
    """Hand prepared mails over by smtplib alone, on one connection; return mails a second."""
    number = min(number, 20_000)
    with smtplib.SMTP("127.0.0.1", port) as session:
        start = time.perf_counter()
        for place in range(number):
            envelope = prepared[place % len(prepared)]
            session.sendmail(envelope.sender, [envelope.recipient], envelope.data)
        return number / (time.perf_counter() - start)


def _check(tenant: Tenant, messages: int) -> None:
    with tenant_scope(tenant.pk):
        found = {
            status: Message.objects.filter(status=status).count() for status in ("sent", "queued", "unknown")
        }
    if found != {"sent": messages, "queued": 0, "unknown": 0}:
        raise WrongResult(f"found {found}, wanted {messages} sent")
