"""Bring the trial to where it can start: migrations, demo data at the first time, static files where they changed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """See the module."""

    help = __doc__
    requires_system_checks: list[Any] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if self._behind():
            call_command("migrate", database="owner", verbosity=0, interactive=False)
        self._collect_static()
        call_command("seed_demo", verbosity=0)

    def _behind(self) -> bool:
        """Say whether a migration is missing: `migrate` takes seconds also where none is."""
        executor = MigrationExecutor(connections["owner"])
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def _collect_static(self) -> None:
        """Collect, hash and compress, unless that was done for exactly these files."""
        marker = Path(settings.STATIC_ROOT) / ".stamp"
        stamp = _static_stamp()
        if not marker.exists() or marker.read_text() != stamp:
            call_command("collectstatic", verbosity=0, interactive=False, clear=True)
            marker.write_text(stamp)


def _static_stamp() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
