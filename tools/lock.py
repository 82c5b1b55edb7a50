"""Write the lock files: one hash-locked requirements file per set, and package-lock.json.

The files name versions and hashes but no index and no address, so they hold wherever packages come from.
Knows the sets; must not know how they are installed (tools/setup.py does).
"""

import json
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The widest set comes first and constrains the others, so all of them agree on versions.
SETS: dict[str, list[str]] = {
    "requirements-dev.lock": ["pyproject.toml", "--group", "embedded", "--group", "dev"],
    "requirements-embedded.lock": ["pyproject.toml", "--group", "embedded"],
    "requirements.lock": ["pyproject.toml"],
    "requirements-uv.lock": ["--group", "uv"],
    "requirements-node.lock": ["--group", "node"],
}
FLAGS = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-annotate",
]


def find_uv() -> str:
    for candidate in (shutil.which("uv"), ROOT / ".millrace" / "bootstrap" / "bin" / "uv"):
        if candidate and Path(candidate).exists():
            return str(candidate)
    raise SystemExit("uv was not found: run `make setup` first.")


def lock_python(uv: str) -> None:
    widest = next(iter(SETS))
    for name, source in SETS.items():
        constraint = (
            []
            if name in (widest, "requirements-uv.lock", "requirements-node.lock")
            else ["--constraint", widest]
        )
        command = [uv, "pip", "compile", "--quiet", "--no-header", *FLAGS, *source, *constraint, "-o", name]
        subprocess.run(command, cwd=ROOT, check=True)


def lock_node() -> None:
    subprocess.run(["npm", "install", "--package-lock-only", "--ignore-scripts"], cwd=ROOT, check=True)
    path = ROOT / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
        package.pop("resolved", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")


if __name__ == "__main__":
    lock_python(find_uv())
    lock_node()
