"""Waking: the broker is told that there is work; what the work is stands in PostgreSQL. Lose Redis, lose nothing."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings

WAKE_SECONDS = 5


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5)


def first_to_say(key: str, *, seconds: float = WAKE_SECONDS) -> bool:
    """Say whether nobody else has said this within the last seconds: one wake for many commits."""
    return bool(_redis().set(f"millrace:{key}", 1, nx=True, px=int(seconds * 1000)))


def taken_up(key: str) -> None:
    """Forget that it was said: the first act of the task, so that what comes later wakes again."""
    _redis().delete(f"millrace:{key}")


def note_tick(now_seconds: float) -> None:
    """Keep the moment of the last tick for /health/ready."""
    _redis().set("millrace:tick", now_seconds)


def wake_engine(tenant_id: int) -> None:
    """Ask for one batch of the tenant's flows, unless that was asked for already."""
    from participants.tasks import take_turn

    if first_to_say(f"turn:{tenant_id}"):
        take_turn.delay(tenant_id)


def wake_intake(*, tenant_id: int) -> None:
    """Ask for one slice of the tenant's inbox."""
    from participants.tasks import take_inbox

    if first_to_say(f"intake:{tenant_id}"):
        take_inbox.delay(tenant_id)
