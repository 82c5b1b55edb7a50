"""What the documentation names is there: variables, targets, tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
READ = re.compile(
    r"""env\.\w+\(\s*"([A-Z_]+)"|from_url\("([A-Z_]+)"|environ(?:\.get\(|\[)"(MILLRACE_[A-Z_]+)"""
)
# Given to one command and described beside it, or handed from process to process.
ELSEWHERE = {"MILLRACE_TEST_REDIS"}


def test_every_variable_that_the_code_reads_stands_in_the_operations_page() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    found = {
        next(name for name in match.groups() if name)
        for folder in ("config", "core", "trial")
        for path in (ROOT / folder).rglob("*.py")
        for match in READ.finditer(path.read_text())
    }
    assert len(found) > 15
    assert {name for name in found - ELSEWHERE if name not in text} == set()


def test_make_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))
    described = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    assert targets == described
    assert targets >= {"setup", "demo", "demo-reset", "test", "check", "bench", "lock", "format", "help"}


def test_the_page_on_bad_input_names_tests_that_there_are() -> None:
    text = (ROOT / "docs" / "bad-input.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 30
    missing = [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []
