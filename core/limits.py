"""How often something may be done: counted in Redis, so that all web processes count together.

A limit protects, it does not decide: when Redis does not answer, everything is allowed and the log says so. Where it is
there and says nothing, one in some seconds waits for it and the others do not.
"""

from __future__ import annotations

import time

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisSilent

log = structlog.get_logger(__name__)
# After no answer nobody asks again for so long.
SILENT_SECONDS = 10
_silent = {"until": 0.0}


def within_limit(key: str, *, most: int, seconds: int) -> bool:
    """Count one more under `key` and say whether that is at most `most` since the first one, `seconds` ago at most."""
    name = f"limit:{key}"
    if time.monotonic() < _silent["until"]:
        return True
    try:
        if cache.add(name, 1, timeout=seconds):
            return most >= 1
        return int(cache.incr(name)) <= most
    except ValueError:
        # It ran out between the two calls: this is the first of a new window.
        return most >= 1
    except RedisError as error:
        if isinstance(error, RedisSilent):
            _silent["until"] = time.monotonic() + SILENT_SECONDS
        log.warning("limit_not_counted", key=key, error=repr(error))
        return True
