"""When the other side, or we ourselves, fail in the middle: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections

from core.tenancy import tenant_scope
from crm.models import Event
from delivery import settle as settle_module
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.models import BlockedAddress
from delivery.operations import sending
from delivery.operations.fates import note_fate
from delivery.operations.rescue import rescue
from delivery.operations.turn import process_channel
from delivery.processes import living_process
from delivery.reserve import reserve
from delivery.returned import Said
from delivery.tokens import MessageRef
from tests.delivery.conftest import NOW, House
from tests.support.smtp import Mailbox

MINUTE = dt.timedelta(minutes=1)


def answer(mailbox: Mailbox, command: str, text: str) -> None:
    mailbox.answers[command] = lambda argument: text


def test_a_passing_error_is_tried_again_later_and_keeps_its_message_id(
    house: House, mailbox: Mailbox
) -> None:
    [message_id] = house.queue(house.contact())
    before = house.message(message_id).uuid
    answer(mailbox, "RCPT", "451 4.7.1 Greylisted, come back")
    house.send()
    row = house.message(message_id)
    assert (row.status, row.reason, row.attempts, row.reserved_by) == ("queued", "deferred", 1, None)
    assert row.error == "451 4.7.1 Greylisted, come back"
    assert NOW + MINUTE / 2 <= row.send_at <= NOW + MINUTE
    assert house.send().handed == 0
    mailbox.answers.clear()
    assert house.send(now=NOW + MINUTE).handed == 1
    assert mailbox.received[0].message["Message-ID"] == f"<{before}@acme.test>"
    assert house.message(message_id).attempts == 2


def test_trying_ends_one_day(house: House, mailbox: Mailbox) -> None:
    [message_id] = house.queue(house.contact())
    answer(mailbox, "DATA", "452 4.3.1 Insufficient storage")
    now = NOW
    while house.message(message_id).status == "queued":
        house.send(now=now)
        now = house.message(message_id).send_at
    row = house.message(message_id)
    assert (row.status, row.reason, row.attempts) == ("soft_bounced", "gave_up", 14)
    assert dt.timedelta(hours=20) < now - NOW < dt.timedelta(hours=60)


def test_a_refused_address_bounces_and_is_blocked(house: House, mailbox: Mailbox) -> None:
    [message_id] = house.queue(house.contact(email="Gone@Post.test"))
    answer(mailbox, "RCPT", "550 5.1.1 No such user")
    house.send()
    row = house.message(message_id)
    assert (row.status, row.reason, row.error) == ("bounced", "refused", "550 5.1.1 No such user")
    with house.scope():
        blocked = BlockedAddress.objects.get()
        assert (blocked.address_norm, blocked.reason) == ("gone@post.test", "hard_bounce")
        assert list(Event.objects.values_list("kind", flat=True)) == ["message.bounced", "address.blocked"]


@pytest.mark.parametrize("text", ["550 5.7.1 Policy says no", "552 5.2.2 Mailbox full"])
def test_what_is_not_the_addresss_fault_blocks_nothing(house: House, mailbox: Mailbox, text: str) -> None:
    [message_id] = house.queue(house.contact())
    answer(mailbox, "RCPT", text)
    house.send()
    assert house.message(message_id).status == "failed"
    with house.scope():
        assert not BlockedAddress.objects.exists()


def test_a_refused_mail_fails_alone(house: House, mailbox: Mailbox) -> None:
    bad, good = house.queue(house.contact("Ada"), house.contact("Bea"))
    mailbox.answers["DATA"] = lambda to: "554 5.6.0 Looks like spam" if to == "ada@post.test" else ""
    house.send()
    assert house.message(bad).status == "failed"
    assert house.message(good).status == "sent"


def test_a_connection_that_breaks_after_the_last_dot_is_unknown_and_never_sent_again(
    house: House, mailbox: Mailbox
) -> None:
    [message_id] = house.queue(house.contact())
    answer(mailbox, "DATA", "drop")
    house.send()
    row = house.message(message_id)
    assert (row.status, row.reason) == ("unknown", "not_confirmed")
    mailbox.answers.clear()
    assert house.send(now=NOW + dt.timedelta(days=9)).handed == 0
    assert mailbox.received == []


def test_a_connection_that_died_while_idle_is_opened_anew(house: House, mailbox: Mailbox) -> None:
    house.queue(house.contact("Ada"))
    house.send()
    smtp = process_channel()._smtp
    assert smtp is not None
    assert smtp.sock is not None
    smtp.sock.close()
    house.queue(house.contact("Bea"))
    assert house.send().handed == 1


def test_one_connection_serves_many_mails(house: House, mailbox: Mailbox) -> None:
    house.queue(*(house.contact(f"Ada{n}") for n in range(25)))
    assert house.send().handed == 25
    assert len({mail.session for mail in mailbox.received}) == 1


def test_a_turn_that_takes_too_long_gives_back_what_it_has_not_begun(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(25)))
    # Begun at 0; asked before each ten.
    moments = iter([0.0, 0.0, 11.0, 11.0])

    class Clock:
        monotonic = staticmethod(lambda: next(moments))

    with monkeypatch.context() as patch:
        patch.setattr(sending, "time", Clock)
        sent = house.send()
    assert (sent.handed, sent.more) == (10, True)
    statuses = [
        (house.message(message_id).status, house.message(message_id).reserved_by) for message_id in ids
    ]
    assert sorted(statuses, key=str) == [("queued", None)] * 15 + [("sent", None)] * 10
    assert house.send().handed == 15


def test_a_server_that_is_down_costs_no_message_an_attempt(house: House, settings: Any) -> None:
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(12)))
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    sent = house.send()
    assert (sent.handed, sent.more) == (0, False)
    for message_id in ids:
        row = house.message(message_id)
        assert (row.status, row.reason, row.attempts) == ("queued", "channel_down", 0)
        assert row.send_at == NOW + dt.timedelta(seconds=30)


def test_a_message_that_cannot_be_rendered_fails_alone(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = house.write(mjml=house.email.mjml.replace("Hello", "{{ event.amount|number }} Hello"))
    bad, good = house.queue(house.contact("Ada"), house.contact("Bea"), email=email)
    with house.scope(), connections["default"].cursor() as cursor:
        cursor.execute("UPDATE delivery_message SET content_version_id = 999999 WHERE id = %s", [bad])
    house.send()
    assert (house.message(bad).status, house.message(bad).reason) == ("failed", "not_rendered")
    assert house.message(good).status == "sent"


def test_settling_is_tried_until_the_database_is_back(
    house: House, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    [message_id] = house.queue(house.contact())
    failures: list[int] = []

    def write_states(cursor: Any, settlements: Any, **more: Any) -> None:
        if len(failures) < 3:
            failures.append(1)
            raise OperationalError("the database is gone")
        settle_module.write_states(cursor, settlements, **more)

    class Keep:
        def close(self) -> None: ...

    monkeypatch.setattr(sending, "write_states", write_states)
    monkeypatch.setattr(sending, "connections", {"default": Keep()})
    monkeypatch.setattr(sending, "_waits", lambda: iter([0.0] * 10))
    house.send()
    assert len(failures) == 3
    assert house.message(message_id).status == "sent"
    assert len(mailbox.received) == 1


def test_messages_of_the_living_are_left_alone(house: House, django_db_blocker: Any) -> None:
    [message_id] = house.queue(house.contact())
    # Another session holds the lock: that process lives.
    with psycopg.connect(**_dsn()) as other:
        other.execute("SELECT pg_advisory_lock(19782, 4711)")
        reserve(tenant_id=house.tenant.pk, process=4711, now=NOW, limit=10)
        assert rescue(tenant_id=house.tenant.pk, now=NOW).given_back == 0
        assert house.message(message_id).reserved_by == 4711
    # PostgreSQL notices within moments that the session is gone.
    deadline = time.monotonic() + 10
    while not rescue(tenant_id=house.tenant.pk, now=NOW).given_back and time.monotonic() < deadline:
        time.sleep(0.02)
    assert house.message(message_id).reserved_by is None


def _dsn() -> dict[str, Any]:
    given = connections["default"].settings_dict
    parts = {
        "host": given["HOST"],
        "port": given["PORT"],
        "user": given["USER"],
        "password": given["PASSWORD"],
    }
    return {"dbname": given["NAME"], **{key: value for key, value in parts.items() if value}}


def test_a_message_cancelled_after_it_was_reserved_does_not_go(house: House, mailbox: Mailbox) -> None:
    from core.db.cursors import raw_cursor
    from delivery.queue import cancel_messages

    [message_id] = house.queue(house.contact(), participant_id=990_001)

    class Late:
        """Cancels when the first mail is about to go."""

        def hand_over(self, envelope: Envelope) -> HandOver:
            raise AssertionError("handed over")

        def close(self) -> None: ...

    real = sending._prepare

    def prepare(*args: Any) -> Any:
        ready = real(*args)
        with house.scope(), raw_cursor() as cursor:
            done = cancel_messages(
                cursor, tenant_id=house.tenant.pk, participants=[(NOW.date(), 990_001)], reason="dropped"
            )
            assert done == 1
            # The engine leaves the reservation alone.
            cursor.execute("UPDATE delivery_message SET reserved_by = %s", [args[0].process])
        return ready

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_prepare", prepare)
        house.send(channel=Late())
    row = house.message(message_id)
    assert (row.status, row.reason, row.reserved_by) == ("cancelled", "dropped", None)


CHILD = """
import os, sys, datetime as dt
import django
django.setup()
from delivery.channels.base import HandOver, Outcome
from delivery.operations.sending import send_batch

class Dies:
    count = 0
    def hand_over(self, envelope):
        self.count += 1
        if self.count == 3:
            print("in the air", flush=True)
            os.kill(os.getpid(), 9)
        return HandOver(Outcome.SENT, "250 OK")
    def close(self): ...

send_batch(tenant_id=int(sys.argv[1]), channel=Dies(), now=dt.datetime.fromisoformat(sys.argv[2]))
"""


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_killed_process_leaves_only_what_was_in_the_air_unknown(house: House, mailbox: Mailbox) -> None:
    ids = house.queue(*(house.contact(f"Ada{n}") for n in range(25)))
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(house.tenant.pk), NOW.isoformat()],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout.strip() == "in the air"
    # PostgreSQL notices within moments that the session is gone.
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        done = rescue(tenant_id=house.tenant.pk, now=NOW)
        if done.unknown:
            break
        time.sleep(0.05)
    assert (done.unknown, done.given_back) == (10, 15)
    statuses = [house.message(message_id).status for message_id in ids]
    assert sorted(statuses) == ["queued"] * 15 + ["unknown"] * 10
    while house.send().more:
        pass
    assert len(mailbox.received) == 15
    unknown = [message_id for message_id in ids if house.message(message_id).status == "unknown"]
    assert len(unknown) == 10
    # Reports put them right, also a bounce; nothing of it goes a second time.
    for message_id, said in zip(unknown, (Said.DELIVERED, Said.HARD, Said.SOFT), strict=False):
        with house.scope():
            note_fate(ref=MessageRef(house.tenant.pk, NOW.date(), message_id), said=said, words="", now=NOW)
    assert [house.message(one).status for one in unknown[:4]] == [
        "delivered",
        "bounced",
        "soft_bounced",
        "unknown",
    ]
    house.send(now=NOW + dt.timedelta(days=2))
    assert len(mailbox.received) == 15


@pytest.mark.django_db(transaction=True)
def test_the_tick_finds_the_tenant_and_the_clock_of_a_trial_counts(house: House) -> None:
    from accounts.models import Tenant
    from delivery.queries import tenants_with_due_messages

    assert tenants_with_due_messages(NOW) == []
    house.queue(house.contact(), send_at=NOW + dt.timedelta(days=2))
    assert tenants_with_due_messages(NOW) == []
    Tenant.objects.filter(pk=house.tenant.pk).update(is_trial=True, clock_offset=dt.timedelta(days=2))
    assert tenants_with_due_messages(NOW) == [house.tenant.pk]
    with living_process() as process:
        reserve(tenant_id=house.tenant.pk, process=process, now=NOW + dt.timedelta(days=2), limit=10)
        assert tenants_with_due_messages(NOW) == []
    assert tenants_with_due_messages(NOW) == [house.tenant.pk]
    with tenant_scope(house.tenant.pk):
        assert HandOver(Outcome.SENT).outcome == "sent"
