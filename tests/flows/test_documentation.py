"""The tables in docs/ are those of the code: every kind in its order, every reason and verdict by its name."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.forms.utils import pretty_name

from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from participants.models import Participant, Suggestion

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def rows(path: Path, heading: str = "") -> list[list[str]]:
    """Return the cells of the table under a heading (or of the file's only one), without its head."""
    text = path.read_text()
    part = text.split(heading, 1)[1] if heading else text
    lines = re.findall(r"^\|.*\|$", part.split("\n\n## ")[0], flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("folder", "table"), [("steps", STEP_KINDS), ("triggers", TRIGGER_KINDS), ("success", SUCCESS_KINDS)]
)
def test_the_table_of_kinds_is_the_codes_in_its_order(folder: str, table: Any) -> None:
    written = [tuple(row[:3]) for row in rows(DOCS / folder / "README.md")]
    assert written == [
        (f"[{kind.label}]({kind.name}.md)", f"`{kind.name}`", kind.description) for kind in table
    ]


def shown_settings(kind: Any) -> list[tuple[str, str, str]]:
    """Return (label, `name`, default) of each setting of a kind: the label of its field in the panel, empty where it
    has none of its own, and what it is in words where nobody has touched it."""
    fields = kind.Form.base_fields
    return [
        (
            str(fields[name].label or pretty_name(name)) if name in fields else "",
            f"`{name}`",
            _in_words(setting.get_default(call_default_factory=True), fields.get(name)),
        )
        for name, setting in kind.Settings.model_fields.items()
    ]


def _in_words(value: Any, field: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    named = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    if str(value) in named:
        return named[str(value)].lower() if not named[str(value)].isupper() else named[str(value)]
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    return "an example" if "\n" in str(value) else str(value)


@pytest.mark.parametrize(
    ("folder", "table"), [("steps", STEP_KINDS), ("triggers", TRIGGER_KINDS), ("success", SUCCESS_KINDS)]
)
def test_the_settings_of_every_kind_are_in_its_page_by_label_name_and_default(
    folder: str, table: Any
) -> None:
    for kind in table:
        path, settings = DOCS / folder / f"{kind.name}.md", shown_settings(kind)
        has_table = "\n## Settings\n" in path.read_text()
        assert has_table == bool(settings), path
        written = rows(path, "\n## Settings\n") if has_table else []
        assert [tuple(row[1:3]) for row in written] == [row[1:] for row in settings], path
        for (label, _, _), (shown, _, _, meaning) in zip(settings, written, strict=True):
            assert shown == label or not label, path
            assert shown, path
            assert meaning, path


def test_the_table_of_steps_names_their_licences() -> None:
    assert [row[3] for row in rows(DOCS / "steps" / "README.md")] == [kind.licence for kind in STEP_KINDS]


def test_the_table_of_success_says_what_is_a_state() -> None:
    written = [row[3] for row in rows(DOCS / "success" / "README.md")]
    assert written == ["state" if kind.is_state else "event" for kind in SUCCESS_KINDS]


def test_the_drop_out_reasons_and_verdicts_are_the_codes() -> None:
    states = DOCS / "state-machines.md"
    reasons = [(row[0].strip("`"), row[1]) for row in rows(states, "### Drop-out reasons")]
    assert reasons == [(reason.value, str(reason.label)) for reason in Participant.DropReason]
    verdicts = [(row[0].strip("`"), row[1]) for row in rows(states, "### Verdicts")]
    assert verdicts == [(verdict.value, str(verdict.label)) for verdict in Suggestion.Verdict]
