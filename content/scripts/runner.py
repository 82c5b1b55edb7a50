"""Runs a tenant's script for many at once, in one child process; a child that its script kills is started anew for
the rest. Knows processes and JSON; must not know the database.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")
# For one contact, and for one call of many.
SECONDS_EACH, SECONDS_ALL = 0.1, 3.0
CHECK_SECONDS = 10.0
KILLED = "The script needs too much memory or time."


@dataclass(frozen=True, slots=True)
class Item:
    """A contact to run for: the values that only this one has."""

    id: int
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one run."""

    result: Any = None
    updates: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    error: str = ""


def syntax_problem(source: str) -> str:
    """Return what is wrong with a script's syntax, with its line, or nothing. Also parsing happens in the child."""
    answers, _ = _call(source, [], {}, time.monotonic() + CHECK_SECONDS)
    return str(answers[0]["syntax"]) if answers else KILLED


def run_script(
    source: str, items: Sequence[Item], *, shared: Mapping[str, Any], seconds: float = SECONDS_ALL
) -> dict[int, Ran]:
    """Run for each item; return what became of those that had their turn within `seconds`, by id.

    Never raises for what a script does. An item whose script ends the child has failed; the others go on in a new one.
    """
    until = time.monotonic() + seconds
    left, done = list(items), dict[int, Ran]()
    while left and time.monotonic() < until:
        answers, in_time = _call(source, left, shared, until)
        if answers and answers[0].get("syntax"):
            return {item.id: Ran(error=answers[0]["syntax"]) for item in items}
        done |= {answer["id"]: _ran(answer) for answer in answers[1:]}
        left = [item for item in left if item.id not in done]
        if left and in_time:
            done[left.pop(0).id] = Ran(error=KILLED)
        elif not in_time:
            break
    return done


def _ran(answer: Mapping[str, Any]) -> Ran:
    return Ran(
        result=answer.get("result"),
        updates=answer.get("updates") or {},
        log=tuple(answer.get("log") or ()),
        error=str(answer.get("error") or ""),
    )


def _call(
    source: str, items: Sequence[Item], shared: Mapping[str, Any], until: float
) -> tuple[list[dict[str, Any]], bool]:
    """Return the child's answers, and whether it ended by itself in time."""
    asked = {
        "source": source,
        "seconds": SECONDS_EACH,
        "shared": dict(shared),
        "items": [{"id": item.id, "given": dict(item.given)} for item in items],
    }
    # Isolated, in an empty environment: no settings, no secrets, no modules of ours can be found from there.
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _START, *_paths(), str(CHILD)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/", env={},
        start_new_session=True,
    )  # fmt: skip
    in_time = True
    try:
        out, _ = child.communicate(json.dumps(asked).encode(), timeout=max(0.05, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        in_time = False
        child.kill()
        out, _ = child.communicate()
    return _answers(out), in_time


# -S leaves site-packages out; the child needs one library of it, and nothing runs from .pth files.
_START = (
    "import runpy, sys; p = sys.argv[1:-1]; f = sys.argv[-1]; sys.argv = [f]; sys.path += p; "
    "runpy.run_path(f, run_name='__main__')"
)


def _paths() -> list[str]:
    import starlark

    return [str(Path(starlark.__file__).parent.parent)]


def _answers(out: bytes) -> list[dict[str, Any]]:
    found = []
    for line in out.splitlines():
        try:
            found.append(_storable(json.loads(line)))
        except ValueError:
            # The child was ended in the middle of a line.
            break
    return found


def _storable(value: Any) -> Any:
    """Return a plain value without NUL characters in it: the database takes none, and a script may make some."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value
