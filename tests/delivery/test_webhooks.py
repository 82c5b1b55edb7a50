"""Webhooks arrive at least once, signed and whole, and reach nothing that they must not reach."""

from __future__ import annotations

import base64
import datetime as dt
import json
import socket
from http.server import BaseHTTPRequestHandler
from uuid import uuid4

import pytest

from accounts.models import AuditEntry, Tenant
from content.webhooks import Header
from core import clock
from core.db.cursors import raw_cursor
from crm.models import Contact, ContactFieldValue, CustomField
from delivery.models import OutgoingWebhook, WebhookSecret
from delivery.operations.webhook_secrets import keep_secret, renew_signing_key
from delivery.operations.webhooks import MAX_ATTEMPTS, try_failed_again
from delivery.queries import tenants_with_due_webhooks
from delivery.webhooks import client
from delivery.webhooks.queue import cancel_webhooks_of_steps
from tests.delivery.conftest import NOW, House
from tests.delivery.webhook_house import MINUTE, STEP, queue, row, send, signed_by
from tests.fixtures.people import Person
from tests.fixtures.receiver import Receiver, drip

# --- what arrives -------------------------------------------------------------------------------------------------


def test_a_request_arrives_signed_with_values_as_data(
    house: House, receiver: Receiver, alice: Person
) -> None:
    with house.scope():
        key = renew_signing_key(actor=alice.user, now=NOW)
    evil = 'Ada", "admin": true, "x": "\\ 🎉\n'
    [hook] = queue(
        house, house.contact(evil, email="ada@post.test"), url=receiver.url("/a?who={{ contact.first_name }}")
    )

    assert send(house) == 1

    [got] = receiver.got
    assert json.loads(got.body) == {"email": "ada@post.test", "text": f"Hi {evil}!"}
    assert (got.method, got.headers["content-type"]) == ("POST", "application/json")
    assert got.path.startswith("/a?who=Ada%22%2C%20%22admin%22")
    assert "\n" not in got.path
    assert got.headers["webhook-id"] == f"msg_{hook.uuid.hex}"
    assert abs(int(got.headers["webhook-timestamp"]) - clock.now().timestamp()) < 60
    assert signed_by(got, key)
    assert not signed_by(got, "whsec_" + base64.b64encode(b"x" * 24).decode())
    found = row(house, hook)
    assert (found.status, found.code, found.attempts, found.error) == ("delivered", 200, 1, "")
    assert send(house) == 0


def test_a_text_that_is_one_tag_alone_keeps_its_type(house: House, receiver: Receiver) -> None:
    ada = house.contact("Ada", date_of_birth=dt.date(1990, 2, 3))
    with house.scope():
        score = CustomField.objects.create(on="contact", key="score", name="Score", type="number")
        ContactFieldValue.objects.create(contact=ada, field=score, value_number="12.5")
    body = """{"score": "{{ contact.custom.score }}", "text": "{{ contact.custom.score }} points",
      "born": "{{ contact.date_of_birth }}", "none": "{{ contact.job_title|default('-') }}",
      "missing": "{{ company.name }}", "kept": [1, null, true, "{{ event.sale.amount }}"], "{{ x }}": "key"}"""
    queue(house, ada, url=receiver.url(), body=body, event={"sale": {"amount": "99.00"}})
    send(house)
    assert json.loads(receiver.got[0].body) == {
        "score": 12.5,
        "text": "12.5 points",
        "born": "1990-02-03",
        "none": "-",
        "missing": None,
        "kept": [1, None, True, "99.00"],
        "{{ x }}": "key",
    }


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_method_without_a_body_has_none(house: House, receiver: Receiver, method: str) -> None:
    queue(house, house.contact(), url=receiver.url(), method=method)
    send(house)
    [got] = receiver.got
    assert (got.method, got.body, "content-type" in got.headers) == (method, b"", False)


def test_secret_headers_are_sent_and_stand_in_no_row(house: House, receiver: Receiver, alice: Person) -> None:
    with house.scope():
        secret = keep_secret(name="crm", value="Bearer tell-nobody", actor=alice.user, now=NOW)
    headers = (Header("Authorization", secret=secret.pk), Header("X-Team", "north"))
    queue(house, house.contact(), url=receiver.url(), headers=headers)
    send(house)
    assert receiver.got[0].headers["authorization"] == "Bearer tell-nobody"
    assert receiver.got[0].headers["x-team"] == "north"
    with house.scope():
        for model in (WebhookSecret, OutgoingWebhook, AuditEntry):
            assert "tell-nobody" not in str(list(model.objects.values()))


def test_without_its_secret_a_request_waits(house: House, receiver: Receiver, alice: Person) -> None:
    [hook] = queue(house, house.contact(), url=receiver.url(), headers=(Header("X-Key", secret=999),))
    send(house)
    found = row(house, hook)
    assert (receiver.got, found.status, found.attempts) == ([], "queued", 1)
    assert "X-Key" in found.error


# --- trying again -------------------------------------------------------------------------------------------------


def test_a_failing_receiver_is_called_again_later_with_the_same_id(house: House, receiver: Receiver) -> None:
    receiver.answers = [500, 404, 200]
    [hook] = queue(house, house.contact(), url=receiver.url())
    send(house)
    first = row(house, hook)
    assert (first.status, first.code, first.error, first.attempts) == ("queued", 500, "Answered 500.", 1)
    assert NOW + dt.timedelta(seconds=15) <= first.due_at <= NOW + dt.timedelta(seconds=30)
    assert send(house) == 0, "not before its time"
    assert send(house, MINUTE) == 1
    assert send(house, 5 * MINUTE) == 1
    assert row(house, hook).status == "delivered"
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len(receiver.got) == 3


def test_a_body_that_left_the_house_stays_the_same_at_every_try(house: House, receiver: Receiver) -> None:
    receiver.answers = [500, 200]
    contact = house.contact()
    body = '{"name": "{{ contact.first_name }} Ø \\"x\\""}'
    [hook] = queue(house, contact, url=receiver.url(), body=body)
    send(house)
    with house.scope():
        Contact.objects.filter(pk=contact.pk).update(first_name="Changed")
    send(house, MINUTE)
    first, second = receiver.got
    assert first.body == second.body
    assert b"Changed" not in second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert row(house, hook).status == "delivered"


def test_after_two_days_it_is_given_up_and_can_be_tried_again_by_hand(
    house: House, receiver: Receiver
) -> None:
    receiver.answers = [503]
    [hook] = queue(house, house.contact(), url=receiver.url())
    with house.scope():
        OutgoingWebhook.objects.update(attempts=MAX_ATTEMPTS - 1)
    send(house)
    assert (row(house, hook).status, row(house, hook).code) == ("failed", 503)
    assert send(house, dt.timedelta(days=9)) == 0
    with house.scope():
        assert try_failed_again(flow_id=8, step_id=STEP, now=NOW) == 0
        assert try_failed_again(flow_id=7, step_id=STEP, now=NOW) == 1
    send(house)
    assert row(house, hook).status == "delivered"


@pytest.mark.parametrize(
    ("answer", "status"), [(410, "failed"), (302, "queued"), (204, "delivered"), (400, "queued")]
)
def test_each_answer_means_what_it_says(house: House, receiver: Receiver, answer: int, status: str) -> None:
    receiver.answers = [answer]
    [hook] = queue(house, house.contact(), url=receiver.url())
    send(house)
    assert (row(house, hook).status, row(house, hook).code) == (status, answer)
    assert [got.path for got in receiver.got] == ["/hook"], "a redirect is not followed"


def test_what_waits_takes_the_newest_settings(house: House, receiver: Receiver) -> None:
    [old] = queue(house, house.contact(), url=receiver.url("/wrong"))
    queue(house, house.contact("Ben"), url=receiver.url("/right"))
    send(house)
    assert [got.path for got in receiver.got] == ["/right", "/right"]
    assert row(house, old).status == "delivered"


def test_a_receiver_that_is_down_lets_the_others_go_first(house: House, receiver: Receiver) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    people = [house.contact(f"P{n}") for n in range(40)]
    down = queue(house, *people, url=f"http://127.0.0.1:{port}/")
    other = queue(house, house.contact("Ann"), url=receiver.url(), step=uuid4())
    assert send(house) == 17, "sixteen of one step, and the other's"
    assert row(house, other[0]).status == "delivered"
    states = [row(house, hook) for hook in down]
    assert {state.status for state in states} == {"queued"}
    assert {state.error for state in states if state.attempts} == {"No connection."}
    assert all(state.due_at > NOW for state in states), "those that were not tried wait too"
    assert send(house) == 0


def test_a_receiver_that_never_ends_its_answer_is_cut_off(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "WHOLE", 0.4)
    receiver.answers = [drip]
    [hook] = queue(house, house.contact(), url=receiver.url())
    started = clock.now()
    send(house)
    assert (clock.now() - started).total_seconds() < 5
    assert (row(house, hook).status, row(house, hook).code) == ("queued", None)


def test_a_huge_answer_is_not_read(house: House, receiver: Receiver) -> None:
    def huge(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**12))
        handler.end_headers()
        handler.wfile.write(b"x" * 100_000)

    receiver.answers = [huge]
    [hook] = queue(house, house.contact(), url=receiver.url())
    send(house)
    assert row(house, hook).status == "delivered"


def test_what_a_dead_process_held_is_made_again_with_the_same_id(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    [hook] = queue(house, house.contact(), url=receiver.url())

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("delivery.operations.webhooks._settle", die)
    with pytest.raises(Killed):
        send(house)
    monkeypatch.undo()
    with house.scope():
        assert OutgoingWebhook.objects.get(pk=hook.pk).reserved_by is not None
    assert tenants_with_due_webhooks(NOW - MINUTE) == [house.tenant.pk], "a dead process's row is found"
    assert send(house) == 1
    assert [got.headers["webhook-id"] for got in receiver.got] == [f"msg_{hook.uuid.hex}"] * 2
    assert row(house, hook).status == "delivered"


def test_the_tick_finds_tenants_with_due_requests(house: House, receiver: Receiver, globex: Tenant) -> None:
    assert tenants_with_due_webhooks(NOW) == []
    queue(house, house.contact(), url=receiver.url())
    assert tenants_with_due_webhooks(NOW - MINUTE) == []
    assert tenants_with_due_webhooks(NOW) == [house.tenant.pk]
    send(house)
    assert tenants_with_due_webhooks(NOW) == []


def test_old_calls_are_forgotten(house: House, receiver: Receiver) -> None:
    queue(house, house.contact(), url=receiver.url())
    send(house)
    send(house, dt.timedelta(days=31))
    with house.scope():
        assert not OutgoingWebhook.objects.exists()


def test_an_erased_persons_and_a_removed_steps_requests_are_cancelled(
    house: House, receiver: Receiver
) -> None:
    ada, ben = house.contact(), house.contact("Ben")
    [first, second] = queue(house, ada, ben, url=receiver.url())
    with house.scope():
        Contact.objects.filter(pk=ada.pk).update(first_name="", email="", email_norm="", deleted_at=NOW)
    send(house)
    assert [row(house, hook).status for hook in (first, second)] == ["cancelled", "delivered"]
    [third] = queue(house, ben, url=receiver.url())
    with house.scope(), raw_cursor() as cursor:
        cancel_webhooks_of_steps(cursor, tenant_id=house.tenant.pk, flow_id=7, step_ids=[STEP])
    assert send(house) == 0
    assert row(house, third).status == "cancelled"
