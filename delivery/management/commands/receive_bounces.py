"""`manage.py receive_bounces --host 0.0.0.0 --port 25`: the mail server that bounces and complaints come to."""

from __future__ import annotations

import asyncio
import contextlib
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from delivery.bounce_server import serve


class Command(BaseCommand):
    """Run until ended."""

    help = "Take mails to MILLRACE_BOUNCE_ADDRESS: bounces and complaints."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=2525)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCE_ADDRESS:
            raise CommandError("Set MILLRACE_BOUNCE_ADDRESS to the address that bounces come to.")
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(options["host"], options["port"]))
