"""A form's public page: filling it in, and everything that strangers try with it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Tenant
from content.forms.page import make_page
from content.models import Form
from core.signing import make_lasting_token
from crm.models import CustomField
from tests.content.forms import LATER, Booth, Visitor, bound, field

Traveller = time_machine.Traveller


@pytest.fixture(autouse=True)
def clock() -> Iterator[Traveller]:
    """A clock that the tests move."""
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def booth(acme: Tenant) -> Booth:
    return Booth(acme)


def test_a_form_is_filled_in_without_cookies_or_scripts(booth: Booth, clock: Traveller) -> None:
    form = booth.form()
    visitor = Visitor(booth.path(form), clock)
    page = visitor.page.content.decode()
    assert visitor.page.status_code == 200
    # One script of ours, from a file; without it the form works all the same.
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/static/bundle/form-page.js" defer>']
    assert 'autocomplete="email"' in page
    assert 'autocomplete="organization"' in page
    assert "noindex" in visitor.page["X-Robots-Tag"]
    assert "no-store" in visitor.page["Cache-Control"]
    policy = visitor.page["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "form-action 'self'" in policy
    response = visitor.send(email="Ada@Post.test", first_name="Ada", topic="Mills", consent="on")
    assert (response.status_code, response["Location"]) == (302, f"{visitor.path}thanks/")
    assert not visitor.client.cookies
    assert "Thank you" in visitor.client.get(response["Location"]).content.decode()
    [sent] = booth.submissions()
    assert sent.answers == {
        "email": "Ada@Post.test", "first_name": "Ada", "topic": "Mills", "consent": True, "news": False,
    }  # fmt: skip
    assert sent.wording["consent"] == "Write to me"
    assert (sent.status, sent.email_norm, sent.submitted_at) == (
        "processed",
        "ada@post.test",
        LATER + dt.timedelta(seconds=5),
    )
    assert sent.contact is not None
    assert (sent.contact.first_name, sent.contact.origin) == ("Ada", "form")
    assert len(sent.ip_hash) == 32
    assert "127.0.0.1" not in sent.ip_hash


def test_the_same_page_sent_twice_is_one_submission(booth: Booth, clock: Traveller) -> None:
    visitor = Visitor(booth.path(booth.form()), clock)
    for _ in range(2):
        assert visitor.send(email="ada@post.test")["Location"] == f"{visitor.path}thanks/"
    assert len(booth.submissions()) == 1
    assert booth.kinds().count("form.submitted") == 1
    again = Visitor(visitor.path, clock)
    again.send(email="ada@post.test")
    assert len(booth.submissions()) == 2


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({}, "Please fill this in"),
        ({"email": "not an address"}, "is not an email address"),
        ({"email": "a@b.test\r\nBcc: c@d.test"}, "is not an email address"),
        ({"email": "a@b.test", "first_name": "x" * 101}, "at most 100 characters"),
        ({"email": "a@b.test", "topic": "Wheels"}, "Select a valid choice"),
        ({"email": "a@b.test", "first_name": "nul\x00byte"}, "Null characters are not allowed"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_kept(
    booth: Booth, clock: Traveller, answers: dict[str, Any], problem: str
) -> None:
    response = Visitor(booth.path(booth.form()), clock).send(company="Acmé & Søn", **answers)
    page = response.content.decode()
    assert response.status_code == 422
    assert problem in page
    assert "Acmé &amp; Søn" in page
    assert booth.submissions() == []
    assert booth.kinds() == []


def test_scripts_and_right_to_left_texts_are_only_texts(booth: Booth, clock: Traveller) -> None:
    form = booth.form(heading="<b>Join</b>", introduction="<script>alert(1)</script>\nhttps://example.com/")
    visitor = Visitor(booth.path(form), clock)
    page = visitor.page.content.decode()
    assert "<b>Join</b>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'href="https://example.com/"' in page
    name = "<script>alert('x')</script>"
    assert visitor.send(email="bad", first_name=name).content.decode().count("<script>") == 0
    response = visitor.send(email="a@b.test", first_name="عائشة \u202e👩‍🚀", company="株式会社 山田")
    assert response.status_code == 302
    [sent] = booth.submissions()
    assert sent.contact is not None
    assert sent.contact.first_name == "عائشة \u202e👩‍🚀"


def test_a_megabyte_is_refused_before_it_is_read(booth: Booth, clock: Traveller) -> None:
    visitor = Visitor(booth.path(booth.form(field("story", "textarea"))), clock)
    assert visitor.send(email="a@b.test", story="x" * 1_000_000).status_code == 413
    assert visitor.send(email="a@b.test", story="x" * 5_001).status_code == 422
    assert booth.submissions() == []


@pytest.mark.parametrize("token", ["", "x", "eyJh", "🎉", "../../health/live"])
def test_a_forged_address_is_not_found(booth: Booth, token: str) -> None:
    booth.form()
    assert Client().get(f"/f/{token}/").status_code == 404
    assert Client().post(f"/f/{token}/", {"f_email": "a@b.test"}).status_code == 404
    assert booth.submissions() == []


def test_another_tenants_number_in_the_token_finds_no_form(booth: Booth, globex: Tenant) -> None:
    form = booth.form()
    # Made by ourselves: even a token that verifies opens only its own tenant.
    token = make_lasting_token(purpose="form", tenant_id=globex.pk, values=(form.pk,))
    assert Client().get(f"/f/{token}/").status_code == 404
    other = make_lasting_token(purpose="form-confirm", tenant_id=booth.tenant.pk, values=(form.pk,))
    assert Client().get(f"/f/{other}/").status_code == 404


def test_a_page_of_one_form_does_not_send_another(booth: Booth, clock: Traveller, globex: Tenant) -> None:
    one, two = booth.form(), booth.form(name="Other")
    visitor = Visitor(booth.path(one), clock)
    with booth.scope():
        visitor.token = make_page(two, None)
    assert visitor.send(email="a@b.test").status_code == 422
    visitor.token = "forged"
    response = visitor.send(email="a@b.test")
    assert response.status_code == 422
    assert "had been open for too long" in response.content.decode()
    visitor.token = Visitor.token_in(response)
    assert visitor.send(email="a@b.test").status_code == 302
    assert len(booth.submissions()) == 1


def test_a_page_that_was_open_for_a_day_is_sent_again_with_its_answers(
    booth: Booth, clock: Traveller
) -> None:
    visitor = Visitor(booth.path(booth.form()), clock)
    response = visitor.send(seconds=86_400, email="ada@post.test")
    assert response.status_code == 422
    assert 'value="ada@post.test"' in response.content.decode()
    assert booth.submissions() == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.test"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site", "Origin": "http://sub.testserver"}],
)  # fmt: skip
def test_another_site_cannot_send_the_form_from_a_visitors_browser(
    booth: Booth, clock: Traveller, headers: dict[str, str]
) -> None:
    visitor = Visitor(booth.path(booth.form()), clock)
    assert visitor.send(headers=headers, email="a@b.test").status_code == 403
    assert booth.submissions() == []
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert visitor.send(headers=own, email="a@b.test").status_code == 302


def test_a_bot_that_fills_in_everything_hears_nothing_and_leaves_nothing(
    booth: Booth, clock: Traveller
) -> None:
    visitor = Visitor(booth.path(booth.form()), clock)
    response = visitor.send(email="bot@spam.test", website_url="https://spam.test/")
    assert response["Location"] == f"{visitor.path}thanks/"
    assert booth.submissions() == []


def test_who_is_faster_than_a_person_is_asked_once_more(booth: Booth, clock: Traveller) -> None:
    visitor = Visitor(booth.path(booth.form()), clock)
    response = visitor.send(seconds=0.5, email="ada@post.test")
    assert response.status_code == 422
    assert "That was very fast" in response.content.decode()
    assert booth.submissions() == []
    assert visitor.send(email="ada@post.test").status_code == 302


def test_one_network_sends_only_so_many(
    booth: Booth, clock: Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content.views.public_forms.POSTS_OF_ONE", (2, 600))
    path = booth.path(booth.form())
    answers = [Visitor(path, clock).send(email=f"a{n}@b.test").status_code for n in range(4)]
    assert answers == [302, 302, 429, 429]
    assert len(booth.submissions()) == 2


def test_a_closed_form_shows_its_own_words(booth: Booth, clock: Traveller) -> None:
    form = booth.form(inactive_text="Come back in spring.")
    visitor = Visitor(booth.path(form), clock)
    with booth.scope():
        Form.objects.update(is_open=False)
    for response in (visitor.client.get(visitor.path), visitor.send(email="a@b.test")):
        assert response.status_code == 410
        assert "Come back in spring." in response.content.decode()
    assert booth.submissions() == []


def test_a_form_closes_at_its_moment_and_after_its_last_place(booth: Booth, clock: Traveller) -> None:
    early = booth.form(closes_at=LATER + dt.timedelta(seconds=3))
    late = Visitor(booth.path(early), clock)
    assert late.send(email="a@b.test").status_code == 410
    few = booth.form(name="Few", closes_after=2)
    visitors = [Visitor(booth.path(few), clock) for _ in range(3)]
    assert [v.send(email=f"a{n}@b.test").status_code for n, v in enumerate(visitors)] == [302, 302, 410]
    # The same page again still gets its thank-you page: its place is taken by itself.
    assert visitors[1].send(email="a1@b.test")["Location"] == f"{visitors[1].path}thanks/"
    assert Client().get(booth.path(few)).status_code == 410
    assert len(booth.submissions()) == 2


def test_after_sending_one_is_led_to_the_tenants_own_page(booth: Booth, clock: Traveller) -> None:
    visitor = Visitor(booth.path(booth.form(redirect_url="https://shop.test/thanks?x=1")), clock)
    assert "form-action 'self' https://shop.test;" in visitor.page["Content-Security-Policy"] + ";"
    assert visitor.send(email="a@b.test")["Location"] == "https://shop.test/thanks?x=1"


def test_hidden_fields_come_from_the_form_or_the_address(booth: Booth, clock: Traveller) -> None:
    form = booth.form(field("source", "hidden", value="web"), field("campaign", "hidden"))
    visitor = Visitor(booth.path(form), clock, query="?campaign=%22%3E%3Cscript%3E")
    page = visitor.page.content.decode()
    assert 'name="f_source" value="web"' in page
    assert 'value="&quot;&gt;&lt;script&gt;"' in page
    visitor.send(email="a@b.test", source="web", campaign="autumn")
    assert booth.submissions()[0].answers["campaign"] == "autumn"


def test_every_kind_of_field_is_asked_and_read(booth: Booth, clock: Traveller) -> None:
    with booth.scope():
        size = CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    form = booth.form(
        field("story", "textarea"), field("age", "number"), field("day", "date"),
        field("way", "radio", options=("A", "B")),
        field("many", "checkboxes", options=("X", "Y", "Z")), field("stars", "rating"), field("head", "section"),
        field("words", "paragraph", help="Some words"), bound("size", f"contact.custom.{size.key}"),
        bound("likes", "contact.interests"), bound("land", "contact.country"), bound("phone", "contact.mobile"),
        bound("born", "contact.date_of_birth"),
    )  # fmt: skip
    visitor = Visitor(booth.path(form), clock)
    page = visitor.page.content.decode()
    assert '<h2 dir="auto">Head</h2>' in page
    assert "Some words" in page
    assert page.count('type="radio"') == 7
    likes = [str(item.pk) for item in booth.interests[:2]]
    wrong = visitor.send(
        email="a@b.test", age="many", day="tomorrow", phone="12", born="x", stars="6", size="big"
    )
    assert wrong.content.decode().count("field-error") == 6
    visitor.send(
        email="a@b.test", story="Once\nupon", age="1 200,5", day="2026-12-24", way="B", many=["X", "Z"], stars="4",
        size="42", likes=likes, land="NO", phone="412 34 567", born="1990-05-17",
    )  # fmt: skip
    [sent] = booth.submissions()
    assert sent.status == "processed", sent.error
    expected = {
        "age": "1200.5",
        "day": "2026-12-24",
        "way": "B",
        "many": ["X", "Z"],
        "stars": "4",
        "likes": likes,
    }
    assert {key: sent.answers[key] for key in expected} == expected
    assert sent.contact is not None
    assert (sent.contact.mobile, sent.contact.country, sent.contact.date_of_birth) == (
        "+4741234567", "NO", dt.date(1990, 5, 17),
    )  # fmt: skip
    with booth.scope():
        assert {str(i.item_id) for i in sent.contact.interests.all()} == set(likes)


# --- prefilled ----------------------------------------------------------------------------------------------------


# --- double opt-in ------------------------------------------------------------------------------------------------
