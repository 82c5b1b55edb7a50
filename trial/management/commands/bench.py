"""`manage.py bench NAME …`: one benchmark, its figures; with --json one JSON line last."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from trial.bench.criteria import criteria
from trial.bench.designer import designer
from trial.bench.engine import engine
from trial.bench.enrol import enrol
from trial.bench.forms import forms
from trial.bench.growth import SIZES, growth
from trial.bench.imports import SAMPLE, import_contacts
from trial.bench.intake import intake
from trial.bench.pages import pages
from trial.bench.send import send
from trial.bench.track import THREADS, track


class Command(BaseCommand):
    """Run one benchmark on a throw-away tenant."""

    help = (
        "Measure the engine or criteria against hand-written SQL in the same run, or the import of contacts."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        benches = parser.add_subparsers(dest="bench", required=True)
        one = benches.add_parser("engine", help="six steps with guards, real workers")
        one.add_argument("--participants", type=int, default=100_000)
        one.add_argument("--workers", type=int, default=2)
        two = benches.add_parser("import", help="contacts from a CSV file, one real worker")
        two.add_argument("--rows", type=int, default=10_000)
        two.add_argument("--file", type=Path, default=SAMPLE, help="a UTF-8 CSV (the tests' sample)")
        three = benches.add_parser("enrol", help="a selection added to a flow by its job, all rules judged")
        three.add_argument("--contacts", type=int, default=100_000)
        three.add_argument("--workers", type=int, default=2)
        four = benches.add_parser(
            "intake", help="a burst of events: triggers, waits and successes, one worker"
        )
        four.add_argument("--events", type=int, default=100_000)
        five = benches.add_parser("criteria", help="a filter over company, field, membership and engagement")
        five.add_argument("--contacts", type=int, default=100_000)
        six = benches.add_parser("growth", help="what a step costs at several sizes of one flow")
        six.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="participants of each run")
        six.add_argument("--workers", type=int, default=2)
        seven = benches.add_parser("send", help="messages rendered and handed to a mail server by one worker")
        seven.add_argument("--messages", type=int, default=100_000)
        eight = benches.add_parser("track", help="opens and clicks through one web worker")
        eight.add_argument("--messages", type=int, default=20_000)
        eight.add_argument("--connections", type=int, default=16, help="requests at the same time")
        eight.add_argument("--threads", type=int, default=THREADS, help="blocking threads of the web worker")
        nine = benches.add_parser("pages", help="pages of a tenant with very many contacts and participants")
        nine.add_argument("--people", type=int, default=1_000_000)
        nine.add_argument("--asks", type=int, default=5, help="requests by the clock for each page")
        nine.add_argument("--workers", type=int, default=2)
        ten = benches.add_parser("forms", help="forms sent to one web worker while no worker runs")
        ten.add_argument("--posts", type=int, default=200)
        eleven = benches.add_parser(
            "designer", help="operations on a flow of very many steps, one web worker"
        )
        eleven.add_argument("--steps", type=int, default=200)
        eleven.add_argument("--operations", type=int, default=50)
        for each in (one, two, three, four, five, six, seven, eight, nine, ten, eleven):
            each.add_argument("--json", action="store_true", help="print one JSON line last")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", verbosity=0)
        figures = self._figures(options)
        if options["json"]:
            self.stdout.write(json.dumps(figures))
            return
        for name, value in figures.items():
            self.stdout.write(
                f"{name:>24}  {value:,}" if isinstance(value, (int, float)) else f"{name:>24}  {value}"
            )

    def _figures(self, options: dict[str, Any]) -> dict[str, Any]:
        run = {
            "import": lambda: import_contacts(rows=options["rows"], file=options["file"]),
            "enrol": lambda: enrol(contacts=options["contacts"], workers=options["workers"]),
            "intake": lambda: intake(events=options["events"]),
            "criteria": lambda: criteria(contacts=options["contacts"]),
            "growth": lambda: growth(sizes=options["sizes"], workers=options["workers"]),
            "send": lambda: send(messages=options["messages"]),
            "track": lambda: track(
                messages=options["messages"], connections=options["connections"], threads=options["threads"]
            ),
            "pages": lambda: pages(
                people=options["people"], asks=options["asks"], workers=options["workers"]
            ),
            "designer": lambda: designer(steps=options["steps"], operations=options["operations"]),
            "forms": lambda: forms(posts=options["posts"]),
            "engine": lambda: engine(participants=options["participants"], workers=options["workers"]),
        }
        return run[options["bench"]]()
