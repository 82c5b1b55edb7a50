"""How often something may be done: counted in Redis, so that all web processes count together.

A limit protects, it does not decide: when Redis does not answer, everything is allowed and the log says so.
"""

from __future__ import annotations

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


def within_limit(key: str, *, most: int, seconds: int) -> bool:
    """Count one more under `key` and say whether that is at most `most` since the first one, `seconds` ago at most."""
    name = f"limit:{key}"
    try:
        if cache.add(name, 1, timeout=seconds):
            return most >= 1
        return int(cache.incr(name)) <= most
    except ValueError:
        # It ran out between the two calls: this is the first of a new window.
        return most >= 1
    except RedisError as error:
        log.warning("limit_not_counted", key=key, error=repr(error))
        return True
