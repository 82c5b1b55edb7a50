"""Run the tests as `make test` does: on two processes, but those alone that start servers or workers of their own.

With arguments they go to pytest as they are. Must not know any test.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTHING_COLLECTED = 5


def pytest(*arguments: str) -> int:
    """Return pytest's exit code; a part without tests is no failure."""
    code = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode
    return 0 if code == NOTHING_COLLECTED else code


def main(arguments: list[str]) -> int:
    """Run the parts one after the other and return the first failure."""
    if arguments:
        return pytest(*arguments)
    processes = os.environ.get("MILLRACE_TEST_PROCESSES", "2")
    # Services tests start processes of their own: beside others they would measure the machine.
    codes = [
        pytest("-q", "-m", "not e2e and not services", "-n", processes, "--dist", "loadfile"),
        pytest("-q", "-m", "services and not e2e"),
        pytest("-q", "-m", "e2e", "-n", processes, "--dist", "worksteal"),
    ]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
