"""Webhooks arrive at least once, signed and whole, and reach nothing that they must not reach."""

from __future__ import annotations

import _socket
import base64
import datetime as dt
import hmac
import itertools
import json
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from content.operations.webhook_versions import webhook_version
from content.webhooks import Header, definition
from core import clock
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Contact, ContactFieldValue, CustomField, Usage
from delivery.models import OutgoingWebhook, WebhookSecret
from delivery.operations.webhook_secrets import SecretRefused, keep_secret, renew_signing_key
from delivery.operations.webhooks import MAX_ATTEMPTS, send_webhooks, try_failed_again
from delivery.queries import tenants_with_due_webhooks
from delivery.webhooks import client
from delivery.webhooks.base import AddressRefused, WebhookRequest, check_address
from delivery.webhooks.queue import NewWebhook, cancel_webhooks_of_steps, queue_webhooks
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person
from tests.fixtures.receiver import Got, Receiver, drip

STEP = uuid4()
BODY = '{"email": "{{ contact.email }}", "text": "Hi {{ contact.first_name }}!"}'
_participants = itertools.count(700_000)
MINUTE = dt.timedelta(minutes=1)


def queue(
    house: House,
    *contacts: Contact,
    url: str,
    body: str = BODY,
    method: str = "POST",
    headers: tuple[Header, ...] = (),
    step: UUID = STEP,
    event: Mapping[str, Any] | None = None,
) -> list[OutgoingWebhook]:
    """Queue one request each, and return the rows."""
    made = definition(method=method, url=url, headers=headers, body=body)
    with house.scope(), raw_cursor() as cursor:
        version = webhook_version(cursor, tenant_id=house.tenant.pk, step_id=step, definition=made, now=NOW)
        rows = [NewWebhook(contact.pk, next(_participants), 1, event or {}) for contact in contacts]
        queue_webhooks(
            cursor, tenant_id=house.tenant.pk, stream_id=house.stream.pk, flow_id=7, step_id=step,
            content_version_id=version, rows=rows, now=NOW,
        )  # fmt: skip
        return list(OutgoingWebhook.objects.order_by("-id")[: len(rows)])[::-1]


def send(house: House, after: dt.timedelta = dt.timedelta()) -> int:
    return send_webhooks(tenant_id=house.tenant.pk, now=NOW + after).tried


def row(house: House, hook: OutgoingWebhook) -> OutgoingWebhook:
    with house.scope():
        found = OutgoingWebhook.objects.get(pk=hook.pk)
    assert found.reserved_by is None
    return found


def signed_by(got: Got, key: str) -> bool:
    """Check a signature as a receiver does."""
    told = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mac = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), told, "sha256")
    return got.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


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


# --- where it must not go -----------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.0.192",  # noqa: S104
    "198.18.0.1", "192.0.2.1", "192.88.99.1",
    "[::1]", "[::]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]",
    "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]", "[::10.0.0.1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]",
    "[2001:0:7f00:1::]", "[2001:db8::1]", "[100::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_no_private_address_is_called_however_it_is_written(host: str, settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    with pytest.raises(AddressRefused, match="private network"):
        check_address(f"http://{host}/")
    answer = client.call(WebhookRequest("POST", f"http://{host}/"))
    assert (answer.code, answer.is_final) == (None, True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "0"])
def test_other_spellings_of_loopback_are_refused_once_they_are_resolved(
    host: str, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The run's own guard refuses names it does not know; the system's resolver reads these without asking anybody.
    monkeypatch.setattr(socket, "getaddrinfo", _socket.getaddrinfo)
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    settings.WEBHOOK_PORTS = frozenset({receiver.port})
    answer = client.call(WebhookRequest("POST", f"http://{host}:{receiver.port}/"))
    assert (answer.code, receiver.got) == (None, [])
    assert answer.is_final or answer.is_down


@pytest.mark.parametrize(
    "meant", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe"]
)
def test_a_name_that_means_a_private_address_is_refused(
    meant: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    family = socket.AF_INET6 if ":" in meant else socket.AF_INET
    place = (meant, 80, 0, 0) if ":" in meant else (meant, 80)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: [(family, socket.SOCK_STREAM, 6, "", place)])
    answer = client.call(WebhookRequest("POST", "http://harmless.example/"))
    assert (answer.is_final, "private network" in answer.error) == (True, True)


def test_a_name_is_resolved_once_so_that_it_cannot_mean_another_address_a_moment_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    asked: list[str] = []

    def turns(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            meant = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (meant, port))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    reached: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", turns)
    monkeypatch.setattr(socket.socket, "connect", connect)
    assert client.call(WebhookRequest("POST", "http://rebinding.example/")).is_down
    assert (asked, reached) == (["rebinding.example"], ["203.0.114.1"])


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "http://", "http:///x", "//example.com/",
     "http://user:pass@example.com/", "http://example.com:22/", "http://example.com:6379/", "http://example.com:99999/",
     "http://[::1", "javascript:alert(1)"],
)  # fmt: skip
def test_only_plain_web_addresses_and_listed_ports_are_called(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url)
    assert client.call(WebhookRequest("POST", url)).is_final


def test_loopback_is_closed_unless_a_setting_opens_it(receiver: Receiver, settings: Settings) -> None:
    assert client.call(WebhookRequest("POST", receiver.url())).code == 200
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert client.call(WebhookRequest("POST", receiver.url())).is_final
    assert len(receiver.got) == 1


def test_our_own_proxy_and_passwords_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login us password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client.call(WebhookRequest("POST", receiver.url())).code == 200
    assert "authorization" not in receiver.got[0].headers


def test_a_header_cannot_be_smuggled_in(receiver: Receiver) -> None:
    answer = client.call(WebhookRequest("POST", receiver.url(), {"X-A": "1\r\nX-Evil: 2"}))
    assert (answer.is_final, receiver.got) == (True, [])


# --- secrets ------------------------------------------------------------------------------------------------------


def test_secrets_and_the_signing_key_are_shown_on_no_page_after_they_were_made(
    house: House, alice: Person
) -> None:
    client_, url = alice.client(), alice.url("settings/connectors/webhooks/")
    assert client_.post(url, {"name": "crm", "value": "tell-nobody"}).status_code == 302
    page = client_.get(url).content.decode()
    assert ("$crm" in page, "tell-nobody" in page) == (True, False)
    made = client_.post(f"{url}signing-key/")
    key = made.content.decode().split("<code>whsec_")[1].split("<")[0]
    assert "no-store" in made["Cache-Control"]
    assert key not in client_.get(url).content.decode()
    with house.scope():
        assert not AuditEntry.objects.filter(payload__icontains=key).exists()


def test_a_secret_that_a_step_names_is_not_deleted(house: House, alice: Person) -> None:
    with house.scope():
        secret = keep_secret(name="crm", value="x", actor=alice.user, now=NOW)
        Usage.objects.create(
            used_kind="webhook_secret",
            used_id=secret.pk,
            user_kind="flow",
            user_id=1,
            user_name="Welcome",
            url="/x",
        )
    url = alice.url(f"settings/connectors/webhooks/{secret.pk}/delete/")
    answer = alice.client().post(url)
    assert (answer.status_code, "Welcome" in answer.content.decode()) == (409, True)
    with house.scope():
        Usage.objects.all().delete()
    assert alice.client().post(url).status_code == 302
    with house.scope():
        assert not WebhookSecret.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("", "x"), ("a b", "x"), ("a", ""), ("a", "x\r\nY: 1"), ("a", "ü"), ("a", " x")]
)
def test_a_secret_that_could_not_be_sent_is_refused(
    house: House, alice: Person, name: str, value: str
) -> None:
    with house.scope(), pytest.raises(SecretRefused):
        keep_secret(name=name, value=value, actor=alice.user, now=NOW)


def test_a_webhook_of_one_tenant_is_nobody_elses(house: House, receiver: Receiver, globex: Tenant) -> None:
    queue(house, house.contact(), url=receiver.url())
    assert send_webhooks(tenant_id=globex.pk, now=NOW).tried == 0
    with tenant_scope(globex.pk):
        assert not OutgoingWebhook.objects.exists()
