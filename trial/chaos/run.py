"""One chaos run: world, workers, kills at random moments, quiet, audit."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.db import DatabaseError, connections

from trial.chaos import world as worlds
from trial.chaos.audit import audit
from trial.chaos.machine import Machine
from trial.chaos.sinks import Sinks

TARGETS = ("child", "child", "worker", "valkey", "postgres")
STEP_AHEAD = dt.timedelta(minutes=2)
"""How far the tenant's clock goes ahead once a second: waits of minutes take seconds."""
QUIET_SECONDS = 900.0
"""How long the work may take to come to its end, if nothing else is said."""


class NotQuiet(Exception):
    """The work did not come to an end."""


@dataclass
class Chaos:
    """The state of a run."""

    machine: Machine
    world: worlds.World
    dice: random.Random
    say: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)
    in_the_air: int = 0

    def go(self, seconds: float, *, rest: float = QUIET_SECONDS) -> None:
        """Kill at random moments for so many seconds, then let everything come to rest; raise NotQuiet if that takes
        longer than `rest` seconds."""
        end = time.monotonic() + seconds
        acted = False
        while time.monotonic() < end:
            self._live(self.dice.uniform(0.5, max(1.0, seconds / 12)))
            self._kill(self.dice.choice(TARGETS))
            if not acted:
                acted = self._try(lambda: worlds.act(self.world))
        if not acted:
            worlds.act(self.world)
        self._rest(rest)

    def _live(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.machine.look_after_workers()
            self._try(lambda: worlds.pass_time(self.world, STEP_AHEAD))
            time.sleep(min(1.0, max(0.0, end - time.monotonic())))

    def _kill(self, target: str) -> None:
        unknown = self._count("unknown")
        if self.machine.kill(target, self.dice):
            self.kills[target] += 1
            # Whoever is faster than this look has made them unknown already.
            self.in_the_air += self._count("sending") + max(0, self._count("unknown") - unknown)
            self.say(f"killed {target}")

    def _count(self, status: str) -> int:
        return self._ask(f"SELECT count(*) FROM delivery_message WHERE status = '{status}'")

    def _ask(self, sql: str) -> int:
        for _ in range(100):
            try:
                with psycopg.connect(self.machine.superuser_url, autocommit=True) as session:
                    row = session.execute(sql.encode()).fetchone()
                    return int(row[0]) if row else 0
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise NotQuiet("PostgreSQL does not answer")

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except DatabaseError:
            connections.close_all()
            return False
        return True

    def _rest(self, seconds: float) -> None:
        """Wait until nothing is left to do."""
        deadline = time.monotonic() + seconds
        while left := self._ask(_LEFT):
            if time.monotonic() > deadline:
                raise NotQuiet(f"{left} pieces of work are left after {seconds:.0f} s")
            self._live(1.0)


_LEFT = """
SELECT (SELECT count(*) FROM participants_participant WHERE status = 'active')
     + (SELECT count(*) FROM delivery_message WHERE status IN ('queued', 'sending'))
     + (SELECT count(*) FROM delivery_outgoingwebhook WHERE status = 'queued')
     + (SELECT count(*) FROM crm_eventinbox)
     + (SELECT count(*) FROM core_job WHERE status IN ('waiting', 'running'))
"""


def run(
    *,
    machine: Machine,
    sinks: Sinks,
    participants: int,
    seconds: float,
    seed: int,
    say: Callable[[str], None],
    rest: float = QUIET_SECONDS,
) -> tuple[dict[str, Any], list[str]]:
    """Return the figures and what is wrong."""
    start = time.monotonic()
    share = 100 if participants <= 2_000 else max(1, 200_000 // participants)
    world = worlds.make_world(participants=participants, talk_share=share, hook_port=sinks.hook_port)
    say(f"the world is made ({time.monotonic() - start:.0f} s); {share} % go by the steps that send")
    chaos = Chaos(machine, world, random.Random(seed), say)
    machine.look_after_workers()
    worlds.enrol(world)
    chaos.go(seconds, rest=rest)
    found = audit(
        machine.superuser_url, sinks.received, flow_id=world.flow.pk, enrolled=participants,
        in_the_air=chaos.in_the_air,
    )  # fmt: skip
    figures = {
        "participants": participants,
        "kills": chaos.kills.total(),
        "killed": dict(sorted(chaos.kills.items())),
        "messages": sinks.received.mails.total() + sinks.received.texts.total(),
        "webhooks": sinks.received.called.total(),
        "duplicates": found.duplicates,
        "lost": found.lost,
        "unknown": found.unknown,
        "in_the_air": chaos.in_the_air,
        "seed": seed,
        "seconds": round(time.monotonic() - start, 1),
    }
    return figures, found.wrong
