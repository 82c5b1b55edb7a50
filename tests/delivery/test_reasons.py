"""Why a message waits, and until when, or why it did not go, in words."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from delivery import reasons
from delivery.models import ChannelHold, Message, Pace, Stream
from delivery.operations.streams import hold_stream, put_forward
from delivery.reasons import Fate, fates_of, reason_words
from participants.models import Participant
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parent.parent.parent
MINUTE = dt.timedelta(minutes=1)
TUESDAY = {"weekdays": [1], "start": "08:00:00", "to": "17:00:00", "workdays_only": False}


def queued(house: House) -> Message:
    house.queue(house.contact("Ada"))
    with house.scope():
        return Message.objects.get()


def fate(house: House, now: dt.datetime = NOW) -> Fate:
    with house.scope():
        message = Message.objects.order_by("-id")[0]
        return fates_of([message], now=now).get(message.pk, Fate())


def test_what_is_due_or_has_gone_needs_no_words(house: House, mailbox: Mailbox) -> None:
    queued(house)
    assert fate(house) == Fate()
    house.send()
    assert fate(house) == Fate()


def test_the_timeframe_at_hand_over_says_until_when_and_another_one_lets_it_go(
    house: House, mailbox: Mailbox
) -> None:
    message = queued(house)
    with house.scope():
        Stream.objects.filter(pk=message.stream_id).update(timeframe=TUESDAY, timezone="UTC")
    house.send()
    opens = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
    assert fate(house) == Fate("Waits for the flow’s timeframe", opens)
    with house.scope():
        Stream.objects.filter(pk=message.stream_id).update(timeframe=None)
        put_forward(stream_id=message.stream_id, now=NOW)
    assert fate(house) == Fate()
    house.send()
    assert len(mailbox.received) == 1
    with house.scope():
        sent = house.message(message.pk)
        assert (sent.status, sent.reason) == ("sent", "")


def test_the_pace_says_until_when(house: House, mailbox: Mailbox) -> None:
    with house.scope():
        Pace.objects.create(channel="email", most_a_minute=1)
    house.queue(house.contact("Ada"), house.contact("Bea"))
    house.send()
    house.send()
    assert fate(house) == Fate("Waits its turn: so many go in a minute, and no more", NOW + MINUTE)


def test_a_channel_that_does_not_work_says_what_is_the_matter(house: House, mailbox: Mailbox) -> None:
    queued(house)
    with house.scope():
        ChannelHold.objects.create(channel="email", cause="unreachable", since=NOW, retry_at=NOW + MINUTE)
    house.send()
    assert fate(house) == Fate("The mail server cannot be reached", NOW + MINUTE)


def test_a_pause_says_so(house: House) -> None:
    message = queued(house)
    with house.scope():
        hold_stream(stream_id=message.stream_id)
    assert fate(house) == Fate("Waits until the flow runs: it is paused, or has not begun")


def test_a_refusal_at_hand_over_says_which_guard(house: House, mailbox: Mailbox) -> None:
    message = queued(house)
    with house.scope():
        Message.objects.filter(pk=message.pk).update(status="blocked", reason="no_consent")
    assert fate(house) == Fate("There was no valid e-marketing consent")


def test_every_code_that_is_written_has_words() -> None:
    sources = "".join(
        path.read_text() for path in [*(ROOT / "delivery").rglob("*.py")] if path.name != "reasons.py"
    )
    written = set(re.findall(r"reason(?: =|=) ?[\"']([a-z_]+)[\"']", sources))
    written |= set(re.findall(r"THEN '([a-z_]+)'", (ROOT / "delivery/recheck.py").read_text())) - {"held"}
    written |= {
        value for value in Participant.DropReason.values if value in {"moved", "removed_by_user", "merged"}
    }
    known = {*reasons._WAITS, *reasons._REASONS}
    assert written - known == set()
    assert {"outside_timeframe", "paced", "no_consent", "gave_up", "step_removed"} <= known
    assert all(reason_words(code)[0].isupper() for code in known)
