"""`python -m trial.bench …`: `manage.py bench` on empty servers of its own, which are gone afterwards.

What another run left behind (a million queued messages, as many events that nobody has taken in) would be work for
the workers that are measured, and the demo's folder would keep what this one leaves.
"""

from __future__ import annotations

import subprocess
import sys

from config.embedded.home import PROJECT
from trial.alone import folder_of_its_own


def main() -> int:
    """Return what the benchmark returned."""
    with folder_of_its_own("bench"):
        command = [sys.executable, str(PROJECT / "manage.py"), "bench", *sys.argv[1:]]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
