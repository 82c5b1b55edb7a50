"""Numbers that no panel takes are no settings either: files and the API are refused at their place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from flows.document import StepNode, Trigger
from flows.steps.base import setting_problems
from flows.steps.table import STEP_KINDS
from flows.triggers.table import TRIGGER_KINDS

# kind, setting, the least and the most that is possible.
STEPS = [
    ("wait_for_time", "amount", 0, 10_000),
    ("wait_for_time", "offset_days", -3_650, 3_650),
    ("wait_for_action", "amount", 0, 10_000),
    ("create_follow_up", "amount", 0, 1_000),
    ("create_follow_up", "minutes", 5, 480),
    ("create_sale", "after", 0, 3_650),
]
TRIGGERS = [
    ("date_in_field", "offset_days", -3_650, 3_650),
    ("schedule", "weekday", 0, 6),
    ("schedule", "day", 1, 31),
]


@pytest.mark.parametrize(("kind", "name", "least", "most"), STEPS)
def test_a_steps_number_has_its_bounds(kind: str, name: str, least: int, most: int) -> None:
    def problems(value: Any) -> list[str]:
        node = StepNode(kind=kind, settings={name: value})
        return [problem.place for problem in setting_problems(STEP_KINDS[kind], node)]

    assert [problems(value) for value in (least, most)] == [[], []]
    assert [problems(value) for value in (least - 1, most + 1, 10**12, "soon")] == [[name]] * 4


@pytest.mark.parametrize(("kind", "name", "least", "most"), TRIGGERS)
def test_a_triggers_number_has_its_bounds(kind: str, name: str, least: int, most: int) -> None:
    def settings(value: Any) -> Any:
        return TRIGGER_KINDS[kind].settings(Trigger(kind=kind, settings={name: value}))

    assert [getattr(settings(value), name) for value in (least, most)] == [least, most]
    for value in (least - 1, most + 1, 10**12, "soon"):
        with pytest.raises(ValidationError):
            settings(value)


def test_every_number_of_a_form_and_of_its_settings_end_alike() -> None:
    """What a panel takes at most is what the settings take at most, for every kind with one number of that name."""
    for kind in STEP_KINDS:
        for name, field in kind.Form.base_fields.items():
            most = getattr(field, "max_value", None)
            info = kind.Settings.model_fields.get(name)
            if most is not None and info is not None:
                assert str(most) in str(info.metadata), (kind.name, name)
