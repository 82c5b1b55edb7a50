"""The Reports tab: exact numbers of a period, each opening exactly the people behind it."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts.models import AuditEntry, RoleDataRight
from content.models import Email
from crm.bulk.sales import NewSale
from crm.events import NewEvent, Origin, record_events
from crm.models import Contact, SaleType, SubscriptionType
from crm.operations.consent import opt_out
from crm.operations.sales import create_sale, sell
from delivery.models import Message
from participants.models import Participant
from reporting.reports.period import asked_period
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage
from tests.support.statements import statements

pytestmark = pytest.mark.django_db
LINK = re.compile(r'href="([^"]*/participants/\?[^"]*)"[^>]*>\s*([\d,]+)\s*<')
FIGURE = re.compile(
    r'<a class="figure" href="([^"]+)"><span class="figure-name">([^<]+)</span>'
    r'<span class="figure-value">\s*([^<]+?)\s*<'
)


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    cache.clear()
    return made


def page(
    stage: Stage, path: str = "reports/", query: str = "period=all", person: Person | None = None
) -> str:
    answer = (person or stage.person).client().get(stage.url(f"{path}?{query}"))
    assert answer.status_code == 200
    return answer.content.decode()


def rows_behind(stage: Stage, url: str) -> int:
    html = stage.person.client().get(unescape(url)).content.decode()
    return len(re.findall(r"<tr data-row>", html))


def figures(html: str) -> dict[str, str]:
    return {name: value for _, name, value in FIGURE.findall(html)}


def test_all_time_says_what_became_of_everybody(stage: Stage) -> None:
    html = page(stage)
    assert figures(html) == {
        "Enrolled": "4",
        "In progress now": "1",
        "Finished with success": "0",
        "Finished": "1",
        "Dropped out": "2",
        "Success rate": "0.0 %",
    }
    assert "No consent" in html
    assert "No branch matched" in html
    assert re.search(r"Chefs</th><td[^>]*><a[^>]*>1</a>.*?50\.0 %", html, re.DOTALL)


def test_every_number_of_every_period_opens_exactly_those_people(stage: Stage) -> None:
    today = timezone.now().date()
    some = f"period=custom&from={today - dt.timedelta(days=5)}&to={today - dt.timedelta(days=2)}"
    for query in ("period=all", "period=7&compare=1", some, "period=month", "period=last_month"):
        html = page(stage, query=query) + page(stage, "reports/messages/", query)
        found = LINK.findall(html) + [(url, number) for url, _, number in FIGURE.findall(html)]
        assert len(found) > 8
        for url, number in found:
            if number[-1] != "%":
                assert rows_behind(stage, url) == int(number), (query, url)


def test_days_before_the_first_and_after_the_last_are_left_out(stage: Stage) -> None:
    with stage.scope():
        first = Participant.objects.order_by("id").values_list("enrolled_at", flat=True)[0]
    day = first.astimezone(dt.timezone(dt.timedelta(hours=1))).date()
    html = page(stage, query=f"period=custom&from={day}&to={day}")
    assert figures(html)["Enrolled"] == "3"
    assert figures(html)["Dropped out"] == "1"
    before = day - dt.timedelta(days=1)
    assert figures(page(stage, query=f"period=custom&from={before}&to={before}"))["Enrolled"] == "0"


def test_the_period_before_stands_beside_it(stage: Stage) -> None:
    with stage.scope() as world:
        day = world.now.date() + dt.timedelta(days=1)
    html = page(stage, query=f"period=custom&from={day}&to={day + dt.timedelta(days=9)}&compare=1")
    assert "before 4" in html
    assert 'class="report-before"' in html
    assert figures(html)["Enrolled"] == "0"


def test_a_period_that_makes_no_sense_is_answered_at_its_place(stage: Stage) -> None:
    for query in (
        "period=custom&from=2026-13-01&to=x",
        "period=custom&from=2026-02-02&to=2026-02-01",
        "period=custom",
    ):
        assert "Choose a first and a last day. These are the last 30 days." in page(stage, query=query)
    assert "Last 30 days" in page(stage, query="period=<script>&compare=%00")
    page(stage, query="period=custom&from=0001-01-01&to=9999-12-31")


def test_months_are_compared_with_months() -> None:
    last = asked_period({"period": "last_month"}, today=dt.date(2026, 3, 15))
    assert (last.first, last.last) == (dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    assert last.before is not None
    assert (last.before.first, last.before.last) == (dt.date(2026, 1, 1), dt.date(2026, 1, 31))
    week = asked_period({"period": "7"}, today=dt.date(2026, 3, 15))
    assert week.before is not None
    assert week.before.words == "2 March 2026 to 8 March 2026"


def test_messages_by_email_with_rates_links_and_who_unsubscribed(stage: Stage) -> None:
    address = "https://acme.test/spring?a=1&b=2"
    with stage.scope() as world:
        sent = list(Message.objects.order_by("id"))
        for message, status in zip(sent, ("clicked", "opened", "bounced"), strict=True):
            Message.objects.filter(pk=message.pk).update(status=status, handed_at=world.now)
        one = sent[0]
        email_id = stage.welcome.settings["email"]
        clicks = [
            NewEvent(
                "message.clicked", one.contact_id or 0, world.now, Origin.LINK, object_id=email_id,
                object_key=address[:80], data={"url": address, "label": "Spring"}, flow_id=stage.flow.pk,
                step_id=one.step_id, participant_id=one.participant_id, message_id=one.pk,
            )
        ] * 2  # fmt: skip
        record_events(clicks)
        news = SubscriptionType.objects.get(name="News")
        opt_out(contact_id=one.contact_id or 0, type_id=news.pk, at=world.now, message_id=one.pk)
    html = page(stage, "reports/messages/")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "Welcome 👋 Welcome 3 3 2 2 100.0 % 1 50.0 % 50.0 % 1 1 0 Links" in text
    for url, number in LINK.findall(html):
        assert rows_behind(stage, url) == int(number), url
    links = page(stage, "reports/links/", f"period=all&of={stage.welcome.id}&email={email_id}")
    assert re.findall(r'<td class="num">(?:<a[^>]*>)?(\d+)', links) == ["1", "2"]
    (behind,) = LINK.findall(links)
    assert rows_behind(stage, behind[0]) == 1
    other = stage.url(f"participants/?got=clicked&link={quote('https://elsewhere.test/')}")
    assert rows_behind(stage, other) == 0


def test_links_of_another_flow_or_nothing_are_not_found(stage: Stage, charlie: Person) -> None:
    client = stage.person.client()
    for query in ("", f"of={stage.wait.id}", "of=x&email=1", f"of={stage.welcome.id}&email=99999999"):
        assert client.get(stage.url(f"reports/links/?{query}")).status_code == 404
    for path in ("", "messages/", "outcomes/", "steps.csv"):
        assert charlie.client().get(stage.url(f"reports/{path}")).status_code == 404


def test_time_to_success_and_sales_won_after_entering(stage: Stage) -> None:
    def won(contact: Contact, amount: str, at: dt.datetime) -> None:
        kind = SaleType.objects.get(name="New business")
        row = NewSale(contact.pk, "Kayak", kind.pk, stage.person.user.pk, "NOK", amount=Decimal(amount))
        sale = create_sale(sale=row, now=at, today=at.date(), actor_id=None)
        sell(sale_id=sale.pk, now=at, actor_id=None)

    with stage.scope() as world:
        anna = world.one(stage.flow, stage.contacts["Anna"])
        Participant.objects.filter(pk=anna.pk).update(
            status="success", success_at=anna.enrolled_at + dt.timedelta(days=2)
        )
        won(stage.contacts["Anna"], "1200.50", anna.enrolled_at + dt.timedelta(days=1))
        won(stage.contacts["Zoe"], "9", anna.enrolled_at - dt.timedelta(days=1))
    html = page(stage, "reports/outcomes/")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "within 2 days , nine of ten within 2 days" in text
    assert "1 to 3 days 1 100.0 %" in text
    assert "NOK 1 1 1,200.50" in text
    for url, number in LINK.findall(html):
        assert rows_behind(stage, url) == int(number), url


def test_who_may_not_read_sales_learns_nothing_of_them(stage: Stage, wendy: Person) -> None:
    with stage.scope():
        RoleDataRight.objects.filter(role=wendy.member.role, object="sale").update(read="own")
    assert "Sales won" not in page(stage, "reports/outcomes/", person=wendy)
    html = wendy.client().get(stage.url("participants/?bought=NOK")).content.decode()
    assert len(re.findall("<tr data-row>", html)) == 4


def test_the_parts_as_files_are_safe_in_a_spreadsheet(stage: Stage, alice: Person) -> None:
    def rows(section: str) -> list[list[str]]:
        answer = alice.client().get(stage.url(f"reports/{section}.csv?period=all"))
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        return list(csv.reader(io.StringIO(text)))

    assert rows("steps")[1][:7] == ["Welcome", "", "4", "0", "3", "0", "1"]
    assert rows("reasons")[1:] == [["No branch matched", "1", "25.0"], ["No consent", "1", "25.0"]]
    assert sum(int(row[1]) for row in rows("days")[1:]) == 4
    with stage.scope():
        Email.objects.update(name="=HYPERLINK(1)")
    cache.clear()
    assert rows("messages")[1][1] == "'=HYPERLINK(1)"
    with stage.scope():
        assert AuditEntry.objects.filter(action="report.export").count() == 4
    assert alice.client().get(stage.url("reports/x.csv")).status_code == 404


def test_without_the_right_to_export_there_is_no_file(stage: Stage, wendy: Person) -> None:
    assert "reports/steps.csv" not in page(stage, person=wendy)
    assert wendy.client().get(stage.url("reports/steps.csv")).status_code == 404


def test_queries_are_the_same_for_four_and_for_forty(stage: Stage) -> None:
    def asked(path: str) -> int:
        client: Any = stage.person.client()
        client.get(stage.url(path))
        cache.clear()
        with statements() as seen:
            client.get(stage.url(path))
        return len(seen)

    paths = ("reports/?period=30&compare=1", "reports/messages/?period=all", "reports/outcomes/?period=all")
    few = [asked(path) for path in paths]
    crowd(stage, 40)
    with stage.scope() as world:
        world.advance(stage.flow)
    assert [asked(path) for path in paths] == few


def test_a_flow_that_nobody_entered_has_a_report(bob: Person) -> None:
    empty = make_stage(bob)
    for query in ("period=all", "period=7&compare=1"):
        assert figures(page(empty, query=query))["Enrolled"] == "0"
    assert "No messages in this period." in page(empty, "reports/messages/")
    assert "Nobody finished with success" in page(empty, "reports/outcomes/")
