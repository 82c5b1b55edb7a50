"""What compiling needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from content.compile import Result, Source, compile_email
from content.tree import tag_tree

Compile = Callable[..., Result]


def mail(inside: str) -> str:
    """Return an email whose text begins on line 2."""
    head = "<mjml><mj-body><mj-section><mj-column><mj-text>"
    return f"{head}\n{inside}</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.fixture
def compiled() -> Compile:
    """Compile a source: compiled(mjml, subject=…, own_text=…)."""

    def run(mjml: str, *, subject: str = "News", preheader: str = "", own_text: str | None = None) -> Result:
        return compile_email(Source(subject, mjml, preheader, own_text), tree=tag_tree([]))

    return run
