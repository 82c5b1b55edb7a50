"""The child process in which tenants' scripts run; content.scripts.runner starts it, in an empty environment.

Reads one JSON from standard input and writes one JSON line for each item. Limits: memory and processor time by the
kernel, each item by a deadline that Starlark asks about, and by an alarm where a single operation does not ask. Knows
no Django, no database and no network; Starlark itself can open nothing.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
import time
from typing import Any

import starlark

MEMORY = 512 * 1024 * 1024
CPU_SECONDS = 20
MOST_RESULT, MOST_LINES, MOST_LINE, MOST_UPDATES = 2_000, 20, 200, 20
CALLS = 100


def limit() -> None:
    """Let the kernel hold the limits. Where it knows one of them not, the others still count."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def dialect() -> Any:
    """Return Starlark as it is offered: functions, lambdas, f-strings, statements at the top; no load."""
    made = starlark.Dialect.standard()
    made.enable_def = made.enable_lambda = made.enable_f_strings = made.enable_top_level_stmt = True
    made.enable_keyword_only_arguments = True
    made.enable_load = False
    return made


def run_one(ast: Any, globals_: Any, given: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run the script once; return result, log and updates, or the error."""
    log: list[str] = []

    def note(*words: object) -> None:
        if len(log) < MOST_LINES:
            log.append(" ".join(str(word) for word in words)[:MOST_LINE])

    module = starlark.Module()
    for name, value in given.items():
        module[name] = value
    module.add_callable("print", note)
    end = time.monotonic() + seconds
    options = starlark.EvalOptions(check_cancelled=lambda: time.monotonic() > end, max_callstack_size=CALLS)
    try:
        starlark.eval_with(options, module, ast, globals_)
        return {"result": read_result(module), "updates": read_updates(module), "log": log}
    except MemoryError:
        return {"error": "The script needs too much memory.", "log": log}
    except (starlark.StarlarkError, ValueError, TypeError) as error:
        late = time.monotonic() > end
        return {"error": "The script takes too long." if late else words_of(error), "log": log}


def read_result(module: Any) -> Any:
    """Return the global `result`, if it is small and plain."""
    value = module["result"]
    if len(json.dumps(value, allow_nan=False)) > MOST_RESULT:
        raise ValueError(f"result is larger than {MOST_RESULT} characters.")
    return value


def read_updates(module: Any) -> dict[str, Any]:
    """Return the global `updates`: a dict of field keys and plain values."""
    value = module["updates"]
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_UPDATES:
        raise ValueError(f"updates is a dict of at most {MOST_UPDATES} fields.")
    for key, new in value.items():
        if not isinstance(key, str) or not isinstance(new, str | int | float | bool | None):
            raise TypeError("updates has texts as keys, and texts, numbers, True, False or None as values.")
        if isinstance(new, str) and len(new) > 4_000:
            raise ValueError(f"{key}: a text has at most 4,000 characters.")
    return value


def words_of(error: Exception) -> str:
    """Return the message, with its line, without the picture of the source."""
    text = str(error)
    message = next(
        (line for line in text.splitlines() if line.startswith("error: ")),
        text.splitlines()[0] if text else "",
    )
    place = next((line for line in text.splitlines() if "--> script:" in line), "")
    line = place.partition("script:")[2].partition(":")[0]
    said = message.removeprefix("error: ").partition(", expected ")[0][:300]
    return f"Line {line}: {said}" if line.isdigit() else said


def main() -> None:
    """Parse once, then run for each item."""
    limit()
    asked = json.loads(sys.stdin.buffer.read())
    try:
        ast = starlark.parse("script", asked["source"], dialect())
    except starlark.StarlarkError as error:
        say({"syntax": words_of(error)})
        return
    say({"syntax": ""})
    extensions = [
        starlark.LibraryExtension.Json,
        starlark.LibraryExtension.Map,
        starlark.LibraryExtension.Filter,
    ]
    globals_ = starlark.Globals.extended_by(extensions)
    for item in asked["items"]:
        # Ends the process where one single operation takes too long: nothing asks about the deadline then.
        signal.setitimer(signal.ITIMER_REAL, asked["seconds"] + 1.0)
        say(
            {
                "id": item["id"],
                **run_one(ast, globals_, {**asked["shared"], **item["given"]}, asked["seconds"]),
            }
        )
    signal.setitimer(signal.ITIMER_REAL, 0)


def say(answer: dict[str, Any]) -> None:
    """Write one line, at once: what is written counts, also when the next item ends the process."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
