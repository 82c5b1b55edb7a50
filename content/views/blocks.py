"""The block editor's answers: each takes the source that the page holds, does one thing, and draws the blocks anew.

Nothing is kept here: what is saved is the source, by the editor's own form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from content.blocks import edit
from content.blocks.edit import Edited
from content.blocks.fields import summary
from content.blocks.kinds import BLOCKS, BlockKind, kind_of
from content.blocks.presets import SECTIONS
from content.blocks.tree import Document, Node, Unreadable, read_document
from content.django_forms.block import PREFIX, BlockForm
from content.markup import MAX_SOURCE
from content.problems import Problem, problem_at
from content.views.library import WRITERS, get_email

OPEN_PATH, OPEN_KIND = f"{PREFIX}-path", f"{PREFIX}-kind"


@dataclass(slots=True)
class Line:
    """A section, column or block in the list."""

    path: str
    kind: BlockKind | None
    words: str
    form: BlockForm | None = None
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Blocks:
    """The list of blocks of one source; `problem` where it cannot be read as such."""

    source: str
    lines: list[Line]
    problem: Problem | None = None


def with_open_block(data: Mapping[str, Any]) -> Edited:
    """Return the source of a posted page with the settings of its open block written in."""
    source = str(data.get("mjml", "")).replace("\r\n", "\n")
    path, kind_name = str(data.get(OPEN_PATH, "")), str(data.get(OPEN_KIND, ""))
    if not path or len(source) > MAX_SOURCE:
        return Edited(source)
    try:
        document = read_document(source)
    except Unreadable:
        return Edited(source)
    kind, node = edit.kind_at(document, path), document.find(path)
    if kind is None or node is None or kind.name != kind_name:
        return Edited(source)
    return edit.set_block(source, path, kind_name, BlockForm(kind, node, data).values())


def list_blocks(edited: Edited, *, open_path: str = "", data: Mapping[str, Any] | None = None) -> Blocks:
    """Return the blocks of a source, one of them open with its form; `data` keeps what was typed beside a problem."""
    try:
        document = read_document(edited.source)
    except Unreadable as unreadable:
        where = problem_at("mjml", edited.source, unreadable.offset, str(unreadable))
        return Blocks(edited.source, [], where)
    lines = [_line(document, str(index), node, 1) for index, node in enumerate(document.body.children)]
    _open(document, lines, open_path, edited, data)
    return Blocks(edited.source, lines)


def _line(document: Document, path: str, node: Node, depth: int) -> Line:
    kind = None if depth == 2 and node.name else kind_of(node, depth)
    line = Line(path, kind, summary(kind, node) if kind else "")
    if kind is None or kind.name == "section":
        line.lines = [
            _line(document, f"{path}.{n}", child, depth + 1) for n, child in enumerate(node.children)
        ]
    return line


def _open(
    document: Document, lines: list[Line], path: str, edited: Edited, data: Mapping[str, Any] | None
) -> None:
    for line in lines:
        node = document.find(line.path)
        if line.path == path and line.kind and node:
            line.form = BlockForm(line.kind, node, data if edited.problems else None)
            for name, text in edited.problems.items():
                line.form.add_error(name, text)
        _open(document, line.lines, path, edited, data)


@require_POST
@needs(*WRITERS)
def blocks(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Do one operation and answer with the blocks and the source."""
    email = get_email(request.member, email_id)
    data = request.POST
    before = with_open_block(data) if data.get("op") != "undo" else Edited(str(data.get("mjml", "")))
    if before.problems:
        # What was typed cannot be taken over: it stays open until it is mended.
        return _answer(request, email, before, open_path=before.path, data=data)
    try:
        done = _operation(before.source, data)
    except Unreadable:
        done = Edited(before.source)
    # What was dragged stays as it was, closed: a form that opens would move everything below it.
    opens = "" if data.get("op") == "move" else done.path
    return _answer(request, email, done, open_path=opens)


def _operation(source: str, data: Mapping[str, Any]) -> Edited:
    op, path, kind = (str(data.get(name, "")) for name in ("op", "at", "kind"))
    operations: dict[str, Callable[[], Edited]] = {
        "open": lambda: Edited(source, path),
        "insert": lambda: edit.insert_block(source, path, kind),
        "section": lambda: edit.insert_section(source, path, kind),
        "up": lambda: edit.move(source, path, up=True),
        "down": lambda: edit.move(source, path, up=False),
        "move": lambda: edit.move_to(source, path, str(data.get("to", ""))),
        "duplicate": lambda: edit.duplicate(source, path),
        "remove": lambda: edit.remove(source, path),
    }
    return operations[op]() if op in operations else Edited(source)


def _answer(
    request: TenantRequest,
    email: Any,
    edited: Edited,
    *,
    open_path: str,
    data: Mapping[str, Any] | None = None,
) -> HttpResponse:
    context = {
        "email": email, "blocks": list_blocks(edited, open_path=open_path, data=data), "said": edited.said,
        "focus": edited.path, **MENU,
    }  # fmt: skip
    return render(request, "content/blocks.html", context)


MENU = {"kinds": [kind for kind in BLOCKS if kind.new], "sections": SECTIONS}


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """A problem with the block that it belongs to; path "" where it belongs to none."""

    problem: Problem
    path: str
    label: str


def placed(problems: Any, source: str) -> list[PlacedProblem]:
    """Return problems with their blocks."""
    try:
        document = read_document(source)
    except Unreadable:
        return [PlacedProblem(problem, "", "") for problem in problems]
    starts = [0]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found = []
    for problem in problems:
        path = ""
        if problem.field == "mjml" and 0 < problem.line < len(starts):
            path = document.path_at(starts[problem.line - 1] + problem.column - 1)
        kind = edit.kind_at(document, path) if path else None
        found.append(PlacedProblem(problem, path if kind else "", kind.label if kind else ""))
    return found
