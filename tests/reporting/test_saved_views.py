"""Saved views of the flow list: one's own and shared ones, what they keep, who may delete them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.http import QueryDict

from core.tenancy import tenant_scope
from flows.models import SavedView
from flows.operations.saved_views import MOST_VIEWS, kept_query, save_view
from tests.fixtures.people import LAST_MONDAY, Person
from tests.participants.pages import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    return make_stage(bob)


def kept(person: Person) -> list[tuple[str, str, bool]]:
    with tenant_scope(person.tenant.pk):
        return list(SavedView.objects.order_by("name").values_list("name", "query", "shared"))


def page(person: Person, query: str = "") -> str:
    answer = person.client().get(person.url("flows/") + query)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_a_view_keeps_what_the_list_is_asked_for_and_nothing_else(stage: Stage, bob: Person) -> None:
    query = "?view=list&status=running&sort=-rate&col=rate&col=owner&page=7&after=xyz&evil=1&group=owner"
    answer = bob.client().post(bob.url("flows/views/new/") + query, {"name": " Best  ones ⭐ ", "shared": ""})
    wanted = "view=list&sort=-rate&status=running&group=owner&col=rate&col=owner"
    assert answer.status_code == 302
    assert answer["Location"] == bob.url("flows/") + "?" + wanted
    assert kept(bob) == [("Best ones ⭐", wanted, False)]
    shown = page(bob, "?" + wanted)
    assert f'href="{bob.url("flows/")}?{wanted}" aria-current="true"' in shown
    assert "Autumn welcome" in shown


def test_the_same_name_again_replaces_ones_own_view(stage: Stage, bob: Person, wendy: Person) -> None:
    for person, query in ((bob, "?status=paused"), (bob, "?status=running"), (wendy, "?q=x")):
        person.client().post(person.url("flows/views/new/") + query, {"name": "Mine"})
    assert [query for _, query, _ in kept(bob)] == ["status=running", "q=x"]


def test_own_views_are_ones_own_and_shared_ones_everybodys(
    stage: Stage, alice: Person, bob: Person, wendy: Person, rory: Person, charlie: Person
) -> None:
    bob.client().post(bob.url("flows/views/new/"), {"name": "Secret view"})
    bob.client().post(bob.url("flows/views/new/"), {"name": "For <b>all</b>", "shared": "on"})
    assert "Secret view" in page(bob)
    for person in (alice, wendy):
        shown = page(person)
        assert "Secret view" not in shown
        assert "For <b>all</b>" in shown
    assert "For <b>all</b>" not in wendy.client().get(wendy.url("flows/")).content.decode()
    assert "For <b>all</b>" not in page(charlie)
    with stage.scope():
        secret, shared = SavedView.objects.get(name="Secret view"), SavedView.objects.get(shared=True)
    assert f"views/{shared.pk}/delete/" not in page(wendy)
    assert f"views/{shared.pk}/delete/" in page(alice)
    for person in (wendy, rory, charlie):
        for view in (secret, shared):
            assert person.client().post(person.url(f"flows/views/{view.pk}/delete/")).status_code == 404
    assert rory.client().post(rory.url("flows/views/new/"), {"name": "x"}).status_code == 404
    assert alice.client().post(alice.url(f"flows/views/{secret.pk}/delete/")).status_code == 404
    assert len(kept(bob)) == 2
    assert alice.client().post(alice.url(f"flows/views/{shared.pk}/delete/")).status_code == 302
    assert bob.client().post(bob.url(f"flows/views/{secret.pk}/delete/")).status_code == 302
    assert kept(bob) == []


def test_a_shared_view_shows_nobody_what_they_may_not_see(stage: Stage, bob: Person, wendy: Person) -> None:
    bob.client().post(bob.url("flows/views/new/") + "?q=Autumn", {"name": "Autumn", "shared": "on"})
    with stage.scope():
        type(stage.flow).objects.filter(pk=stage.flow.pk).update(visibility="owner")
    assert "Autumn welcome" not in page(wendy, "?q=Autumn")
    assert "Autumn welcome" in page(bob, "?q=Autumn")


def test_what_cannot_be_kept_says_so(stage: Stage, bob: Person) -> None:
    client = bob.client()
    assert client.post(bob.url("flows/views/new/"), {"name": " "}).status_code == 422
    assert client.post(bob.url("flows/views/new/"), {"name": "x" * 61}).status_code == 422
    assert client.post(bob.url("flows/views/new/") + f"?q={'é' * 900}", {"name": "x"}).status_code == 422
    with stage.scope():
        for number in range(MOST_VIEWS):
            save_view(name=f"View {number}", query="", shared=False, actor=bob.user, now=LAST_MONDAY)
    answer = client.post(bob.url("flows/views/new/"), {"name": "One more"})
    assert answer.status_code == 422
    assert "the most there can be" in answer.content.decode()
    assert kept_query(QueryDict("col=" + "&col=".join("x" * 40))).count("col=") == 20


def test_after_a_live_search_the_view_to_save_is_what_the_list_shows(stage: Stage, bob: Person) -> None:
    answer = bob.client().get(bob.url("flows/?view=list&q=autumn"), headers={"hx-request": "true"})
    html = unescape(answer.content.decode())
    assert "<html" not in html
    assert re.search(r'<nav class="[^"]*" id="saved-views"[^>]* hx-swap-oob="true">', html)
    assert f'hx-get="{bob.url("flows/views/new/")}?view=list&q=autumn"' in html
    whole = unescape(bob.client().get(bob.url("flows/?view=list&q=autumn")).content.decode())
    assert (whole.count('id="saved-views"'), "hx-swap-oob" in whole) == (1, False)
