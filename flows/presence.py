"""Who has a flow open in the designer, and what they are at: kept in Redis for seconds, told to the others.

A hint, no lock: what protects the draft is its version. Lose Redis, and nobody is shown; editing goes on.
"""

from __future__ import annotations

import json
import logging
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings

log = logging.getLogger(__name__)
# A page says every 10 s that it is still open; who has not for this long has gone.
SECONDS = 25
MOST = 20
_WINDOW = re.compile(r"[0-9a-f-]{8,40}")
_PART = re.compile(r"[a-z_]{0,20}(:(start|[0-9a-f-]{0,36}))?")


@dataclass(frozen=True, slots=True)
class Present:
    """One window with the flow open: whose, and at which part."""

    window: str
    user_id: int
    name: str
    part: str


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2)


def note_present(
    *, tenant_id: int, flow_id: int, window: str, user_id: int, name: str, part: str, gone: bool = False
) -> list[Present]:
    """Keep that a window is open (or has gone); return the others, by name. Nothing is kept of a strange window."""
    if not _WINDOW.fullmatch(window):
        return []
    key, now = f"millrace:editing:{tenant_id}:{flow_id}", time.time()
    known_part = part if _PART.fullmatch(part) else ""
    said = json.dumps({"user": user_id, "name": name[:120], "part": known_part, "at": now})
    try:
        with _redis().pipeline() as pipe:
            if gone:
                pipe.hdel(key, window)
            else:
                pipe.hset(key, window, said)
            pipe.expire(key, SECONDS)
            pipe.hgetall(key)
            rows: dict[bytes, bytes] = pipe.execute()[-1]
        old = [found for found, text in rows.items() if json.loads(text)["at"] < now - SECONDS]
        if old:
            _redis().hdel(key, *old)
    except redis.RedisError:
        log.warning("presence is not kept: Redis does not answer")
        return []
    others = [_present(found.decode(), json.loads(text)) for found, text in rows.items() if found not in old]
    return sorted((one for one in others if one.window != window), key=lambda one: one.name)[:MOST]


def _present(window: str, said: dict[str, Any]) -> Present:
    return Present(window, int(said["user"]), str(said["name"]), str(said["part"]))
