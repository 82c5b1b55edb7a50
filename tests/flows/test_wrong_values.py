"""A wrong value in any field of any panel: refused by the server at its field, where what was typed still stands."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms

from accounts.models import Licence
from core.tenancy import tenant_scope
from flows.document import FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations.create import create_flow
from flows.panels.settings import DetailsForm, EnrolmentForm, MessagesForm
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step

# What nobody can mean, by the class of the field; of several that fit the first counts.
WRONG: list[tuple[type[forms.Field], str]] = [
    (forms.DecimalField, "lots"),
    (forms.IntegerField, "many"),
    (forms.DateTimeField, "tomorrow"),
    (forms.TimeField, "25:99"),
    (forms.EmailField, "nobody at all"),
    (forms.ChoiceField, "nonsense"),
]
# Their choices are not fields of the form: they are looked at where they are drawn.
PARTS: list[tuple[str, Any]] = [
    *(("step", kind) for kind in STEP_KINDS),
    *(("trigger", kind) for kind in TRIGGER_KINDS),
    *(("success", kind) for kind in SUCCESS_KINDS),
]


def wrong_of(field: forms.Field) -> str | None:
    if found := next((value for kind, value in WRONG if isinstance(field, kind)), None):
        return found
    longest = getattr(field, "max_length", None)
    return "x" * (longest + 1) if longest else None


def at_fault(page: str, name: str) -> str | None:
    """Return the drawn field of that name where it is marked as wrong."""
    blocks = re.split(r'(?=<(?:div|fieldset) class="field)', page)
    block = next((one for one in blocks if f'name="{name}"' in one), None)
    assert block is not None, f"{name} is not drawn"
    return (
        block
        if block.startswith(('<div class="field has-error', '<fieldset class="field has-error'))
        else None
    )


def post(person: Person, flow: Flow, part: str, given: dict[str, str]) -> tuple[int, str]:
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
    data = {"part": part, "base_version": str(flow.draft_version), "title": "Step", **given}
    answer = person.client().post(person.url(f"flows/{flow.pk}/edit/apply/"), data)
    return answer.status_code, answer.content.decode()


def judge(person: Person, flow: Flow, part: str, fields: dict[str, forms.Field]) -> Iterator[str]:
    """Yield what is not as it should be, field by field."""
    for name, field in fields.items():
        wrong = wrong_of(field)
        if wrong is None:
            continue
        status, page = post(person, flow, part, {name: wrong})
        block = at_fault(page, name)
        if status != 422 or block is None:
            yield f"{part} {name}: {status}, not at its field"
        elif not isinstance(field, forms.ChoiceField) and wrong not in html.unescape(block):
            yield f"{part} {name}: what was typed is lost"


def part_of(where: str, kind: Any) -> StepNode | Trigger | SuccessCriterion:
    """Return a new part of that kind, as yet empty."""
    if where == "trigger":
        return Trigger(kind=kind.name)
    if where == "success":
        return SuccessCriterion(kind=kind.name)
    node: StepNode = kind.new() if kind.name == "split" else step(kind.name, "Step")
    return node


@pytest.fixture
def licences(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        for code in Licence.Code:
            Licence.objects.get_or_create(code=code)


@pytest.mark.parametrize(("where", "kind"), PARTS, ids=lambda one: getattr(one, "name", one))
def test_a_wrong_value_is_refused_at_its_field_and_stays(
    where: str, kind: Any, alice: Person, world: World, licences: None
) -> None:
    with tenant_scope(alice.tenant.pk):
        made = part_of(where, kind)
        document = FlowDocument(
            settings=world.settings(),
            steps=(made,) if isinstance(made, StepNode) else (),
            triggers=(made,) if isinstance(made, Trigger) else (),
            success=(made,) if isinstance(made, SuccessCriterion) else (),
        )
        flow = create_flow(name="Wrong", owner=alice.user, now=NOW, document=document)
    assert list(judge(alice, flow, f"{where}:{made.id}", kind.Form.base_fields)) == []


@pytest.mark.parametrize(
    ("part", "form"), [("details", DetailsForm), ("settings", EnrolmentForm), ("messages", MessagesForm)]
)
def test_a_wrong_value_of_the_flows_settings_is_refused_at_its_field_and_stays(
    part: str, form: Any, alice: Person, flow: Flow, world: World
) -> None:
    fields = {**form.base_fields}
    # Drawn only where there is an SMS account, and where there are groups or other flows to choose.
    for name in ("sms_sender", "remove_from_flows"):
        fields.pop(name, None)
    assert list(judge(alice, flow, part, fields)) == []
