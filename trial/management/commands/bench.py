"""`manage.py bench engine --participants N --workers W --json`: figures, the last line as JSON."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from trial.bench.engine import engine


class Command(BaseCommand):
    """Run one benchmark on a throw-away tenant."""

    help = "Measure the engine against hand-written SQL doing the same row changes in the same run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        benches = parser.add_subparsers(dest="bench", required=True)
        one = benches.add_parser("engine", help="six steps with guards, real workers")
        one.add_argument("--participants", type=int, default=100_000)
        one.add_argument("--workers", type=int, default=2)
        one.add_argument("--json", action="store_true", help="print one JSON line last")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        figures = engine(participants=options["participants"], workers=options["workers"])
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name:>24}  {value:,}")
