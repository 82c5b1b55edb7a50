"""One Redis database number for each test process, so that runs side by side do not see each other's queues."""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import redis

# Number 0 belongs to whoever uses the server for real. Sixteen is what an unconfigured server offers.
NUMBERS = range(1, 16)
_held: list[IO[str]] = []


def claim_redis_database() -> str:
    """Return the server's address with a number that no living test process uses, emptied."""
    base = os.environ.setdefault("MILLRACE_TEST_REDIS", os.environ["REDIS_URL"])
    parts = urlsplit(base)
    folder = Path(tempfile.gettempdir()) / f"millrace-test-redis-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in NUMBERS:
        handle = (folder / f"{parts.port or 6379}-{number}").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            continue
        # Kept open until the process ends: the kernel then lets go of the lock.
        _held.append(handle)
        url = parts._replace(path=f"/{number}").geturl()
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return url
    raise RuntimeError("Fifteen test processes use this Redis already.")
