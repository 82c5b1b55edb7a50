"""`python -m trial.chaos`: one run in a folder of its own; what it prints last is one JSON line."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from pathlib import Path

from trial.alone import folder_of_its_own


def main() -> int:
    """Return 0 where every promise held, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long things are killed")
    parser.add_argument(
        "--rest", type=float, default=900.0, help="for how long at most everything then comes to rest"
    )
    parser.add_argument("--seed", type=int, default=None, help="the same seed kills the same things")
    parser.add_argument("--json", action="store_true", help="print one JSON line last")
    parser.add_argument(
        "--keep", action="store_true", help="keep the folder, with the logs, where something is wrong"
    )
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    with folder_of_its_own("chaos") as alone:
        alone.keep = options.keep
        wrong = _run(options, alone.folder, seed)
        alone.keep = options.keep and bool(wrong)
    return 1 if wrong else 0


def _run(options: argparse.Namespace, folder: Path, seed: int) -> list[str]:
    from trial.chaos.machine import Machine
    from trial.chaos.sinks import Sinks

    machine = Machine.open()
    try:
        sinks = Sinks(folder)
        sinks.start()
        os.environ.update(sinks.environment())
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        from trial.chaos.run import NotQuiet, run

        call_command("migrate", database="owner", verbosity=0)
        connections["owner"].close()
        try:
            figures, wrong = run(
                machine=machine, sinks=sinks, participants=options.participants, seconds=options.seconds, seed=seed,
                say=_say, rest=options.rest,
            )  # fmt: skip
        except NotQuiet as problem:
            figures, wrong = {"participants": options.participants, "seed": seed}, [str(problem)]
        connections.close_all()
    finally:
        machine.close()
    for text in wrong[:30]:
        _say(f"WRONG: {text}")
    if wrong and options.keep:
        _say(f"kept: {folder}")
    if options.json:
        print(json.dumps(figures), flush=True)
    else:
        _say("\n".join(f"{name:>14}  {value}" for name, value in figures.items()))
    return wrong


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
