"""What panels choose by name: a few at once, the rest by search; what was chosen keeps its name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import QueryDict

from content.operations.links import LinkDraft, create_link
from core.tenancy import tenant_scope
from crm.models import Project, Selection
from flows.models import Flow
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


def test_every_kind_finds_by_a_part_of_the_name_without_case(flow: Flow, world: World, alice: Person) -> None:
    Project.objects.create(name="Fair 2027", created_at=NOW)
    create_link(draft=LinkDraft(name="Offer", folder="Spring", url="https://a.test/"), actor=None, now=NOW)
    found = {kind.name: [label for _, label in kind.first(flow.pk, "a")] for kind in CHOOSABLE}
    assert found["project"] == ["Fair 2027"]
    assert found["selection"] == ["Autumn prospects"]
    assert "Alice Wong" in found["user"]
    assert [label for _, label in CHOOSABLE["link"].first(flow.pk, "spring / off")] == ["Spring / Offer"]
    assert [label for _, label in CHOOSABLE["email"].first(flow.pk, "UN")] == ["Unfinished (not ready)"]
    assert CHOOSABLE["flow"].first(flow.pk) == []
    assert CHOOSABLE["user"].label_of(flow.pk, alice.user.pk) == "Alice Wong"
    assert CHOOSABLE["form"].first(flow.pk, "%") == []


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
