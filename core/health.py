"""Health for machines: live (this process answers), ready (everything it needs works), metrics (Prometheus).

Upper rooms add what only they can measure by a dotted path in settings.HEALTH_PROBES: {"oldest_due_seconds": "…"}.
A probe takes the real time and returns a number, or None where there is nothing to measure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from core import clock

log = structlog.get_logger(__name__)
TICK_KEY = "millrace:tick"
TICK_TOO_OLD = 30
BROKER_SECONDS = 2


@dataclass
class Health:
    """What was found: parts that work or not, and numbers. `ready` is the verdict."""

    parts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether every part works."""
        return all(state == "ok" for state in self.parts.values())


def examine(now: dt.datetime) -> Health:
    """Ask the database, the broker and the probes; nothing here raises."""
    health = Health()
    _try(health, "database", DatabaseError, _ask_database)
    _try(health, "broker", redis.RedisError, lambda: _ask_broker(health, now))
    if health.parts["database"] == "ok":
        _try(health, "probes", DatabaseError, lambda: _ask_probes(health, now))
    age = health.numbers.get("tick_age_seconds")
    health.parts["workers"] = "ok" if age is not None and age <= TICK_TOO_OLD else "silent"
    return health


def _try(health: Health, part: str, fault: type[Exception], ask: Callable[[], None]) -> None:
    try:
        ask()
        health.parts[part] = "ok"
    except fault as error:
        # The reason may name hosts: it goes into the log, not to whoever asks.
        log.warning("health_part_failed", part=part, error=repr(error))
        health.parts[part] = "failed"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker(health: Health, now: dt.datetime) -> None:
    client: Any = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
    )
    with client:
        tick = client.get(TICK_KEY)
        health.numbers["queue_length"] = float(client.llen(settings.CELERY_QUEUE))
    if tick is not None:
        health.numbers["tick_age_seconds"] = max(0.0, now.timestamp() - float(tick))


def _ask_probes(health: Health, now: dt.datetime) -> None:
    for name, path in settings.HEALTH_PROBES.items():
        found = import_string(path)(now)
        if found is not None:
            health.numbers[name] = float(found)


def current() -> Health:
    """Examine now."""
    return examine(clock.now())
