"""The participants' list in an order and in groups: every column, both ways, page by page, of few and of very many."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from content.models import EmailVersion, SmsVersion
from core.tenancy import tenant_scope
from crm.models import Company, Contact
from delivery.models import Message
from flows.models import SavedView
from participants.columns import COLUMNS
from participants.models import Participant
from participants.queries import ParticipantFilter, participants_page
from participants.sorting import ALWAYS, GROUPS, SORTS, Order, asked_order, many_in_order
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage
from tests.support.statements import statements

pytestmark = pytest.mark.django_db
# Before and after each moment; those without one come last either way.
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def stage(bob: Person) -> Stage:
    """Four people at four fates, ten guests who wait or have ended, two companies."""
    made = make_stage(bob)
    add_people(made)
    crowd(made, 10)
    with made.scope() as world:
        acme = Company.objects.create(
            name="Acme", name_norm="acme", created_at=world.now, updated_at=world.now
        )
        guests = list(Participant.objects.filter(contact_id__in=Contact.objects.filter(last_name="Crowd")))
        Contact.objects.filter(pk__in=[one.contact_id for one in guests[:3]]).update(company=acme)
        for number, one in enumerate(guests):
            ended = number % 3 == 0
            Participant.objects.filter(pk=one.pk).update(
                status="finished" if ended else "active",
                ended_at=world.now + number * HOUR if ended else None,
                due_at=None if ended else world.now + (20 - number) * HOUR,
                waiting=False,
                success_at=world.now + number * HOUR if number % 4 == 0 else None,
            )
    return made


def page_of(stage: Stage, query: str) -> str:
    answer = stage.person.client().get(stage.url(f"participants/?{query}"))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def column(html: str, number: int) -> list[str]:
    """The words of one cell of each row."""
    rows = re.findall(r"<tr data-row>(.*?)</tr>", html, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)[number] for row in rows]
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in cells]


def walked(stage: Stage, order: Order, *, few: bool, size: int = 4) -> tuple[list[int], list[int]]:
    """Go through all pages forwards, then back again; return both."""
    with stage.scope():
        arguments: dict[str, Any] = {
            "flow_id": stage.flow.pk, "narrowed": ParticipantFilter(), "order": order, "few": few, "size": size,
        }  # fmt: skip
        page = participants_page(**arguments)
        assert page.previous is None
        there = [row.participant.pk for row in page.rows]
        while page.next is not None:
            page = participants_page(**arguments, after=page.next)
            there += [row.participant.pk for row in page.rows]
        back = [row.participant.pk for row in page.rows]
        while page.previous is not None:
            page = participants_page(**arguments, before=page.previous)
            back = [row.participant.pk for row in page.rows] + back
    return there, back


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", SORTS)
def test_every_order_meets_everybody_once_there_and_back(stage: Stage, by: str, descending: bool) -> None:
    with stage.scope():
        everybody = sorted(Participant.objects.values_list("pk", flat=True))
    there, back = walked(stage, Order(by, descending), few=True)
    assert sorted(there) == everybody
    assert back == there
    if by in ALWAYS:
        assert walked(stage, Order(by, descending), few=False) == (there, there)


@pytest.mark.parametrize("name", ["until", "ended", "success"])
@pytest.mark.parametrize("few", [True, False])
def test_moments_are_in_order_and_who_has_none_comes_last_either_way(
    stage: Stage, name: str, few: bool
) -> None:
    field = {"until": "due_at", "ended": "ended_at", "success": "success_at"}[name]
    with stage.scope():
        moments = dict(Participant.objects.values_list("pk", field))
    for descending in (False, True):
        there, _ = walked(stage, Order(name, descending), few=few)
        found = [moments[pk] for pk in there]
        dated = [moment for moment in found if moment is not None]
        assert len(dated) >= 3
        assert dated == sorted(dated, reverse=descending)
        assert found == dated + [None] * (len(found) - len(dated))


def test_the_heads_sort_by_what_they_show(stage: Stage) -> None:
    names = column(page_of(stage, "sort=email"), 1)
    assert names[:3] == ["anna@post.test", "guest10@post.test", "guest11@post.test"]
    companies = column(page_of(stage, "col=company&sort=-company"), 2)
    assert [name for name in companies if name] == ["مطعم النيل", "Acme", "Acme", "Acme"]
    assert companies[4:] == [""] * 10
    there, _ = walked(stage, Order("status", False), few=True)
    with stage.scope():
        statuses = dict(Participant.objects.values_list("pk", "status"))
    assert list(dict.fromkeys(statuses[pk] for pk in there)) == ["active", "finished", "dropped"]
    html = page_of(stage, "sort=company")
    assert re.search(r'aria-sort="ascending"><a href="\?sort=-company">Company', html)
    assert 'aria-sort="descending"><a href="?sort=enrolled">Enrolled' in page_of(stage, "")
    assert column(page_of(stage, "sort=nonsense"), 1) == column(page_of(stage, ""), 1)


def test_last_messages_sort_by_their_names_as_they_are_shown(stage: Stage) -> None:
    with stage.scope() as world:
        world.email("zuletzt 🎉")
        version = EmailVersion.objects.get(email__name="zuletzt 🎉")
        sms = SmsVersion.objects.create(
            step_id=stage.welcome.id, number=1, source="Your table", text="Your table", created_at=world.now
        )
        late, zoe = stage.participant("Late"), stage.participant("Zoe")
        assert late.last_message_id
        assert zoe.last_message_id
        Message.objects.filter(pk=late.last_message_id).update(channel="sms", content_version_id=sms.pk)
        Message.objects.filter(pk=zoe.last_message_id).update(content_version_id=version.pk)
    upwards = ["SMS “Your table”", "Welcome 👋", "zuletzt 🎉"]
    assert column(page_of(stage, "col=message&sort=message"), 2) == upwards + [""] * 11
    assert column(page_of(stage, "col=message&sort=-message"), 2) == upwards[::-1] + [""] * 11
    assert 'aria-sort="ascending"><a href="?col=message&sort=-message">Last message' in page_of(
        stage, "col=message&sort=message"
    )


def test_groups_have_their_label_and_number_and_nobody_is_in_two(stage: Stage) -> None:
    def groups(query: str) -> list[tuple[str, str]]:
        heads = re.findall(
            r'<tr class="group-row"><th[^>]*><bdi>(.*?)</bdi> <span class="muted">(\d+)</span>',
            page_of(stage, query),
        )
        assert page_of(stage, query).count("<tr data-row>") == 14
        return heads

    bar = page_of(stage, "").partition('role="search"')[2].partition("</form>")[0]
    assert 'id="saved-views"' not in bar  # Forms do not nest: a view's own would be lost.
    assert groups("group=company") == [("Acme", "3"), ("مطعم النيل", "1"), ("No company", "10")]
    by_status = groups("group=status&sort=contact")
    assert [label for label, _ in by_status] == [
        label
        for label in ("Active", "Finished", "Finished with success", "Dropped out")
        if label in dict(by_status)
    ]
    assert sum(int(number) for _, number in by_status) == 14
    by_reason = groups("group=reason")
    assert by_reason[-1][0] == "Did not drop out"
    assert "No consent" in dict(by_reason)
    by_step = groups("group=step")
    assert by_step[-1][0] == "Not in the flow any more"
    assert sum(int(number) for _, number in by_step) == 14


def test_a_group_goes_on_over_pages_with_its_head(stage: Stage) -> None:
    there, back = walked(stage, Order("contact", False, "status"), few=True, size=3)
    assert (len(set(there)), back) == (14, there)
    with stage.scope():
        first = participants_page(
            flow_id=stage.flow.pk, narrowed=ParticipantFilter(), order=Order(group="status"), few=True, size=2
        )
        second = participants_page(
            flow_id=stage.flow.pk, narrowed=ParticipantFilter(), order=Order(group="status"), few=True, size=2,
            after=first.next,
        )  # fmt: skip
    assert [row.group.label if row.group else "" for row in (*first.rows, *second.rows)] == [
        "Active",
        "",
        "Active",
        "",
    ]


def test_an_edge_that_left_the_list_begins_anew(stage: Stage) -> None:
    for query in ("sort=company&after=999999", "sort=ended&after=999999", "group=status&before=999999"):
        assert page_of(stage, query).count("<tr data-row>") == 14


def test_very_many_sort_by_what_has_an_index_and_open_their_groups(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("participants.columns.MOST_COUNTED", 5)
    monkeypatch.setattr("participants.queries.PAGE_SIZE", 4)
    monkeypatch.setattr("participants.views.MOST_COUNTED", 5)
    said = "Enrolled, Waits until, Success met and Ended sort"
    assert f"More than 5 match: only {said}. Narrow the list to sort it by any column." in page_of(stage, "")
    html = page_of(stage, "sort=company")
    assert "too many for that order" in html
    assert f"Of so many, {said}; narrow the list to sort it by any column." in html
    for head in ("Email address", "Last message", "When"):
        assert re.search(rf"<th [^>]*>{head}</th>", html)
    assert 'href="?sort=company"' not in html
    assert 'href="?sort=-company"' not in html
    assert re.search(r'href="\?col=ended&sort=-ended">Ended', page_of(stage, "sort=ended&col=ended"))
    html = page_of(stage, "group=status")
    assert "open one group" in html
    assert '<tr class="group-row">' not in html
    assert re.search(r'href="\?status=dropped"><bdi>Dropped out</bdi> <span class="muted">\d', html)
    step = stage.wait.id
    assert "step=" in page_of(stage, "group=step")
    assert "too many for groups" in page_of(stage, "group=company")
    assert page_of(stage, f"status=active&step={step}&group=company").count("data-total") >= 0


def test_addresses_of_before_and_nonsense_are_read(stage: Stage) -> None:
    assert asked_order("oldest", "") == Order("enrolled", False)
    assert asked_order("", "status") == Order("enrolled", True, "status")
    assert asked_order("-<script>", "evil") == Order()
    assert set(GROUPS) < {*COLUMNS}
    assert {*COLUMNS} - {*SORTS} == set()


@pytest.mark.parametrize("query", ["sort=company", "group=step&sort=-message_at", "sort=-ended", ""])
def test_the_questions_are_as_many_for_few_as_for_many(stage: Stage, query: str) -> None:
    def asked() -> int:
        client = stage.person.client()
        client.get(stage.url(f"participants/?{query}"))
        with statements() as seen:
            client.get(stage.url(f"participants/?{query}"))
        return len(seen)

    crowd(stage, 60)
    some = asked()
    crowd(stage, 60)
    assert asked() == some


def test_views_of_participants_are_kept_for_every_flow_or_for_the_one_whose_step_they_name(
    stage: Stage, bob: Person, wendy: Person, rory: Person, charlie: Person
) -> None:
    with stage.scope() as world:
        other = world.flow(stage.wait, name="Other")
    step = stage.wait.id
    client = bob.client()
    new = stage.url("participants/views/new/")
    answer = client.post(
        f"{new}?sort=-ended&group=status&col=ended&page=3&evil=1&after=7", {"name": "Left ⭐"}
    )
    assert answer["Location"] == stage.url("participants/") + "?sort=-ended&group=status&col=ended"
    client.post(f"{new}?step={step}", {"name": "At the step", "shared": "on"})
    html = page_of(stage, "sort=-ended&group=status&col=ended")
    assert (
        f'href="{stage.url("participants/")}?sort=-ended&group=status&col=ended" aria-current="true"' in html
    )
    assert "At the step" in html
    client.get(bob.url("flows/"))  # Takes the message that it was saved.
    elsewhere = unescape(client.get(bob.url(f"flows/{other.pk}/participants/")).content.decode())
    assert "Left ⭐" in elsewhere
    assert "At the step" not in elsewhere
    assert "Left ⭐" not in unescape(client.get(bob.url("flows/")).content.decode())
    shown = unescape(wendy.client().get(stage.url("participants/")).content.decode())
    assert ("At the step" in shown, "Left ⭐" in shown) == (True, False)
    with tenant_scope(bob.tenant.pk):
        mine = SavedView.objects.get(name="Left ⭐")
        shared = SavedView.objects.get(name="At the step")
    for person, view in ((wendy, mine), (wendy, shared), (rory, shared), (charlie, mine)):
        url = stage.url(f"participants/views/{view.pk}/delete/")
        assert person.client().post(url).status_code == 404
    assert rory.client().post(new, {"name": "x"}).status_code == 404
    assert client.post(bob.url(f"flows/views/{mine.pk}/delete/")).status_code == 404
    assert client.post(stage.url(f"participants/views/{mine.pk}/delete/")).status_code == 302
    with tenant_scope(bob.tenant.pk):
        assert [view.name for view in SavedView.objects.all()] == ["At the step"]


@pytest.mark.parametrize(
    ("by", "index"),
    [
        ("enrolled", "people_of_flow"),
        ("until", "participant_due"),
        ("ended", "participants_by_end"),
        ("success", "participants_by_success"),
    ],
)
def test_very_many_are_read_in_the_order_of_an_index(stage: Stage, by: str, index: str) -> None:
    with stage.scope(), connection.cursor() as cursor:
        rows = Participant.objects.filter(flow_id=stage.flow.pk)
        first = many_in_order(rows, order=Order(by), after=None, before=None, size=2).participants[-1].pk
        for edge in (None, first):
            with CaptureQueriesContext(connection) as asked:
                many_in_order(rows, order=Order(by), after=edge, before=None, size=2)
            listed = [one["sql"] for one in asked.captured_queries if "LIMIT 3" in one["sql"]]
            # Of so few rows the planner would read all; what counts is that the index can serve.
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off;")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute(f"EXPLAIN {listed[0]}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert index in plan
            assert "Sort" not in plan
