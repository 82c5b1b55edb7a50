"""Test databases: one migrated template for each state of the migrations, copied for each run and worker.

The owner's role makes them; tests run as the app's role, under row-level security, as in production.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.embedded import roles

ROOT = Path(__file__).resolve().parent.parent.parent
PREFIX = "test_millrace"
TEMPLATES_KEPT = 4


def template_name() -> str:
    """Return the template's name: a hash of everything that shapes a migrated database."""
    digest = hashlib.sha256()
    shaping = ["*/migrations/*.py", "core/**/*.py", "config/settings.py", "config/embedded/roles.py"]
    shaping += ["tests/support/databases.py", "requirements.lock"]
    for pattern in shaping:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return f"{PREFIX}_template_{digest.hexdigest()[:16]}"


def owner_url(database: str = "") -> str:
    """Return the owner's address, of its own database or of another one."""
    parts = urlsplit(os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"])
    return parts._replace(path=f"/{database}").geturl() if database else parts.geturl()


@contextmanager
def run_database(name: str, migrate: Callable[[str], None]) -> Iterator[None]:
    """Make the database `name` from the template (made by `migrate` where missing) and drop it at the end."""
    with psycopg.connect(owner_url(), autocommit=True) as connection:
        # Another worker may be building the template: that takes longer than a lock usually may.
        connection.execute("SET lock_timeout = 0")
        _drop_abandoned(connection)
        # Held as long as this run lives, so that nobody takes its database for abandoned.
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        template = _template(connection, migrate)
        _execute(connection, "CREATE DATABASE {} TEMPLATE {}", name, template)
        _execute(connection, "ALTER DATABASE {} SET synchronous_commit = off", name)
        try:
            yield
        finally:
            _drop(connection, name)


def _template(connection: psycopg.Connection, migrate: Callable[[str], None]) -> str:
    name = template_name()
    connection.execute("SELECT pg_advisory_lock(hashtext('millrace test template'))")
    try:
        if name not in _names(connection, f"{PREFIX}_template_"):
            building = f"{PREFIX}_building"
            _execute(connection, "DROP DATABASE IF EXISTS {}", building)
            _execute(connection, "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", building)
            _prepare(building, migrate)
            _execute(connection, "ALTER DATABASE {} RENAME TO {}", building, name)
            for old in _names(connection, f"{PREFIX}_template_")[:-TEMPLATES_KEPT]:
                _execute(connection, "DROP DATABASE IF EXISTS {}", old)
    finally:
        connection.execute("SELECT pg_advisory_unlock(hashtext('millrace test template'))")
    return name


def _prepare(database: str, migrate: Callable[[str], None]) -> None:
    with psycopg.connect(owner_url(database), autocommit=True) as inside:
        for statement in roles.grants():
            inside.execute(statement)
    migrate(database)
    with psycopg.connect(owner_url(database), autocommit=True) as inside:
        # Between tests the tables are emptied; in production the app may not TRUNCATE.
        app = sql.Identifier(roles.APP)
        inside.execute(sql.SQL("GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {}").format(app))


def _drop_abandoned(connection: psycopg.Connection) -> None:
    """Drop what killed runs left behind: nobody holds their lock any more."""
    for name in _names(connection, f"{PREFIX}_run_"):
        free = connection.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name]).fetchone()
        if free == (True,):
            _drop(connection, name)
            connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])


def _drop(connection: psycopg.Connection, name: str) -> None:
    # Where a child still holds a connection, the next run drops it as abandoned.
    with suppress(psycopg.errors.ObjectInUse):
        _execute(connection, "DROP DATABASE IF EXISTS {}", name)


def _names(connection: psycopg.Connection, prefix: str) -> list[str]:
    """Return databases by prefix, oldest first."""
    query = "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid"
    return [row[0] for row in connection.execute(query, [prefix])]


def _execute(connection: psycopg.Connection, text: str, *names: str) -> None:
    connection.execute(sql.SQL(text).format(*(sql.Identifier(name) for name in names)))
