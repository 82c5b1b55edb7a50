"""The database roles, in one place for the embedded server, docker-compose, CI and any server of an operator.

- owner: owns the database and its tables, migrates, may make databases (for tests) and roles; not a superuser.
- app: what web and workers connect as. Owns nothing, and row-level security holds for it.
- backup: reads everything past row-level security, for dumps.

Everything is idempotent. Must not know Django or any table.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

OWNER, APP, BACKUP = "millrace_owner", "millrace_app", "millrace_backup"
DATABASE = "millrace"
VERSION = 3
"""Raise it with every change here: an embedded server is then provisioned again."""

RIGHTS = {
    OWNER: "LOGIN NOSUPERUSER CREATEDB CREATEROLE NOBYPASSRLS",
    APP: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
    BACKUP: "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS",
}
# Last nets under every connection of the role. Web processes set tighter ones, long work its own.
LIMITS = {
    OWNER: {"lock_timeout": "10s"},
    APP: {"statement_timeout": "60s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"},
    BACKUP: {"default_transaction_read_only": "on"},
}


@dataclass(frozen=True)
class Passwords:
    """One for each role."""

    owner: str
    app: str
    backup: str

    def of(self, role: str) -> str:
        """Return the role's password."""
        return {OWNER: self.owner, APP: self.app, BACKUP: self.backup}[role]


def addresses(superuser_url: str, passwords: Passwords, database: str = DATABASE) -> dict[str, str]:
    """Return the variables for the settings, for the server that `superuser_url` names."""
    server = urlsplit(superuser_url).netloc.rpartition("@")[2]

    def url(role: str) -> str:
        return f"postgresql://{role}:{quote(passwords.of(role), safe='')}@{server}/{database}"

    return {"DATABASE_URL": url(APP), "DATABASE_OWNER_URL": url(OWNER), "DATABASE_BACKUP_URL": url(BACKUP)}


def provision(superuser_url: str, passwords: Passwords, database: str = DATABASE) -> None:
    """Make the roles and the database, or bring them into the wanted shape."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Two that provision one server at once would both find a role missing and both make it.
        connection.execute("SELECT pg_advisory_lock(748301)")
        for role, rights in RIGHTS.items():
            _role(connection, role, rights, passwords.of(role))
        _database(connection, database)
    parts = urlsplit(superuser_url)
    inside = parts._replace(path=f"/{database}").geturl()
    with psycopg.connect(inside, autocommit=True) as connection:
        for statement in grants():
            connection.execute(statement)


def _role(connection: psycopg.Connection, role: str, rights: str, password: str) -> None:
    name = sql.Identifier(role)
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    connection.execute(
        sql.SQL("ALTER ROLE {} WITH {} PASSWORD {}").format(name, sql.SQL(rights), sql.Literal(password))
    )
    for setting, value in LIMITS[role].items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )


def _database(connection: psycopg.Connection, database: str) -> None:
    name, owner = sql.Identifier(database), sql.Identifier(OWNER)
    if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() != (True,):
        # The administrator of a managed server is no superuser and must be a member to give a database away.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
    connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(BACKUP)))
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, owner))
        return
    template = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, owner)
    connection.execute(template)


def grants() -> list[sql.Composed]:
    """Return what the owner (or a superuser) runs once inside a new database, before the first migration."""
    owner, app = sql.Identifier(OWNER), sql.Identifier(APP)
    texts = [
        "GRANT USAGE ON SCHEMA public TO {app}",
        # Functions are open to everyone unless told otherwise; ours that look across tenants must not be.
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
            " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {app}"
        ),
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {app}",
    ]
    return [sql.SQL(text).format(owner=owner, app=app) for text in texts]


def passwords_from_environment(make: dict[str, str]) -> Passwords:
    """Return the passwords from MILLRACE_{OWNER,APP,BACKUP}_PASSWORD, else those in `make`."""

    def of(name: str) -> str:
        return os.environ.get(f"MILLRACE_{name.upper()}_PASSWORD") or make[name]

    return Passwords(owner=of("owner"), app=of("app"), backup=of("backup"))
