"""Refuse lock files that name an address: they must hold wherever packages come from; and packages without hash."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^[a-z0-9].*==", re.IGNORECASE)


def problems() -> list[str]:
    """Return one line for each fault."""
    found = []
    for path in [*sorted(ROOT.glob("requirements*.lock")), ROOT / "package-lock.json"]:
        text = path.read_text()
        found += [
            f"{path.name}:{n}: an address" for n, line in enumerate(text.splitlines(), 1) if "://" in line
        ]
        if path.suffix == ".lock":
            found += [f"{path.name}: {start.split()[0]} without hash" for start in _without_hash(text)]
        else:
            packages = json.loads(text)["packages"].items()
            found += [
                f"{path.name}: {name} without hash" for name, entry in packages if name and not _whole(entry)
            ]
    return found


def _without_hash(text: str) -> list[str]:
    lines = text.splitlines()
    return [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if PINNED.match(line) and "--hash=" not in line + after
    ]


def _whole(entry: dict[str, object]) -> bool:
    return bool(entry.get("integrity")) or bool(entry.get("inBundle"))


if __name__ == "__main__":
    lines = problems()
    print("\n".join(lines))
    sys.exit(1 if lines else 0)
