"""Run every check that needs no test: style, types, layers, migrations, templates, lock files, sizes.

All of them run, so that one look shows everything; the exit code says whether any failed. Must not know how a
check does its work: what is more than a command stands in a module of its own beside this one.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.embedded import ensure_environment  # noqa: E402

PY = sys.executable
CHECKS: dict[str, list[str]] = {
    "format": [PY, "-m", "ruff", "format", "--check", "--quiet", "."],
    "lint": [PY, "-m", "ruff", "check", "--quiet", "."],
    "types": [PY, "-m", "mypy"],
    "layers": [str(Path(PY).parent / "lint-imports")],
    "migrations": [PY, "manage.py", "makemigrations", "--check", "--dry-run"],
    "templates": [PY, "-m", "tools.check_templates"],
    "lock files": [PY, "-m", "tools.check_locks"],
    "sizes": [PY, "-m", "tools.check_sizes"],
}


def main(names: list[str]) -> int:
    """Run the named checks, or all, and print one line for each."""
    # One start of the servers for all that ask the database.
    ensure_environment()
    failed = []
    for name, command in CHECKS.items():
        if names and name not in names:
            continue
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        print(
            f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name} ({time.monotonic() - began:.1f} s)",
            flush=True,
        )
        if done.returncode:
            failed.append(name)
            print((done.stdout + done.stderr).strip(), flush=True)
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
