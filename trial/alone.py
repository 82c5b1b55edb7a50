"""A folder of its own for a run that fills tables or kills servers: never the servers, or the data, of whoever calls.

Must not know Django: it prepares the environment that Django is then started in.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

OURS = re.compile(r"^(DATABASE_|REDIS_URL$|MILLRACE_|DJANGO_)")


@dataclass
class Alone:
    """The folder of a run. It stays where `keep` is set, for somebody who looks for a fault in its logs."""

    folder: Path
    keep: bool = False


@contextmanager
def folder_of_its_own(what: str) -> Iterator[Alone]:
    """Yield a new folder whose `home` is this process's and its children's MILLRACE_HOME; remove it at the end.

    The variables that named other servers are gone from this process.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"millrace-{what}-"))
    folder.chmod(0o755)
    for name in [name for name in os.environ if OURS.match(name)]:
        del os.environ[name]
    os.environ.update(
        MILLRACE_HOME=str(folder / "home"), MILLRACE_TRIAL="1", DJANGO_SETTINGS_MODULE="config.settings"
    )
    # Whoever ends this run ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    alone = Alone(folder)
    try:
        yield alone
    finally:
        if not alone.keep:
            shutil.rmtree(folder, ignore_errors=True)
