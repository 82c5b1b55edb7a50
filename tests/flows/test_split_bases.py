"""Panels of splits and of going to another flow: what is chosen is kept, and what is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from content.forms.document import FormDocument, FormField
from content.models import Form
from content.operations.forms import create_form
from core.tenancy import tenant_scope
from crm.models import Project
from flows.checking import check_context
from flows.document import Branch, FlowDocument, StepNode
from flows.editing.steps import update
from flows.models import Flow
from flows.operations.create import create_flow
from flows.panels.steps import BranchForm
from flows.steps.split import Split
from flows.steps.split.answers import holds
from flows.steps.split.table import BASES
from flows.steps.table import STEP_KINDS
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import job, step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def posted(**values: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, value in values.items():
        data.setlist(name, value if isinstance(value, list) else [str(value)])
    return data


def based_on(name: str, **settings: Any) -> StepNode:
    branch = Branch(name="First", settings=settings)
    return StepNode(
        kind="split", title="S", settings={"based_on": name}, branches=(branch, Branch(name="Everyone else"))
    )


def test_every_basis_keeps_what_its_branch_was_given_and_says_it_in_words(flow: Flow, world: World) -> None:
    project = Project.objects.create(name="Fair", created_at=NOW)
    opened = f'{{"email":{world.welcome.pk},"kind":"open"}}'
    given: dict[str, tuple[dict[str, Any], str]] = {
        "clicked": ({"acts": ['{"kind":"email_link"}']}, "any link clicked"),
        "opened": ({"acts": [opened]}, "“Welcome” opened"),
        "selection": ({"selection": world.selection.pk}, "member of “Autumn prospects”"),
        "project": ({"project": project.pk}, "member of “Fair”"),
        "random": ({"share": 30}, "30 %, at random"),
    }
    for name, (values, words) in given.items():
        node = based_on(name)
        data = posted(name="First", ending="join", **values)
        form = BranchForm(split=node, branch=node.branches[0], flow_id=flow.pk, data=data)
        assert form.is_valid(), (name, form.errors)
        filled = based_on(name, **form.settings())
        ctx = check_context(FlowDocument(steps=(filled,)))
        assert node_problems(filled, ctx) == []
        assert Split().branch_summary(filled, filled.branches[0], ctx) == words
        again = BranchForm(split=filled, branch=filled.branches[0], flow_id=flow.pk)
        assert len(again.asked_fields) == 1


@pytest.mark.parametrize("name", [basis.name for basis in BASES])
def test_a_branch_that_asks_for_nothing_is_a_problem_by_its_name(name: str, flow: Flow) -> None:
    node = based_on(name)
    (problem,) = node_problems(node, check_context(FlowDocument(steps=(node,))))
    assert problem.message.startswith(("“First” ", "“First”: "))
    assert problem.place == str(node.branches[0].id)


@pytest.fixture
def form(alice: Person) -> Form:
    fields = (
        FormField(key="size", kind="number", label="Company size"),
        FormField(key="topic", kind="dropdown", label="Topic", options=("Mills", "Races")),
    )
    document = FormDocument(fields=fields)
    return create_form(name="Sign-up", actor=alice.user, now=NOW, document=document)


def answer(number: int, field: str, operator: str, value: str = "", join: str = "and") -> dict[str, str]:
    names = {"field": field, "operator": operator, "value": value, "join": join}
    return {f"answer-{number}-{name}": given for name, given in names.items()}


def asked_of(form: Form, flow: Flow, *parts: dict[str, str], **more: str) -> BranchForm:
    node = based_on("form_data")
    node = node.model_copy(update={"settings": {"based_on": "form_data", "form": form.pk}})
    data = posted(name="First", ending="join", **more)
    for part in parts:
        data.update(part)
    return BranchForm(split=node, branch=node.branches[0], flow_id=flow.pk, data=data)


def test_a_branch_asks_for_several_answers(flow: Flow, form: Form) -> None:
    parts = (
        answer(0, "size", "greater", "50", join="or"),
        answer(1, "topic", "is", "Mills"),
        answer(2, "topic", "set", "dropped", join="or"),
        answer(3, "", "is"),
    )
    given = asked_of(form, flow, *parts)
    assert given.is_valid(), given.errors
    settings = given.settings()
    assert settings == {
        "lines": [
            {"field": "size", "operator": "greater", "value": "50", "join": "and"},
            {"field": "topic", "operator": "is", "value": "Mills", "join": "and"},
            {"field": "topic", "operator": "set", "value": "", "join": "or"},
        ]
    }
    filled = based_on("form_data", **settings)
    filled = filled.model_copy(update={"settings": {"based_on": "form_data", "form": form.pk}})
    ctx = check_context(FlowDocument(steps=(filled,)))
    assert node_problems(filled, ctx) == []
    assert Split().branch_summary(filled, filled.branches[0], ctx) == (
        "“Company size” is more than “50” and “Topic” is “Mills”, or “Topic” is answered"
    )


def test_lines_are_added_and_removed_and_a_posted_nonsense_is_no_error(flow: Flow, form: Form) -> None:
    two = (answer(0, "size", "is", "1"), answer(1, "topic", "is", "Mills", join="or"))

    def lines(given: BranchForm) -> list[tuple[str, str]]:
        assert given.asking is not None
        return [(line.field, line.join) for line in given.asking.lines]  # type: ignore[attr-defined]

    assert lines(asked_of(form, flow, *two, more="1")) == [("size", "and"), ("topic", "or"), ("", "and")]
    # What is first has nothing before it to follow.
    assert lines(asked_of(form, flow, *two, drop="0")) == [("topic", "and")]
    odd = asked_of(form, flow, answer(0, "size", "drop table", "1\x00", join="xor"))
    assert odd.settings() == {"lines": [{"field": "size", "operator": "is", "value": "1", "join": "and"}]}


def test_what_is_missing_in_a_line_is_said_once(flow: Flow, form: Form) -> None:
    lines = [{"field": "size", "operator": "is"}, {"field": "gone", "operator": "is", "value": "1"}]
    node = based_on("form_data", lines=[*lines, lines[0]])
    node = node.model_copy(update={"settings": {"based_on": "form_data", "form": form.pk}})
    assert [p.message for p in node_problems(node, check_context(FlowDocument(steps=(node,))))] == [
        "“First” has no value",
        "“First”: the question was deleted, choose another",
    ]
    # A branch from before there could be several keeps what it asked for.
    old = based_on("form_data", field="size", operator="less", value="9")
    old = old.model_copy(update={"settings": node.settings})
    ctx = check_context(FlowDocument(steps=(old,)))
    assert Split().branch_summary(old, old.branches[0], ctx) == "“Company size” is less than “9”"


def test_shares_of_more_than_a_hundred_are_refused(flow: Flow) -> None:
    branches = [Branch(name=name, settings={"share": 60}) for name in "AB"]
    node = based_on("random").model_copy(update={"branches": (*branches, Branch(name="Everyone else"))})
    (problem,) = node_problems(node, check_context(FlowDocument(steps=(node,))))
    assert problem.message == "“B”: the shares are more than 100 % together"


def test_what_is_deleted_is_named_as_a_problem(flow: Flow, world: World) -> None:
    node = based_on("opened", acts=[{"kind": "open", "email": 987654}])
    (problem,) = node_problems(node, check_context(FlowDocument(steps=(node,))))
    assert problem.message == "“First”: The email of an action was deleted: choose another"


def test_changing_the_basis_empties_what_branches_ask_and_keeps_their_steps(flow: Flow) -> None:
    inner = step("wait_for_time", "Inner", amount=1)
    branch = Branch(name="Chefs", criteria=job("chef"), steps=(inner,))
    node = StepNode(kind="split", title="S", branches=(branch, Branch(name="Everyone else")))
    document = FlowDocument(steps=(node,))
    same = update(document, step_id=node.id, title="Renamed", note="", settings={"based_on": "contact"})
    assert same.steps[0].branches == node.branches
    other = update(document, step_id=node.id, title="S", note="", settings={"based_on": "random"})
    assert (other.steps[0].branches[0].criteria, other.steps[0].branches[0].steps) == (None, (inner,))


def test_go_to_flow_says_where_it_leads_and_what_is_missing(flow: Flow, alice: Person) -> None:
    kind = STEP_KINDS["go_to_flow"]
    other = create_flow(name="Winback", owner=alice.user, now=NOW)
    node = step("go_to_flow", flow=other.pk)
    ctx = check_context(FlowDocument(steps=(node,)))
    assert kind.summary(node, ctx) == "“Winback”, and leaves"
    assert [(p.message, p.is_warning) for p in kind.problems(node, ctx)] == [
        ("“Winback” is not running, so nobody enters it", True)
    ]
    gone = step("go_to_flow", flow=987654)
    assert [p.message for p in kind.problems(gone, check_context(FlowDocument(steps=(gone,))))] == [
        "The flow was deleted: choose another"
    ]


@pytest.mark.parametrize(
    ("answer", "greater", "less"),
    [
        ("7", True, False),
        ("4,5", False, True),
        ("1e9999999999", True, False),
        ("NaN", False, False),
        ("sNaN", False, False),
        ("-Infinity", False, True),
        ("", False, False),
        (["6", "7"], False, False),
    ],
)
def test_an_answer_of_any_text_is_compared_with_a_number(answer: Any, greater: bool, less: bool) -> None:
    assert (holds("greater", answer, "5"), holds("less", answer, "5")) == (greater, less)
