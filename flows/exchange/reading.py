"""Reading a flow file: whatever is handed in, it is a valid file or a list of what is wrong, each with its place.

Nothing of a file is believed: sizes, depths, types, kinds, and that it names nothing it does not tell of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError as Refused
from django.core.validators import validate_email
from pydantic import ValidationError

from flows.document import FlowDocument, MessageSettings
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit
from flows.exchange.branches import branch_problems
from flows.exchange.export import canonical
from flows.exchange.naming import named_at
from flows.exchange.schema import FORMAT, MOST_BYTES, VERSION, FlowFile
from flows.exchange.table import USED_KINDS
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS

DEEPEST: Final = 100
LONGEST_TEXT: Final = 400_000
LARGEST: Final = 10**12
MOST_SHOWN: Final = 20
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_ONE_LINE = frozenset({"name", "title", "subject", "preheader", "label", "sms_sender", "heading"})


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What is wrong, and where in the file (empty: the file as a whole)."""

    place: str
    message: str


class BadFile(Exception):
    """The file cannot be read; nothing was changed."""

    def __init__(self, problems: Sequence[FileProblem]) -> None:
        super().__init__("; ".join(f"{one.place}: {one.message}" for one in problems))
        self.problems = list(problems)[:MOST_SHOWN]
        self.more = max(0, len(problems) - MOST_SHOWN)


def read_file(data: bytes) -> FlowFile:
    """Return a file that is whole in itself, settings written out as their kinds read them. Raises BadFile."""
    plain = _plain(data)
    _raise(list(_impossible(plain, "")))
    try:
        file = FlowFile.model_validate(plain)
    except ValidationError as error:
        _raise([FileProblem(_place(e["loc"], plain), e["msg"]) for e in error.errors()])
        raise
    _raise(list(_unknown_kinds(file)))
    try:
        document = canonical(checked(file.document))
    except IllegalEdit as refused:
        raise BadFile([FileProblem("document", str(refused))]) from None
    file = file.model_copy(update={"document": document})
    _raise([*_document_problems(document), *_uses_problems(file)])
    _raise(list(_untold(file)))
    return file


def _raise(problems: list[FileProblem]) -> None:
    if problems:
        raise BadFile(problems)


def _plain(data: bytes) -> dict[str, Any]:
    def whole(message: str) -> BadFile:
        return BadFile([FileProblem("", message)])

    if len(data) > MOST_BYTES:
        raise whole(f"The file is larger than {MOST_BYTES // 1024 // 1024} MB.")
    try:
        text = data.decode("utf-8-sig")
        if _depth(text) > DEEPEST:
            raise whole(f"The file is nested more than {DEEPEST} deep.")
        plain = json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise whole("This is no flow file: it is not written in UTF-8.") from None
    except json.JSONDecodeError as error:
        raise whole(
            f"This is no flow file: line {error.lineno}, column {error.colno} is no JSON ({error.msg})."
        ) from None
    except (ValueError, RecursionError):
        raise whole("This is no flow file: it holds a number that cannot be read.") from None
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise whole("This is no flow file. A flow file comes from a flow's menu: Export to a file.")
    if plain.get("version") != VERSION:
        raise whole(
            f"The file is of version {str(plain.get('version'))[:20]}, and only version {VERSION} can be read here."
        )
    return plain


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _depth(text: str) -> int:
    deep = most = 0
    for found in _BRACKETS.finditer(text):
        mark = found.group()
        if mark in "[{":
            deep += 1
            most = max(most, deep)
        elif mark in "]}":
            deep -= 1
    return most


def _impossible(value: Any, place: str, name: str = "") -> Iterator[FileProblem]:
    """Yield what no column or page can hold, whatever it stands for."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _impossible(inner, f"{place}, {key[:40]}" if place else key[:40], key)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from _impossible(inner, f"{place} {number}", name)
    elif isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            yield FileProblem(place, "Holds a character that is none.")
        elif len(value) > LONGEST_TEXT:
            yield FileProblem(place, f"Is longer than {LONGEST_TEXT:,} characters.")
        elif name in _ONE_LINE and re.search(r"[\r\n\v\f\x85\u2028\u2029]", value):
            yield FileProblem(place, "Has to be one line.")
    elif isinstance(value, int | float) and not -LARGEST <= value <= LARGEST:
        yield FileProblem(place, "Is a number beyond all measure.")


def _place(loc: Sequence[int | str], plain: Any) -> str:
    """Return `document, steps 2 “Wait”, settings`: positions count from 1, and what has a title says it."""
    words = ""
    for part in loc:
        try:
            plain = plain[part]
        except (KeyError, IndexError, TypeError):
            plain = None
        if isinstance(part, int):
            called = plain.get("title") or plain.get("name") if isinstance(plain, dict) else None
            words += f" {part + 1}" + (f" “{called[:60]}”" if isinstance(called, str) and called else "")
        else:
            words += f"{', ' if words else ''}{part}"
    return words


def _unknown_kinds(file: FlowFile) -> Iterator[FileProblem]:
    for what, kinds, parts in (
        ("step", STEP_KINDS, list(file.document.walk())),
        ("trigger", TRIGGER_KINDS, file.document.triggers),
        ("success criterion", SUCCESS_KINDS, file.document.success),
    ):
        for part in parts:
            if part.kind not in kinds:
                title = getattr(part, "title", "")
                place = f"{what} “{title[:60]}”" if title else what
                yield FileProblem(place, f"There is no kind of {what} “{part.kind[:40]}”.")
    for used in file.uses:
        if used.kind not in USED_KINDS:
            yield FileProblem(f"uses “{used.name[:60]}”", f"A flow uses no “{used.kind}”.")


def _document_problems(document: FlowDocument) -> Iterator[FileProblem]:
    for node in document.walk():
        place = f"step “{node.title[:60]}”"
        if not 0 < len(node.title) <= 200:
            yield FileProblem(place, "A step has a title of 200 characters at most.")
        yield from (FileProblem(place, text) for text in _settings_problems(STEP_KINDS[node.kind], node))
        yield from (FileProblem(place, text) for text in branch_problems(node))
    for trigger in document.triggers:
        texts = _settings_problems(TRIGGER_KINDS[trigger.kind], trigger)
        yield from (FileProblem(f"trigger “{trigger.kind}”", text) for text in texts)
    for criterion in document.success:
        texts = _settings_problems(SUCCESS_KINDS[criterion.kind], criterion)
        yield from (FileProblem(f"success criterion “{criterion.kind}”", text) for text in texts)
    settings = document.settings
    try:
        ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield FileProblem("settings, timezone", f"There is no timezone “{settings.timezone[:60]}”.")
    for name in ("starts_at", "enrolment_ends_at"):
        moment = getattr(settings, name)
        if moment is not None and moment.tzinfo is None:
            yield FileProblem(f"settings, {name}", "Needs an offset, as in 2026-11-02T09:00:00Z.")
    yield from _message_problems(settings.messages)


def _settings_problems(kind: Any, part: Any) -> Iterator[str]:
    try:
        kind.settings(part)
    except ValidationError as error:
        for one in error.errors():
            yield f"{', '.join(str(name) for name in one['loc'])}: {one['msg']}"
        return
    for name, value in part.settings.items():
        # Spans of time and the like; ids have passed as numbers of the file.
        if isinstance(value, int) and abs(value) > 1_000_000:
            yield f"{name}: is a number beyond all measure."


def _message_problems(messages: MessageSettings) -> Iterator[FileProblem]:
    for place, address in (("sender", messages.sender.email), ("reply_to", messages.reply_to.email)):
        try:
            if address:
                validate_email(address)
        except Refused:
            yield FileProblem(f"settings, messages, {place}", "Is no e-mail address.")
    days = messages.timeframe.weekdays if messages.timeframe else ()
    if any(not 0 <= day <= 6 for day in days):
        yield FileProblem("settings, messages, timeframe", "Weekdays are 0 (Monday) to 6.")


def _uses_problems(file: FlowFile) -> Iterator[FileProblem]:
    seen = set()
    for used in file.uses:
        place = f"uses “{used.name[:60]}” ({USED_KINDS[used.kind].label.lower()} {used.id})"
        if used.key in seen:
            yield FileProblem(place, "Is told twice.")
        seen.add(used.key)
        if not used.name.strip() and not used.gone:
            yield FileProblem(place, "Has no name.")
        if used.gone:
            continue
        try:
            USED_KINDS[used.kind].Data.model_validate(used.data)
        except ValidationError as error:
            for one in error.errors():
                yield FileProblem(place, f"{', '.join(str(name) for name in one['loc'])}: {one['msg']}")


def _untold(file: FlowFile) -> Iterator[FileProblem]:
    """Yield what the document, or something that it uses, names and the file does not tell."""
    for place, named in named_at(file):
        for kind, number in named:
            if file.used(kind, number) is None:
                what = f"{USED_KINDS[kind].label.lower()} {number}"
                yield FileProblem(place, f"Names {what}, of which the file does not tell.")
