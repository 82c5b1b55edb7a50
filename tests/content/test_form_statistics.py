"""A form's statistics: looks by people and machines, how far they came, what they sent; and who sees the answers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry
from content.forms.proof import find_proof
from content.models import Form, FormVisit
from content.operations.forms import document_of
from content.operations.visits import site_of
from content.queries_form_numbers import FormNumbers, Numbers, form_numbers
from tests.content.forms import PHONE, Booth, Visitor, field
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 28, 22, 30, tzinfo=dt.UTC)
OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def clock() -> Iterator[Any]:
    """A clock that tests move."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def booth(alice: Person) -> Booth:
    """Acme's booth."""
    return Booth(alice.tenant)


def numbers(booth: Booth, form: Form, *, days: int = 7, last: dt.date = dt.date(2026, 11, 29)) -> FormNumbers:
    """Return the figures of the days up to the last."""
    with booth.scope():
        form.refresh_from_db()
        return form_numbers(
            form, document_of(form), first=last - dt.timedelta(days=days - 1), last=last, zone=OSLO
        )


def tell(visitor: Visitor, **fields: Any) -> Any:
    """Tell what the page's script tells."""
    return visitor.client.post(
        f"{visitor.path.partition('?')[0]}progress/", {"page": visitor.token, **fields}, headers=PHONE
    )


def test_looks_beginnings_and_answers_are_counted_once_and_machines_apart(booth: Booth, clock: Any) -> None:
    form = booth.form()
    path = booth.path(form)
    Visitor(path, clock)
    began = Visitor(path, clock)
    for _ in range(2):
        assert tell(began, field="first_name").status_code == 204
    done = Visitor(path, clock)
    # No scripts: the post itself says that somebody began.
    assert done.send(email="ada@post.test").status_code == 302
    assert done.send(email="ada@post.test").status_code == 302
    wrong = Visitor(path, clock)
    assert wrong.send(email="nobody").status_code == 422
    Client().head(path)
    Client().get(path, headers={"user-agent": "curl/8"})
    found = numbers(booth, form)
    assert found.looks == Numbers(views=4, started=3, sent=1)
    assert (found.machines, found.sent, found.stopped) == (2, 1, 2)
    assert found.looks.conversion == 25
    assert [(one.label, one.number, one.share) for one in found.fields] == [
        ("First_name", 1, 50), ("No field: the button alone", 1, 50)
    ]  # fmt: skip
    assert found.pages == []
    assert [(status, number) for status, _, number in found.by_status] == [("processed", 1)]


def test_who_stops_is_counted_on_the_page_and_at_the_field_that_was_last(booth: Booth, clock: Any) -> None:
    form = booth.form(field("more", "page", label="About you"), field("why", "textarea", label="Why?"))
    path = booth.path(form)
    first, second = Visitor(path, clock), Visitor(path, clock)
    tell(first, field="email", at="0")
    tell(second, field="email", at="0")
    tell(second, field="email", at="1")
    tell(second, field="why", at="1")
    # Back on the first page: she has come to the second all the same.
    tell(second, field="why", at="0")
    found = numbers(booth, form)
    assert [(one.label, one.number) for one in found.pages] == [("Page 1", 1), ("Page 2: About you", 1)]
    assert [(one.label, one.number) for one in found.fields] == [("Email address", 1), ("Why?", 1)]


def test_where_the_form_stood_is_told_by_its_script_and_the_browser(booth: Booth, clock: Any) -> None:
    form = booth.form()
    path = booth.path(form)
    shop = {**PHONE, "referer": "https://shop.example/spring?x=1"}
    for way in ("inline", "1", "nonsense"):
        Client().get(f"{path}?embed={way}", headers=shop)
    popup = Client().get(f"{path}?embed=popup", headers=shop)
    Client().get(f"{path}?embed=tab", headers=shop)
    Client().get(path, headers=PHONE)
    # A popup counts once it is shown.
    token = Visitor.token_in(popup)
    Client().post(f"{path}progress/", {"page": token, "field": "", "at": "0"}, headers=PHONE)
    found = {(one.place, one.site): one.numbers for one in numbers(booth, form).places}
    assert found == {
        ("inline", "shop.example"): Numbers(1, 0, 0), ("frame", "shop.example"): Numbers(2, 0, 0),
        ("popup", "shop.example"): Numbers(1, 0, 0), ("tab", "shop.example"): Numbers(0, 0, 0),
        ("link", ""): Numbers(1, 0, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("referrer", "host"),
    [
        ("https://shop.example/a?b", "shop.example"), ("http://SHOP.example:8080", "shop.example"), ("", ""),
        ("https://our.test/f/x/", ""), ("javascript:alert(1)", ""), ("http://[", ""), ("//<b>/", ""),
        (f"https://{'x' * 200}.example/", ""),
    ],
)  # fmt: skip
def test_the_site_is_a_host_and_nothing_else(referrer: str, host: str) -> None:
    assert site_of(referrer, own_host="our.test:8000") == host


def test_days_are_those_of_the_tenant_and_every_day_has_its_line(booth: Booth, clock: Any) -> None:
    form = booth.form()
    # Half past eleven at night in Oslo; an hour later it is the next day there.
    Visitor(booth.path(form), clock)
    clock.shift(dt.timedelta(hours=1))
    late = Visitor(booth.path(form), clock)
    assert late.send(email="ada@post.test").status_code == 302
    lines = numbers(booth, form, days=3).times
    assert [(one.first, one.numbers) for one in lines] == [
        (dt.date(2026, 11, 29), Numbers(1, 1, 1)),
        (dt.date(2026, 11, 28), Numbers(1, 0, 0)),
        (dt.date(2026, 11, 27), Numbers()),
    ]
    weeks = numbers(booth, form, days=90)
    assert weeks.grain == "week"
    assert sum((one.numbers for one in weeks.times), Numbers()) == Numbers(2, 1, 1)
    assert (weeks.times[0].first, weeks.times[0].last) == (dt.date(2026, 11, 23), dt.date(2026, 11, 29))


def test_forged_and_foreign_telling_changes_nothing_and_never_fails(booth: Booth, clock: Any) -> None:
    form, other = booth.form(), booth.form(name="Other")
    visitor, stranger = Visitor(booth.path(form), clock), Visitor(booth.path(other), clock)
    tell(visitor, field="nothing_here", at="99")
    for posted in ({"page": "forged"}, {"page": stranger.token, "field": "email"}, {}):
        answer = visitor.client.post(f"{visitor.path}progress/", posted, headers=PHONE)
        assert answer.status_code == 204
    from_elsewhere = {**PHONE, "origin": "https://evil.example"}
    visitor.client.post(
        f"{visitor.path}progress/", {"page": visitor.token, "field": "email"}, headers=from_elsewhere
    )
    assert visitor.client.get(f"{visitor.path}progress/").status_code == 405
    assert visitor.client.post("/f/forged/progress/", {"page": visitor.token}).status_code == 404
    assert numbers(booth, form).looks == Numbers(1, 0, 0)
    # A machine that fills in what no person sees was none either.
    visitor.client.post(
        visitor.path,
        {"page": visitor.token, "proof": find_proof(visitor.token), "website_url": "x"},
        headers=PHONE,
    )
    found = numbers(booth, form)
    assert (found.looks, found.machines) == (Numbers(), 1)


def test_numbers_lead_to_the_answers_of_those_who_process_them(
    booth: Booth, clock: Any, alice: Person, wendy: Person, charlie: Person, rory: Person
) -> None:
    form = booth.form()
    shop = "https://shop.example/"
    for name, way in (("ada", "?embed=inline"), ("ben", "")):
        page = Client().get(booth.path(form) + way, headers={**PHONE, "referer": shop})
        clock.shift(dt.timedelta(seconds=5))
        token = Visitor.token_in(page)
        sent = {"page": token, "proof": find_proof(token), "f_email": f"{name}@post.test"}
        assert Client().post(booth.path(form), sent, headers=PHONE).status_code == 302
    path = f"content/forms/{form.pk}/statistics/"
    html = alice.client().get(alice.url(path)).text
    link = f"/content/submissions/?state=all&amp;form={form.pk}&amp;from=2026-10-30&amp;to=2026-11-28"
    assert f"{link}&amp;place=inline&amp;site=shop.example" in html
    answers = alice.url(f"content/submissions/?state=all&form={form.pk}")
    client = alice.client()
    inline = client.get(f"{answers}&place=inline&site=shop.example").text
    assert ("ada@post.test" in inline, "ben@post.test" in inline) == (True, False)
    assert "Take this filter away: Inline on a site, shop.example" in inline
    today = client.get(f"{answers}&from=2026-11-28&to=2026-11-28&status=processed").text
    assert ("ada@post.test" in today, "ben@post.test" in today) == (True, True)
    assert "ada@post.test" not in client.get(f"{answers}&to=2026-11-27").text
    assert "ada@post.test" in client.get(f"{answers}&from=nonsense&status=x&place=y").text
    # A writer who does not process the form sees numbers alone.
    shown = wendy.client().get(wendy.url(path))
    assert shown.status_code == 200
    assert "submissions/?" not in shown.text
    assert rory.client().get(rory.url(path)).status_code == 404
    assert charlie.client().get(charlie.url(path)).status_code == 404
    with booth.scope():
        Form.objects.filter(pk=form.pk).update(managed_by=wendy.member.group)
        assert FormVisit.objects.count() == 2
    assert "submissions/?" in wendy.client().get(wendy.url(path)).text


def test_the_page_asks_as_many_questions_with_many_looks_as_with_none(
    booth: Booth, clock: Any, alice: Person, django_assert_max_num_queries: Any
) -> None:
    form = booth.form()
    for _ in range(5):
        Visitor(booth.path(form), clock)
    client = alice.client()
    client.get(alice.url(f"content/forms/{form.pk}/statistics/"))
    with django_assert_max_num_queries(30):
        assert client.get(alice.url(f"content/forms/{form.pk}/statistics/?days=365")).status_code == 200


def test_a_reset_counts_from_zero_and_loses_no_answer(booth: Booth, clock: Any, alice: Person) -> None:
    form = booth.form()
    Visitor(booth.path(form), clock).send(email="ada@post.test")
    clock.shift(dt.timedelta(minutes=1))
    page = f"content/forms/{form.pk}/statistics/"
    client = alice.client()
    assert client.get(alice.url(f"{page}reset/")).status_code == 405
    assert client.post(alice.url(f"{page}reset/")).status_code == 302
    assert numbers(booth, form).looks == Numbers()
    assert numbers(booth, form).sent == 0
    assert len(booth.submissions()) == 1
    clock.shift(dt.timedelta(minutes=1))
    Visitor(booth.path(form), clock).send(email="ben@post.test")
    found = numbers(booth, form)
    assert (found.looks, found.sent) == (Numbers(1, 1, 1), 1)
    shown = client.get(alice.url(page)).text
    assert "Counted since" in shown
    # The number of answers opens just these.
    [link] = set(re.findall(r'<a class="figure" href="([^"]+)"', shown))
    opened = client.get(link.replace("&amp;", "&")).text
    assert ("ada@post.test" in opened, "ben@post.test" in opened) == (False, True)
    with booth.scope():
        entry = AuditEntry.objects.get(action="form.statistics_reset")
    assert (entry.object_id, entry.actor_id) == (str(form.pk), alice.user.pk)


def test_nobody_else_resets_or_downloads(
    booth: Booth, clock: Any, wendy: Person, rory: Person, charlie: Person
) -> None:
    form = booth.form()
    Visitor(booth.path(form), clock)
    page = f"content/forms/{form.pk}/statistics/"
    for person in (rory, charlie):
        assert person.client().post(person.url(f"{page}reset/")).status_code == 404
        assert person.client().get(person.url(f"{page}csv/?table=days")).status_code == 404
    assert numbers(booth, form).looks.views == 1
    assert wendy.client().get(wendy.url(f"{page}csv/?table=nonsense")).status_code == 404


def test_each_table_is_a_csv_that_no_spreadsheet_computes(booth: Booth, clock: Any, alice: Person) -> None:
    form = booth.form(field("sum", label="=1+1"), field("more", "page", label="@home"), name="Été 2026")
    path = booth.path(form)
    tell(Visitor(path, clock), field="sum", at="0")
    Visitor(f"{path}", clock, query="?embed=inline").send(email="ada@post.test")

    def lines(table: str) -> list[str]:
        url = alice.url(f"content/forms/{form.pk}/statistics/csv/?days=7&table={table}")
        answer = alice.client().get(url)
        assert answer["Content-Disposition"] == f'attachment; filename="ete-2026-{table}.csv"'
        return b"".join(answer).decode("utf-8-sig").splitlines()

    assert lines("places") == [
        "Place,Site,Views,Began,Sent,Conversion in %", "Inline on a site,,1,1,1,100.0", "Its own page,,1,1,0,0.0"
    ]  # fmt: skip
    assert lines("answers") == ["Status,Answers", "Processed,1"]
    assert lines("pages") == ["Page,Stopped,Share in %", "Page 1,1,100", "Page 2: @home,0,0"]
    assert lines("fields") == ["Field,Stopped,Share in %", "'=1+1,1,100"]
    days = lines("days")
    assert days[:2] == ["From,To,Views,Began,Sent", "2026-11-28,2026-11-28,2,2,1"]
    assert len(days) == 8
