"""Panels and words of the triggers of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from core.tenancy import tenant_scope
from flows.checking import check_context
from flows.document import FlowDocument, Trigger
from flows.models import Flow
from flows.part_form import part_form
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import World


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def given(trigger: Trigger, flow: Flow, **values: Any) -> dict[str, Any]:
    """Return the settings that a panel keeps of what was posted."""
    data = QueryDict(mutable=True)
    data.update({name: str(value) for name, value in values.items()})
    form = part_form(TRIGGER_KINDS[trigger.kind], trigger, flow_id=flow.pk, data=data)
    assert form.is_valid(), form.errors
    return form.settings()


def words(trigger: Trigger) -> str:
    return TRIGGER_KINDS[trigger.kind].summary(trigger, check_context(FlowDocument(triggers=(trigger,))))


def wrong(trigger: Trigger) -> list[str]:
    ctx = check_context(FlowDocument(triggers=(trigger,)))
    return [problem.message for problem in TRIGGER_KINDS[trigger.kind].problems(trigger, ctx)]


def test_date_in_field_keeps_its_days_and_says_when(flow: Flow) -> None:
    empty = Trigger(kind="date_in_field")
    assert wrong(empty) == ["Choose a date field"]
    settings = given(
        empty, flow, field="contact.date_of_birth", days=3, direction="before", at_time="08:30", yearly="on"
    )
    filled = Trigger(kind="date_in_field", settings=settings)
    assert (settings["offset_days"], wrong(filled)) == (-3, [])
    assert words(filled) == "3 days before Date of birth, 08:30, every year"
    form = part_form(TRIGGER_KINDS["date_in_field"], filled, flow_id=flow.pk)
    assert (form.initial["days"], form.initial["direction"]) == (3, "before")
    gone = Trigger(kind="date_in_field", settings={"field": "contact.custom.nothing"})
    assert wrong(gone) == ["The date field was deleted: choose another"]


def test_a_schedule_keeps_when_it_strikes_and_says_so(flow: Flow, world: World) -> None:
    empty = Trigger(kind="schedule")
    assert wrong(empty) == ["Choose a selection", "Choose a date and time"]
    weekly = given(empty, flow, selection=world.selection.pk, mode="week", weekday=4, day=1, at_time="07:00")
    assert wrong(Trigger(kind="schedule", settings=weekly)) == []
    assert words(Trigger(kind="schedule", settings=weekly)) == "“Autumn prospects”, every Friday, 07:00"
    once = given(
        empty, flow, selection=world.selection.pk, mode="once", weekday=0, day=1, moment="2026-12-24T16:00"
    )
    assert once["moment"] == "2026-12-24T16:00:00"
    assert words(Trigger(kind="schedule", settings=once)) == "“Autumn prospects”, 24 December 2026, 16:00"
