"""Is a flow healthy? What stands still, what was not sent, who comes in: a few signs with the way to each.

Every question is bounded by an index of what is open (due participants, queued and given-up messages), so it costs
the same with a million participants. Reads, never writes.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from delivery.models import Message
from flows.models import Flow
from participants.counters import step_counts
from participants.figures import FlowFigures
from participants.held_people import MOST, OTHER, held_people
from participants.models import HeldStep, Participant
from participants.queries import step_titles

# Work that is due is begun within seconds: after so long somebody should look.
LATE: Final = dt.timedelta(minutes=15)
QUIET: Final = dt.timedelta(days=14)
MOST_COUNTED: Final = 1_000
# Why somebody is held, as the Summary says it; the keys are participants.held_people's.
HELD_WORDS: Final = {
    "cap": "by the frequency cap",
    "timeframe": "until the timeframe opens",
    "address": "while the same address is being judged",
    OTHER: "by an error",
}
# What a queued message waits for (Message.reason): tone, what opens the people, words.
WAITS_FOR: Final = {
    "outside_timeframe": ("info", "waits_timeframe", "for the timeframe; the next goes"),
    "paced": ("info", "waits_turn", "for the pace; the next goes"),
    "channel_down": ("warn", "waits_channel", "for a channel that does not work; next try"),
    "sender_refused": ("warn", "waits_sender", "because the sender was refused; next try"),
    "deferred": ("info", "waits_retry", "for another try, as the other side asked; next try"),
}
# From so many entries on, a share of drop-outs says something.
ENOUGH: Final = 20


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing about the flow: good, info, warn or bad; `query` opens the people behind it, `at` is since when."""

    tone: str
    text: str
    query: str = ""
    at: dt.datetime | None = None
    undelivered: bool = False

    @property
    def icon(self) -> str:
        """The tone's icon."""
        return {"good": "check-circle", "info": "info", "warn": "warning", "bad": "warning-circle"}[self.tone]


def health_of(flow: Flow, figures: FlowFigures, *, now: dt.datetime) -> list[Sign]:
    """Return the signs, the worst first. Eight queries at most."""
    if not flow.revision:
        return []
    held = _held(flow)
    found = [*held, *_late(flow, now), *_messages(flow, now), *_drops(figures), *_entries(flow, now)]
    order = {"bad": 0, "warn": 1, "info": 2}
    found.sort(key=lambda sign: order[sign.tone])
    troubled = any(sign.tone in {"bad", "warn"} for sign in found)
    if troubled or flow.status != Flow.Status.RUNNING:
        return found
    nobody = "late" if held else "held or late"
    return [Sign("good", f"All is well: nobody is {nobody}, and no message was given up."), *found]


def _held(flow: Flow) -> list[Sign]:
    """Steps that work for nobody, then who is held one by one: by the cap, the timeframe, an address or an error."""
    rows = list(HeldStep.objects.filter(flow_id=flow.pk).order_by("since"))
    people, is_more = held_people(flow.pk)
    if not rows and not people:
        return []
    titles, stuck = step_titles([flow.pk]), {row.step_id for row in rows}
    signs = _held_steps(flow, rows, titles) if rows else []
    for one in people:
        if one.by == OTHER and one.step_id in stuck:
            continue
        where = titles.get(one.step_id, "a step") if one.step_id else "the start"
        more = "More than " if is_more and len(people) == 1 else "At least " if is_more else ""
        many = (
            f"{more}{MOST:,} participants are" if is_more and len(people) == 1 else _people(one.number, more)
        )
        step = f"&step={one.step_id}" if one.step_id else ""
        signs.append(
            Sign(
                "warn" if one.by == OTHER else "info",
                f"{many} held at {where} {HELD_WORDS[one.by]}; {'it is' if one.number == 1 else 'the first is'} "
                "tried again",
                query=f"status=active&held={one.by}{step}",
                at=one.first_at,
            )
        )
    return signs


def _held_steps(flow: Flow, rows: Sequence[HeldStep], titles: Mapping[uuid.UUID, str]) -> list[Sign]:
    counts = step_counts(flow.pk)
    return [
        Sign(
            "bad",
            f"{_people(counts.get(row.step_id, {}).get('here', 0))} held at {titles.get(row.step_id, 'a step')}",
            query=f"status=active&step={row.step_id}",
            at=row.since,
        )
        for row in rows
    ]


def _late(flow: Flow, now: dt.datetime) -> list[Sign]:
    """Who is due and was not moved, while the flow runs; held people come again by themselves."""
    if flow.status != Flow.Status.RUNNING or (flow.starts_at and flow.starts_at > now):
        return []
    due = Participant.objects.filter(flow_id=flow.pk, status="active", due_at__lt=now - LATE, held_reason="")
    # By participant_due, a thousand at most: one question, whether anybody is late or not.
    moments = list(due.order_by("due_at").values_list("due_at", flat=True)[: MOST_COUNTED + 1])
    if not moments:
        return []
    first, number = moments[0], len(moments)
    many = f"More than {MOST_COUNTED:,} participants are" if number > MOST_COUNTED else _people(number)
    return [Sign("warn", f"{many} late: they were due and have not moved", at=first)]


def _wait(number: int) -> str:
    return "1 message waits" if number == 1 else f"{number:,} messages wait"


def _messages(flow: Flow, now: dt.datetime) -> list[Sign]:
    queued = Message.objects.filter(stream_id=flow.stream_id, status="queued", reserved_by=None)
    # By message_queued, a thousand at most: counting a million took 0.15 s of the page.
    rows = queued.order_by("send_at", "pk").values_list("send_at", "reason")
    waiting = list(rows[: MOST_COUNTED + 1])
    given_up = Message.objects.filter(
        status__in=["failed", "soft_bounced"], is_test=False, flow_id=flow.pk
    ).count()
    found = _waiting(flow, waiting, now) if waiting else []
    if given_up:
        text = f"{given_up:,} message{'' if given_up == 1 else 's'} could not be delivered"
        found.append(Sign("warn", text, undelivered=True))
    return found


def _waiting(flow: Flow, waiting: Sequence[tuple[dt.datetime, str]], now: dt.datetime) -> list[Sign]:
    """How many messages wait to be sent; while the flow runs, those that wait for a moment to come by what they wait
    for, each with the way to its people."""
    first, number = waiting[0][0], len(waiting)
    running = flow.status == Flow.Status.RUNNING
    late = running and first < now - LATE
    many = f"More than {MOST_COUNTED:,} messages wait" if number > MOST_COUNTED else _wait(number)
    why = "the flow is paused" if flow.status == Flow.Status.PAUSED else "in the queue"
    causes = Counter(reason for at, reason in waiting if running and at > now and reason in WAITS_FOR)
    signs = []
    if late or sum(causes.values()) < number:
        text = f"{many} to be sent"
        signs.append(
            Sign(
                "warn" if late else "info",
                f"{text}, some since longer than they should" if late else f"{text}: {why}",
                query="got=waiting",
                at=first if late else None,
            )
        )
    for reason, n in causes.most_common():
        tone, state, words = WAITS_FOR[reason]
        at = next(at for at, why in waiting if why == reason and at > now)
        more = "At least " if number > MOST_COUNTED else ""
        text = f"{more}{_wait(n)} {words}"
        signs.append(Sign(tone, text[:1].upper() + text[1:], query=f"got={state}", at=at))
    return signs


def _drops(figures: FlowFigures) -> list[Sign]:
    if figures.enrolled < ENOUGH or 2 * figures.dropped < figures.enrolled:
        return []
    worst = figures.dropped_by[0]
    share = round(100 * figures.dropped / figures.enrolled)
    return [
        Sign(
            "warn",
            f"{share} % dropped out, most of them: {worst.label.lower()}",
            query=f"status=dropped&reason={worst.reason}",
        )
    ]


def _entries(flow: Flow, now: dt.datetime) -> list[Sign]:
    newest = Participant.objects.filter(flow_id=flow.pk).order_by("-pk").values_list("enrolled_at", flat=True)
    last = newest.first()
    if flow.status != Flow.Status.RUNNING:
        return []
    if last is None:
        return [Sign("info", "Nobody has entered yet")]
    quiet = last < now - QUIET
    return [
        Sign(
            "info", "Nobody has entered for a while; the last one came" if quiet else "Last entered", at=last
        )
    ]


def _people(number: int, more: str = "") -> str:
    return f"{more}1 participant is" if number == 1 else f"{more}{number:,} participants are"
