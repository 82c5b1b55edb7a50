"""Signing in and out, passwords, second factors' pages, the middleware's refusals."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts.models import Membership, Tenant, User
from core import clock
from core.templatetags.ui import sentence_case
from core.tenancy import tenant_scope
from tests.fixtures.people import PASSWORD, Person
from tests.support.smtp import Mailbox


def test_signing_in_by_address_in_any_case_leads_into_the_tenant(alice: Person) -> None:
    client = Client()
    answer = client.post("/accounts/login/", {"login": "ALICE@Acme.test", "password": PASSWORD})
    assert answer["Location"] == "/"
    assert client.get("/")["Location"] == "/t/acme/"


def test_a_wrong_password_signs_nobody_in_and_says_the_same_as_an_unknown_address(alice: Person) -> None:
    told = []
    for login in ("alice@acme.test", "unknown@acme.test"):
        client = Client()
        answer = client.post("/accounts/login/", {"login": login, "password": "wrong-password"})
        told += re.findall(r"form-errors.*?<p>(.*?)</p>", answer.content.decode(), re.DOTALL)
        assert client.get("/")["Location"].startswith("/accounts/login/")
    assert len(told) == 2
    assert told[0] == told[1]


def test_an_inactive_user_cannot_sign_in(alice: Person) -> None:
    User.objects.filter(pk=alice.user.pk).update(is_active=False)
    client = Client()
    client.post("/accounts/login/", {"login": "alice@acme.test", "password": PASSWORD})
    assert client.get("/t/acme/").status_code == 302


def test_signing_out_needs_a_post(alice: Person) -> None:
    client = alice.client()
    client.get("/accounts/logout/")
    assert client.get("/t/acme/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/t/acme/").status_code == 302


def test_nobody_signs_up_without_an_invitation(db: None) -> None:
    client = Client()
    page = client.post("/accounts/signup/", {"email": "x@x.test", "password1": "seven-herons-at-dawn"})
    assert "Accounts come by invitation" in page.content.decode()
    assert User.objects.count() == 0


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once(alice: Person, mailbox: Mailbox) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@acme.test"})
    (mail,) = mailbox.to("alice@acme.test")
    assert mail.message["Subject"] == "Reset your password"
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.message.get_content())
    assert link
    form = client.get(link[1], follow=True)
    path = form.redirect_chain[-1][0]
    client.post(path, {"password1": "seven-herons-at-dawn", "password2": "seven-herons-at-dawn"})
    alice.user.refresh_from_db()
    assert alice.user.check_password("seven-herons-at-dawn")
    assert "no longer works" in Client().get(link[1], follow=True).content.decode()


def test_a_reset_for_an_unknown_address_sends_nothing_and_looks_the_same(
    alice: Person, mailbox: Mailbox
) -> None:
    answers = [
        Client().post("/accounts/password/reset/", {"email": email}, follow=True).content.decode()
        for email in ("alice@acme.test", "unknown@acme.test")
    ]
    assert all("Check your mail" in page for page in answers)
    assert len(mailbox.received) == 1


def test_a_password_is_changed_with_the_old_one_only(alice: Person) -> None:
    client = alice.client()
    sent = {"oldpassword": "wrong", "password1": "seven-herons-at-dawn", "password2": "seven-herons-at-dawn"}
    client.post("/accounts/password/change/", sent)
    alice.user.refresh_from_db()
    assert alice.user.check_password(PASSWORD)
    client.post("/accounts/password/change/", sent | {"oldpassword": PASSWORD})
    alice.user.refresh_from_db()
    assert alice.user.check_password("seven-herons-at-dawn")


@pytest.mark.parametrize(
    ("title", "says"),
    [
        ("Two-Factor Authentication", "Two-factor authentication"),
        ("Activate TOTP App", "Activate TOTP app"),
        (" Security Keys\n", "Security keys"),
        ("ÉCOLE", "ÉCOLE"),
        ("", ""),
    ],
)
def test_titles_of_a_library_come_in_the_case_of_the_house(title: str, says: str) -> None:
    assert sentence_case(title) == says


def test_the_pages_of_ones_own_account_speak_as_the_others_do(alice: Person) -> None:
    page = alice.client().get("/accounts/2fa/").content.decode()
    assert "<h1>Two-factor authentication</h1>" in page
    assert "<h2>Authenticator app</h2>" in page
    page = alice.client().get("/accounts/password/change/").content.decode()
    assert "Current password" in page
    assert "Current Password" not in page


@pytest.mark.parametrize("path", ["2fa/", "2fa/webauthn/", "password/change/"])
def test_the_pages_of_ones_own_account_open(alice: Person, path: str) -> None:
    assert alice.client().get(f"/accounts/{path}").status_code == 200


def test_the_theme_is_kept_in_a_cookie_and_rendered_by_the_server(alice: Person) -> None:
    client = alice.client()
    client.post("/theme/", {"theme": "dark", "next": "/t/acme/"})
    assert 'data-bs-theme="dark"' in client.get("/t/acme/").content.decode()
    client.post("/theme/", {"theme": "<script>"})
    assert 'data-bs-theme="dark"' in client.get("/t/acme/").content.decode()
    assert client.post("/theme/", {"theme": "dark", "next": "https://evil.test/"})["Location"] == "/"


def test_an_expired_form_says_so_and_changes_nothing(alice: Person, bob: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    answer = client.post(alice.url(f"settings/users/{bob.member.pk}/active/"), {"active": "no"})
    assert answer.status_code == 403
    assert "This form has expired" in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Membership.objects.get(pk=bob.member.pk).is_active


def test_a_failing_view_rolls_its_transaction_back(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**arguments: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("accounts.operations.tenants.write_audit", broken)
    client = alice.client()
    client.raise_request_exception = False
    assert client.post(alice.url("settings/company/consent/"), {"required": ""}).status_code == 500
    assert Tenant.objects.get(slug="acme").consent_required


@pytest.mark.django_db(transaction=True)
def test_what_somebody_else_holds_answers_with_try_again(alice: Person, settings: Settings) -> None:
    settings.PAGE_LOCK_TIMEOUT = "100ms"
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_scope(alice.tenant.pk), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM accounts_tenant WHERE id = %s FOR UPDATE", [alice.tenant.pk])
            held.set()
            done.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    try:
        answer = alice.client().post(alice.url("settings/company/consent/"), {"required": ""})
    finally:
        done.set()
        holder.join()
    assert answer.status_code == 409
    assert "Someone is working on this" in answer.content.decode()
    assert Tenant.objects.get(slug="acme").consent_required


def test_a_second_factor_is_switched_on_and_asked_for_at_the_next_sign_in(alice: Person) -> None:
    client = alice.client()
    ask_again = client.get("/accounts/2fa/totp/activate/")["Location"]
    assert ask_again.startswith("/accounts/reauthenticate/")
    page = client.post(ask_again, {"password": PASSWORD}, follow=True)
    assert page.request["PATH_INFO"] == "/accounts/2fa/totp/activate/"
    secret = page.context["form"].secret
    code = format_hotp_value(hotp_value(secret, int(clock.now().timestamp()) // 30))
    client.post("/accounts/2fa/totp/activate/", {"code": code})
    assert Authenticator.objects.filter(user=alice.user, type="totp").exists()
    newcomer = Client()
    answer = newcomer.post("/accounts/login/", {"login": "alice@acme.test", "password": PASSWORD})
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert newcomer.get("/t/acme/").status_code == 302
    assert "authenticator code" in newcomer.get("/accounts/2fa/authenticate/").content.decode()
