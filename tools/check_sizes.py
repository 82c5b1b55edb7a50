"""Keep the pieces small: no function over 60 lines, no module over 400, docstrings."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [
    "config",
    "trial",
    "reporting",
    "participants",
    "flows",
    "content",
    "delivery",
    "crm",
    "accounts",
    "core",
]
MOST_IN_FUNCTION, MOST_IN_MODULE = 60, 400


def modules() -> list[Path]:
    """Return the project's own modules, migrations left out: those are generated."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def problems_in(path: Path) -> Iterator[str]:
    """Yield one line for each piece that is too long or has no docstring."""
    text = path.read_text()
    name = path.relative_to(ROOT)
    tree = ast.parse(text)
    length = len(text.splitlines())
    if length > MOST_IN_MODULE:
        yield f"{name}: {length} lines; split it by what it does (at most {MOST_IN_MODULE})"
    if tree.body and path.name != "apps.py" and not ast.get_docstring(tree):
        yield f"{name}:1: no docstring that says what the module is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MOST_IN_FUNCTION:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines (at most {MOST_IN_FUNCTION})"


if __name__ == "__main__":
    found = [line for path in modules() for line in problems_in(path)]
    print("\n".join(found))
    sys.exit(1 if found else 0)
