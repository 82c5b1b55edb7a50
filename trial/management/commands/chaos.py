"""`manage.py chaos --participants N --seconds S --seed K --json`: kills things at random and checks what is left."""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Run it in a process of its own, on servers of its own: these here are never touched."""

    help = "Kill workers, Valkey and PostgreSQL while a flow runs, then check that every promise held."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--participants", type=int, default=1_000)
        parser.add_argument("--seconds", type=float, default=30.0, help="for how long things are killed")
        parser.add_argument("--seed", type=int, default=None, help="the same seed kills the same things")
        parser.add_argument("--json", action="store_true", help="print one JSON line last")
        parser.add_argument("--keep", action="store_true", help="keep the folder where something is wrong")

    def handle(self, *args: Any, **options: Any) -> None:
        command = [sys.executable, "-m", "trial.chaos", "--participants", str(options["participants"])]
        command += ["--seconds", str(options["seconds"])]
        command += ["--seed", str(options["seed"])] if options["seed"] is not None else []
        command += [f"--{name}" for name in ("json", "keep") if options[name]]
        if subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode:
            raise CommandError("A promise did not hold: see above.")
