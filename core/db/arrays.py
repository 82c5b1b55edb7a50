"""Lists as PostgreSQL arrays, fast: psycopg's own dumper quotes each element with regular expressions, which costs
more than the statement for thousands of rows.

Only what set-based SQL passes: None, numbers, bools, text, dates, UUIDs, Jsonb. The SQL casts every array parameter.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from typing import Any

from psycopg.adapt import Dumper
from psycopg.types.json import Jsonb


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _array_of_texts(values: Sequence[str]) -> str:
    """Quote all at once; one by one only where some text holds a quote or a backslash."""
    text = '{"' + '","'.join(values) + '"}'
    if "\\" in text or text.count('"') != 2 * len(values):
        text = "{" + ",".join(map(_quoted, values)) + "}"
    return text


_TEXT: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    int: str,
    float: str,
    Decimal: str,
    bool: lambda value: "t" if value else "f",
    str: _quoted,
    uuid.UUID: str,
    dt.date: str,
    dt.datetime: lambda value: f'"{value}"',
    dt.time: str,
    Jsonb: lambda value: _quoted(json.dumps(value.obj, default=str, ensure_ascii=False)),
}


def _text_of(value: Any) -> str:
    kind = type(value)
    if kind not in _TEXT and isinstance(value, Enum):
        return _text_of(value.value)
    return _TEXT[kind](value)


def array_text(values: Sequence[Any]) -> str:
    """Return a one-dimensional array literal; raises TypeError for a type that has no text here."""
    try:
        kinds = set(map(type, values))
        if kinds == {int}:
            return "{" + ",".join(map(str, values)) + "}"
        if kinds == {str}:
            return _array_of_texts(values)
        if not kinds:
            return "{}"
        if values and values.count(values[0]) == len(values) and len(kinds) == 1:
            return "{" + ",".join([_text_of(values[0])] * len(values)) + "}"
        # Batches repeat their steps, moments and words: the same object is written once.
        seen: dict[int, str] = {}
        parts = []
        for value in values:
            text = seen.get(id(value))
            if text is None:
                text = seen[id(value)] = _text_of(value)
            parts.append(text)
    except KeyError as error:
        raise TypeError(f"{error.args[0]!r} cannot be an element of an array parameter.") from None
    return "{" + ",".join(parts) + "}"


class ArrayDumper(Dumper):
    """Dumps a list as an array literal of unknown type, which the cast in the SQL names."""

    def dump(self, obj: list[Any]) -> bytes:
        return array_text(obj).encode()
