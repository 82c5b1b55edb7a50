"""`python -m config.embedded`: start, stop and look at the embedded servers, or provision a server's roles."""

from __future__ import annotations

import argparse
import os
import secrets
import shlex
import sys

from config.embedded import launcher, roles
from config.embedded.home import Home
from config.embedded.problem import EmbeddedProblem


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start the servers and keep them until `stop`; prints their addresses")
    commands.add_parser("stop", help="stop the servers")
    commands.add_parser("status", help="say what runs")
    provision = commands.add_parser(
        "provision", help="make roles and database on a server; prints the addresses"
    )
    provision.add_argument("--superuser-url", default=os.environ.get("DATABASE_SUPERUSER_URL", ""))
    provision.add_argument("--database", default=roles.DATABASE)
    options = parser.parse_args(arguments)
    try:
        return int(COMMANDS[options.command](options))
    except EmbeddedProblem as problem:
        print(f"Millrace: {problem}", file=sys.stderr)
        return 1


def start(options: argparse.Namespace) -> int:
    home = Home.open()
    with home.locked():
        _export(launcher.start(home, keep=True))
    return 0


def stop(options: argparse.Namespace) -> int:
    home = Home.open()
    with home.locked():
        stopped = launcher.stop(home)
    print(f"Stopped {' and '.join(stopped)}." if stopped else "Nothing was running.")
    return 0


def status(options: argparse.Namespace) -> int:
    return 0 if launcher.report(Home.open(), print) else 3


def provision(options: argparse.Namespace) -> int:
    if not options.superuser_url:
        raise EmbeddedProblem("Name the server: --superuser-url postgresql://… or DATABASE_SUPERUSER_URL.")
    made = {name: secrets.token_urlsafe(32) for name in ("owner", "app", "backup")}
    passwords = roles.passwords_from_environment(made)
    roles.provision(options.superuser_url, passwords, options.database)
    _export(roles.addresses(options.superuser_url, passwords, options.database))
    return 0


def _export(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


COMMANDS = {"start": start, "stop": stop, "status": status, "provision": provision}

if __name__ == "__main__":
    sys.exit(main())
