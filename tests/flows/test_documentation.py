"""The tables in docs/ are those of the code: every kind in its order, every reason and verdict by its name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

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
