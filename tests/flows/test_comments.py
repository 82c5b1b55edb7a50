"""What colleagues write at steps: who may, who is told, what becomes of it when step, flow or words go."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEntry, Tenant
from core.erasure import Person as Erased
from core.erasure import erase
from core.tenancy import tenant_scope
from crm.models import Notification
from flows.mentions import mentioned, pieces
from flows.models import Flow, FlowComment
from flows.operations.comments import write_comment
from flows.operations.create import copy_flow
from flows.operations.lifecycle import delete
from flows.visibility import members_who_see, visible_flows
from tests.fixtures.people import MakePerson, Person
from tests.flows.conftest import NOW
from tests.flows.documents import step
from tests.flows.test_designer import with_steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def wait() -> Any:
    return step("wait_for_time", "Two days")


@pytest.fixture
def flow(alice: Person, wait: Any) -> Flow:
    return with_steps(alice, wait, step("wait_for_time", "Last"))


def post(person: Person, flow: Flow, what: str, **given: Any) -> Any:
    return person.client().post(person.url(f"flows/{flow.pk}/comments/{what}/"), given)


def say(person: Person, flow: Flow, at: object, text: str, **given: Any) -> Any:
    return post(person, flow, "write", at=str(at), text=text, **given)


def rows(flow: Flow) -> list[FlowComment]:
    with tenant_scope(flow.tenant_id or 0):
        return list(FlowComment.objects.filter(flow=flow).order_by("pk"))


def told(person: Person) -> list[str]:
    with tenant_scope(person.tenant.pk):
        return list(Notification.objects.filter(user_id=person.user.pk).values_list("text", flat=True))


def badge(person: Person, flow: Flow, at: object) -> str:
    """Return the badge's words in the designer and in View flow; "" where it is hidden."""
    found = []
    for page in ("edit", "canvas"):
        html = person.client().get(person.url(f"flows/{flow.pk}/{page}/")).text
        button = re.search(rf'<button[^>]*data-talk="{at}"[^>]*>', html)
        assert button
        label = re.search(r'aria-label="([^"]*)"', button[0])
        found.append("" if " hidden" in button[0] or not label else label[1])
    assert found[0] == found[1]
    return found[0]


def test_a_comment_stands_at_its_step_and_is_counted_on_the_card_everywhere(
    alice: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    assert badge(alice, flow, wait.id) == ""
    said = say(alice, flow, wait.id, "Is <b>two</b> enough?\n\U0001f49a שלום")
    assert "Is &lt;b&gt;two&lt;/b&gt; enough?\n\U0001f49a שלום" in said.text
    assert say(wendy, flow, "start", "Who comes in?").status_code == 200
    assert badge(alice, flow, wait.id) == "1 open comment at Two days"
    assert badge(alice, flow, "start") == "1 open comment at Added by hand"
    first, second = rows(flow)
    assert (first.step, first.step_title, first.author_id) == (wait.id, "Two days", alice.user.pk)
    assert (second.step, second.author_id) == (None, wendy.user.pk)
    counts = wendy.client().get(wendy.url(f"flows/{flow.pk}/canvas/counts/")).json()
    assert counts["comments"] == {str(wait.id): 1, "start": 1}
    here = alice.client().post(alice.url(f"flows/{flow.pk}/edit/here/"), {"window": "aaaaaaaa-0000"}).text
    assert f"&quot;{wait.id}&quot;: 1" in here


def test_words_that_are_none_or_too_many_come_back_with_what_was_typed(
    alice: Person, flow: Flow, wait: Any
) -> None:
    assert "Write something first." in say(alice, flow, wait.id, "  \n ").text
    long = say(alice, flow, wait.id, "ø" * 2_001)
    assert long.status_code == 422
    assert "At most 2,000 characters: these are 2,001." in long.text
    assert "ø" * 2_001 in long.text
    assert say(alice, flow, wait.id, "ø" * 2_000).status_code == 200
    assert len(rows(flow)) == 1


def test_sent_twice_it_is_written_once(alice: Person, bob: Person, flow: Flow, wait: Any) -> None:
    once = uuid.uuid4()
    for _ in range(2):
        say(alice, flow, wait.id, "Once @Bob Larsen", once=once)
    assert [row.text for row in rows(flow)] == ["Once @Bob Larsen"]
    assert told(bob) == ["Alice Wong mentioned you at “Two days” in Given"]
    say(bob, flow, wait.id, "Mine", once=once)
    assert len(rows(flow)) == 2


@pytest.mark.parametrize("at", ["", "x", "68aa8121-71b9-45c7-90a4-afd83e224ad5"])
def test_a_place_that_is_none_takes_nothing(alice: Person, flow: Flow, at: str) -> None:
    assert say(alice, flow, at, "Hello").status_code in {404, 422}
    assert rows(flow) == []


def test_an_answer_tells_those_in_the_thread_and_opens_it_again(
    alice: Person, bob: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    say(alice, flow, wait.id, "Enough?")
    (first,) = rows(flow)
    say(bob, flow, wait.id, "Three.", answers=first.pk)
    assert told(alice) == ["Bob Larsen answered at “Two days” in Given"]
    assert told(bob) == []
    post(bob, flow, f"{first.pk}/resolve")
    assert badge(alice, flow, wait.id) == ""
    assert rows(flow)[0].resolved_by_id == bob.user.pk
    say(wendy, flow, wait.id, "No: four, @alice wong", answers=first.pk)
    assert told(alice)[-1] == "Wendy Okafor mentioned you at “Two days” in Given"
    assert told(bob) == ["Wendy Okafor answered at “Two days” in Given"]
    assert badge(alice, flow, wait.id) == "1 open comment at Two days"
    page = alice.client().get(alice.url("notifications/"))
    assert "mentioned you" in page.text
    post(bob, flow, f"{first.pk}/resolve")
    post(bob, flow, f"{first.pk}/resolve", open="1")
    assert rows(flow)[0].resolved_at is None


def test_a_notification_leads_to_the_talk(alice: Person, wendy: Person, flow: Flow, wait: Any) -> None:
    say(alice, flow, wait.id, "Please write it, @Wendy Okafor")
    with tenant_scope(alice.tenant.pk):
        line = Notification.objects.get(user_id=wendy.user.pk)
    opened = wendy.client().post(wendy.url(f"notifications/{line.pk}/"), follow=True)
    assert f'data-opens="comments:{wait.id}"' in opened.text
    panel = wendy.client().get(wendy.url(f"flows/{flow.pk}/canvas/part/"), {"part": f"comments:{wait.id}"})
    assert "<mark>@Wendy Okafor</mark>" in panel.text
    assert "Comments: Two days" in panel.text


def test_ones_own_words_are_changed_and_only_who_is_named_anew_is_told(
    alice: Person, bob: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    say(alice, flow, wait.id, "@Bob Larsen look")
    (row,) = rows(flow)
    post(alice, flow, f"{row.pk}/edit", text="@Bob Larsen and @Wendy Okafor, look")
    assert len(told(bob)) == len(told(wendy)) == 1
    assert post(bob, flow, f"{row.pk}/edit", text="Mine now").status_code == 404
    (row,) = rows(flow)
    assert row.text == "@Bob Larsen and @Wendy Okafor, look"
    assert row.edited_at
    assert post(alice, flow, f"{row.pk}/edit", text="").status_code == 422


def test_ones_own_is_deleted_by_oneself_and_any_by_a_flow_administrator(
    alice: Person, bob: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    say(alice, flow, wait.id, "Alice's")
    (first,) = rows(flow)
    say(wendy, flow, wait.id, "Wendy's", answers=first.pk)
    answer = rows(flow)[1]
    assert post(wendy, flow, f"{first.pk}/delete").status_code == 404
    shown = wendy.client().get(wendy.url(f"flows/{flow.pk}/comments/"), {"at": str(wait.id)}).text
    assert f"comments/{first.pk}/delete/" not in shown
    assert f"comments/{answer.pk}/delete/" in shown
    left = post(alice, flow, f"{first.pk}/delete")
    assert "This comment was deleted." in left.text
    assert [row.text for row in rows(flow)] == ["", "Wendy's"]
    assert post(alice, flow, f"{first.pk}/edit", text="Back").status_code == 404
    post(bob, flow, f"{answer.pk}/delete")
    assert rows(flow) == []
    with tenant_scope(alice.tenant.pk):
        entry = AuditEntry.objects.get(action="flow.delete_comment")
    assert (entry.actor_id, entry.object_id) == (bob.user.pk, str(flow.pk))


def test_comments_of_a_removed_step_are_kept_and_reached(alice: Person, flow: Flow, wait: Any) -> None:
    say(alice, flow, wait.id, "Keep me")
    edit = alice.url(f"flows/{flow.pk}/edit/")
    alice.client().post(edit + "op/", {"op": "remove", "step": str(wait.id), "base_version": 0})
    listed = alice.client().get(edit + "panel/", {"part": "comments"}).text
    assert "Two days" in listed
    assert "removed from the flow" in listed
    talk = alice.client().get(edit + "panel/", {"part": f"comments:{wait.id}"}).text
    assert "Keep me" in talk
    assert "This step was removed from the flow." in talk
    (first,) = rows(flow)
    assert say(alice, flow, wait.id, "Still here", answers=first.pk).status_code == 200
    assert rows(flow)[1].step_title == "Two days"
    view = alice.client().get(alice.url(f"flows/{flow.pk}/canvas/part/"), {"part": "comments"}).text
    assert "removed from the flow" in view


def test_a_copy_has_none_and_a_deleted_flow_loses_them(alice: Person, flow: Flow, wait: Any) -> None:
    say(alice, flow, wait.id, "Not for the copy")
    with tenant_scope(alice.tenant.pk):
        copy = copy_flow(flow=flow, actor=alice.user, now=NOW)
        assert not FlowComment.objects.filter(flow=copy).exists()
        delete(flow_id=flow.pk, actor=alice.user, now=NOW)
        assert not FlowComment.objects.exists()


def test_strangers_and_those_without_rights_or_sight_neither_read_nor_write(
    alice: Person, bob: Person, charlie: Person, rory: Person, wendy: Person, flow: Flow, wait: Any
) -> None:
    say(alice, flow, wait.id, "Ours")
    (first,) = rows(flow)
    with tenant_scope(alice.tenant.pk):
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.OWNER)
    for person in (rory, charlie, bob, wendy):
        for what in ("write", f"{first.pk}/edit", f"{first.pk}/delete", f"{first.pk}/resolve"):
            assert post(person, flow, what, at=str(wait.id), text="Theirs").status_code == 404
        for what in ("", "people/"):
            url = person.url(f"flows/{flow.pk}/comments/{what}")
            assert person.client().get(url, {"at": str(wait.id)}).status_code == 404
    assert [(row.text, row.resolved_at) for row in rows(flow)] == [("Ours", None)]
    assert told(alice) == []


def test_the_database_keeps_tenants_apart(alice: Person, charlie: Person, flow: Flow, wait: Any) -> None:
    say(alice, flow, wait.id, "Ours")
    with tenant_scope(charlie.tenant.pk):
        assert FlowComment.objects.count() == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM flows_flowcomment")
            assert cursor.fetchone() == (0,)


def test_only_who_sees_the_flow_is_offered_and_told(
    acme: Tenant,
    alice: Person,
    bob: Person,
    wendy: Person,
    rory: Person,
    make_person: MakePerson,
    flow: Flow,
    wait: Any,
) -> None:
    outsider = make_person(acme, "Olga", "Outside", role="Content writer", group="Sales")
    with tenant_scope(acme.pk):
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.GROUP)
        flow.refresh_from_db()
        seeing = {member.user_id for member in members_who_see(flow)}
        assert seeing == {person.user.pk for person in (alice, bob, wendy)}
        everyone = (alice, bob, wendy, rory, outsider)
        assert seeing == {
            one.user.pk for one in everyone if visible_flows(one.member).filter(pk=flow.pk).exists()
        }
    offered = bob.client().get(bob.url(f"flows/{flow.pk}/comments/people/"), {"q": "W"}).text
    assert re.findall(r'data-name="([^"]*)"', offered) == ["Alice Wong", "Wendy Okafor"]
    say(alice, flow, wait.id, "@Olga Outside @Rory Silva @Bob Larsen")
    assert (told(outsider), told(rory), len(told(bob))) == ([], [], 1)


def test_names_in_a_text(acme: Tenant, alice: Person, bob: Person, make_person: MakePerson) -> None:
    long = make_person(acme, "Robert", "Larsen Berg", role="Content writer").user
    long.first_name = "Bob"
    twin = make_person(acme, "Alice2", "x", role="Content writer").user
    twin.first_name, twin.last_name = "Alice", "Wong"
    users = [alice.user, bob.user, long, twin]

    def found(text: str) -> list[int]:
        return [one["user"] for one in mentioned(text, users)]

    assert found("@Bob Larsen Berg and @bob larsen, @Bob Larsen") == [long.pk, bob.user.pk]
    assert found("mail@Bob Larsen @Bob Larsens @Alice Wong") == []
    assert found(f"@{alice.user.email}") == [alice.user.pk]
    said = "Hi @bob larsen!"
    assert pieces(said, mentioned(said, users)) == [("Hi ", False), ("@bob larsen", True), ("!", False)]


def test_words_that_name_an_erased_person_go(alice: Person, flow: Flow, wait: Any) -> None:
    with tenant_scope(alice.tenant.pk):
        for text in ("Jane DOE got it twice", "jane@kayak.example said no", "Nothing of her"):
            write_comment(flow=flow, step=wait.id, text=text, author=alice.user, now=NOW, once=uuid.uuid4())
        person = Erased(alice.tenant.pk, 1, NOW, "Jane", "Doe", addresses=("jane@kayak.example",))
        with connection.cursor() as cursor:
            erase(cursor.cursor, person)
    assert [row.text for row in rows(flow)] == ["", "", "Nothing of her"]
    shown = alice.client().get(alice.url(f"flows/{flow.pk}/comments/"), {"at": str(wait.id)}).text
    assert shown.count("it named a person who was erased") == 2


def test_many_threads_come_in_pages_with_as_many_queries(
    alice: Person, flow: Flow, wait: Any, django_assert_max_num_queries: Any
) -> None:
    with tenant_scope(alice.tenant.pk):
        for number in range(70):
            write_comment(
                flow=flow, step=wait.id, text=f"No. {number}", author=alice.user, now=NOW, once=uuid.uuid4()
            )
    url = alice.url(f"flows/{flow.pk}/comments/")
    client = alice.client()
    with django_assert_max_num_queries(15):
        newest = client.get(url, {"at": str(wait.id)}).text
    assert re.findall(r"No\. (\d+)</p>", newest) == [str(number) for number in range(69, 39, -1)]
    before = re.search(r"before=(\d+)", newest)
    assert before
    older = client.get(url, {"at": str(wait.id), "before": before[1]}).text
    assert re.findall(r"No\. (\d+)</p>", older) == [str(number) for number in range(39, 9, -1)]
    assert client.get(url, {"at": str(wait.id), "before": "9" * 40}).status_code == 200
