"""What panels choose by name: a few at once, the rest by search; what was chosen keeps its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict
from pytest_django import DjangoAssertNumQueries

from content.operations.links import LinkDraft, create_link
from core.tenancy import tenant_scope
from crm.models import Project, Selection
from flows.document import FlowSettings
from flows.models import Flow
from flows.panels.settings import EnrolmentForm
from flows.searched import CHOOSABLE, MOST
from flows.steps.forms import StepForm
from flows.steps.table import STEP_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


@pytest.fixture
def many(world: World) -> list[Selection]:
    made = [
        Selection(name=f"List {n:03}", created_at=NOW, tenant_id=world.selection.tenant_id) for n in range(60)
    ]
    return Selection.objects.bulk_create(made)


def form(flow: Flow, data: QueryDict | None = None, **settings: object) -> StepForm:
    node = step("add_to_selection", "Add", **settings)
    kind = STEP_KINDS[node.kind]
    return kind.Form(kind=kind, node=node, flow_id=flow.pk, data=data)


def flow_settings(**values: Any) -> FlowSettings:
    return FlowSettings(timezone="Europe/Oslo", **values)


def offered(shown: StepForm, name: str = "selection") -> list[tuple[str, str]]:
    choices: list[tuple[str, str]] = list(shown.fields[name].choices)  # type: ignore[attr-defined]
    return choices


def test_a_short_list_is_whole_and_a_long_one_begins_and_is_searched(flow: Flow, world: World) -> None:
    names = [label for _, label in offered(form(flow))]
    assert names == ["None", "Autumn prospects", "Competitors"]
    assert "data-more" not in form(flow).fields["selection"].widget.attrs


def test_a_long_list_brings_the_first_and_the_chosen_one(flow: Flow, many: list[Selection]) -> None:
    shown = form(flow, selection=many[59].pk)
    labels = [label for _, label in offered(shown)]
    assert (len(labels), labels[:3], labels[-1]) == (
        MOST + 2, ["None", "Autumn prospects", "Competitors"], "List 059"
    )  # fmt: skip
    assert shown.fields["selection"].widget.attrs == {"data-searched": "selection", "data-more": "true"}


def test_one_that_was_found_by_search_is_taken_and_a_wrong_one_refused(
    flow: Flow, many: list[Selection]
) -> None:
    def posted(value: object) -> StepForm:
        data = QueryDict(mutable=True)
        data.update({"title": "Add", "selection": str(value)})
        return form(flow, data)

    taken = posted(many[59].pk)
    assert taken.is_valid(), taken.errors
    assert taken.settings() == {"selection": many[59].pk, "project": None}
    dynamic = Selection.objects.create(name="Dynamic", kind="dynamic", criteria={}, created_at=NOW)
    for wrong in (dynamic.pk, 999_999, "9" * 30, "x", "-1"):
        assert list(posted(wrong).errors) == ["selection"], wrong


def test_what_is_gone_stays_under_its_own_words(flow: Flow, world: World) -> None:
    assert offered(form(flow, selection=999_999))[-1] == ("999999", "A selection that was deleted")
    data = QueryDict(f"title=Add&selection={999_999}")
    kept = form(flow, data, selection=999_999)
    assert kept.is_valid(), kept.errors


def wait_form(flow: Flow, data: QueryDict | None = None, **settings: object) -> StepForm:
    node = step("wait_for_action", "Wait", **settings)
    kind = STEP_KINDS[node.kind]
    return kind.Form(kind=kind, node=node, flow_id=flow.pk, data=data)


def test_actions_are_searched_in_links_emails_and_forms_and_each_sort_has_its_share(
    flow: Flow, world: World
) -> None:
    links = [
        create_link(draft=LinkDraft(name=f"Link {n:02}", url="https://a.test/"), actor=None, now=NOW)
        for n in range(40)
    ]
    shown = dict(offered(wait_form(flow), "acts"))
    assert len(shown) == MOST
    assert {"Clicks any link", "Opens any email", "Opens “Welcome”"} <= set(shown.values())
    assert "Clicks “Link 00”, in any message" in shown.values()
    assert "Clicks “Link 39”, in any message" not in shown.values()
    found = CHOOSABLE["action"].first(flow.pk, "LINK 39")
    code = f'{{"id":{links[39].pk},"kind":"link"}}'
    assert found == ([(code, "Clicks “Link 39”, in any message")], False)
    assert [label for _, label in CHOOSABLE["open"].first(flow.pk, "wel")[0]] == ["Opens “Welcome”"]
    assert CHOOSABLE["submission"].first(flow.pk) == ([], False)


def test_an_action_found_by_search_is_kept_by_name_and_a_made_up_one_refused(
    flow: Flow, world: World
) -> None:
    links = [
        create_link(draft=LinkDraft(name=f"Link {n:02}", url="https://a.test/"), actor=None, now=NOW)
        for n in range(40)
    ]

    def posted(*codes: str) -> StepForm:
        data = QueryDict(mutable=True)
        data.update({"title": "Wait", "since": "arrival", "unit": "days", "amount": "7"})
        data.setlist("acts", list(codes))
        return wait_form(flow, data)

    code = f'{{"id":{links[39].pk},"kind":"link"}}'
    taken = posted(code)
    assert taken.is_valid(), taken.errors
    assert offered(taken, "acts")[0] == (code, "Clicks “Link 39”, in any message"), (
        "what is ticked comes first"
    )
    kept = wait_form(flow, **{k: v for k, v in taken.settings().items() if k == "actions"})
    assert offered(kept, "acts")[0] == (code, "Clicks “Link 39”, in any message")
    made_up = [
        '{"id":999999,"kind":"link"}',
        f'{{"kind":"link","id":{links[39].pk}}}',
        f'{{"email":{world.welcome.pk},"kind":"url","url":"https://evil.test/"}}',
        '{"kind":"outside","name":"paid"}',
        '{"email":999999,"kind":"open"}',
        "[" * 3_000,
        '{"id":99999999999999999999999,"kind":"form"}',
        "null",
    ]
    for wrong in made_up:
        assert list(posted(wrong).errors) == ["acts"], wrong


def test_ticked_ones_stay_by_name_though_they_are_far_down_and_gone_ones_in_words(
    flow: Flow, many: list[Selection]
) -> None:
    settings = flow_settings(exclusions=(many[59].pk, 999_999))
    shown = EnrolmentForm(settings=settings, flow_id=flow.pk)
    offers = list(shown.fields["exclusions"].choices)  # type: ignore[attr-defined]
    assert offers[:2] == [(str(many[59].pk), "List 059"), ("999999", "A selection that was deleted")]
    assert len(offers) == MOST + 2
    assert shown.fields["exclusions"].widget.attrs["data-more"] == "true"
    data = QueryDict(mutable=True)
    data.update({"timezone": "Europe/Oslo", "control_share": "0"})
    data.setlist("exclusions", [str(many[58].pk), str(many[59].pk)])
    posted = EnrolmentForm(settings=settings, flow_id=flow.pk, data=data)
    assert posted.is_valid(), posted.errors
    assert posted.settings(settings).exclusions == (many[58].pk, many[59].pk)


def test_a_panel_costs_as_many_queries_for_thousands_as_for_a_few(
    flow: Flow, many: list[Selection], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    kept = flow_settings(exclusions=tuple(one.pk for one in many[30:60]))
    with django_assert_max_num_queries(4):
        EnrolmentForm(settings=kept, flow_id=flow.pk)


def test_every_kind_finds_by_a_part_of_the_name_without_case(flow: Flow, world: World, alice: Person) -> None:
    Project.objects.create(name="Fair 2027", created_at=NOW)
    create_link(draft=LinkDraft(name="Offer", folder="Spring", url="https://a.test/"), actor=None, now=NOW)
    found = {kind.name: [label for _, label in kind.first(flow.pk, "a")[0]] for kind in CHOOSABLE}
    assert found["project"] == ["Fair 2027"]
    assert found["selection"] == ["Autumn prospects"]
    assert "Alice Wong" in found["user"]
    assert [label for _, label in CHOOSABLE["link"].first(flow.pk, "spring / off")[0]] == ["Spring / Offer"]
    assert [label for _, label in CHOOSABLE["email"].first(flow.pk, "UN")[0]] == ["Unfinished (not ready)"]
    assert CHOOSABLE["flow"].first(flow.pk) == ([], False)
    assert CHOOSABLE["user"].labels(flow.pk, [str(alice.user.pk), "x", "9" * 30]) == {
        str(alice.user.pk): "Alice Wong"
    }
    assert CHOOSABLE["form"].first(flow.pk, "%") == ([], False)


def test_the_search_answers_options_and_says_when_there_are_more(
    alice: Person, flow: Flow, many: list[Selection]
) -> None:
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/choices/selection/")
    page = client.get(url, {"q": "list"}).content.decode()
    assert page.count("data-value") == MOST
    assert "More are there" in page
    one = client.get(url, {"q": "LIST 059"}).content.decode()
    assert f'<li role="option" data-value="{many[59].pk}" aria-selected="false">List 059</li>' in one
    assert "More are there" not in one
    assert "No selection is called that." in client.get(url, {"q": "<b>\x00"}).content.decode()
    assert client.get(alice.url(f"flows/{flow.pk}/edit/choices/nothing/")).status_code == 404
