"""The tick: every worker process asks once a second, and one of them is heard. There is no single beat to lose."""

from __future__ import annotations

import random
import threading
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutdown

from config.celery import app

log = structlog.get_logger(__name__)

_stop = threading.Event()


def _beat() -> None:
    from django.conf import settings

    from participants.wake import first_to_say

    every = settings.TICK_SECONDS
    while not _stop.wait(every * random.uniform(0.9, 1.1)):
        try:
            # A little less than the period: with all of it, jitter would lose every other tick.
            if first_to_say("tick-turn", seconds=every * 0.8):
                # A tick that nobody took within its second is of no use to anyone.
                app.send_task("participants.tick", expires=every * 5)
        except Exception as error:  # noqa: BLE001 - a lost tick must never end the ticking
            log.warning("tick_missed", error=repr(error))


@worker_ready.connect
def start(**_: Any) -> None:
    """Begin to tick once the worker takes tasks."""
    _stop.clear()
    threading.Thread(target=_beat, name="tick", daemon=True).start()


@worker_shutdown.connect
def stop(**_: Any) -> None:
    """Stop ticking."""
    _stop.set()
