"""`make demo`: everything on this machine, until Ctrl-C.

Brings the embedded servers up, migrates, seeds once, then keeps the web server, two workers and the sinks of
mails and SMS running. Knows how the parts are started; what the demo holds is trial/seed's business.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import IO

from config.embedded import EmbeddedProblem, ensure_environment
from config.embedded.home import PROJECT, Home
from config.embedded.process import free_port
from trial.children import Child, Children
from trial.people import PASSWORD, PEOPLE

USUAL_PORT = 8000
THREADS, CONNECTIONS = 16, 9
WORKERS = 2


class Runner:
    """One demo of one Millrace home."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.children = Children(say)
        self.ended = False
        self._lock: IO[str] | None = None

    def claim(self) -> None:
        """Be the only demo of this home; raise EmbeddedProblem naming the one that runs."""
        handle = (self.home.path / "demo.lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedProblem(f"Millrace is already running: {self.known().get('url', '')}") from None
        self._lock = handle

    def known(self) -> dict[str, str]:
        """Return what the last demo noted: its address and ports."""
        try:
            found = json.loads((self.home.path / "demo.json").read_text())
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in found.items()}

    def lay_environment(self) -> str:
        """Choose the ports, set what the settings read, and return the address of the web server."""
        known = self.known()
        port = chosen_port(known)
        mail_port = free_port(int(known.get("mail_port", 0)))
        sms_port = free_port(int(known.get("sms_port", 0)))
        url = f"http://127.0.0.1:{port}"
        os.environ.update(
            DJANGO_SETTINGS_MODULE="config.settings",
            MILLRACE_TRIAL="1",
            MILLRACE_HOME=str(self.home.path),
            MILLRACE_PUBLIC_URL=url,
            MILLRACE_SMTP_HOST="127.0.0.1",
            MILLRACE_SMTP_PORT=str(mail_port),
            MILLRACE_SMS_API_URL=f"http://127.0.0.1:{sms_port}",
            PYTHONUNBUFFERED="1",
        )
        note = {"url": url, "port": port, "mail_port": mail_port, "sms_port": sms_port}
        self.home.write_private("demo.json", json.dumps(note) + "\n")
        return url

    def prepare(self) -> None:
        """Migrate, seed once, collect the static files; raise EmbeddedProblem with what it said if that fails."""
        command = [sys.executable, str(PROJECT / "manage.py"), "prepare_trial"]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode and not self.ended:
            raise EmbeddedProblem(f"The demo could not be prepared:\n{(done.stdout + done.stderr).strip()}")
        if done.stdout.strip():
            say(done.stdout.strip())

    def start(self, url: str) -> None:
        """Start the children."""
        os.chdir(PROJECT)
        python, port, mail_port = sys.executable, url.rpartition(":")[2], os.environ["MILLRACE_SMTP_PORT"]
        web = [python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", port]
        web += ["--workers", "1", "--blocking-threads", str(THREADS), "config.wsgi:application"]
        worker = [
            python,
            "-m",
            "celery",
            "-A",
            "config.celery",
            "worker",
            "--pool",
            "prefork",
            "--concurrency",
            "1",
        ]
        worker += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        self._add("mail", [python, "-m", "trial.sink", "--port", mail_port])
        self._add(
            "sms",
            [python, "-m", "trial.sms_sink", "--port", os.environ["MILLRACE_SMS_API_URL"].rpartition(":")[2]],
        )
        # A pool only in the web process: opened before a fork it hangs the worker's children.
        self._add("web", web, MILLRACE_DB_POOL=str(CONNECTIONS))
        for number in range(1, WORKERS + 1):
            self._add(f"worker-{number}", [*worker, "--hostname", f"worker-{number}@%h"])

    def _add(self, name: str, command: list[str], **environment: str) -> None:
        child = Child(name, command, environment, self.home.path / "logs" / f"{name}.log")
        child.start()
        self.children.all.append(child)

    def wait_for_web(self, url: str, seconds: float = 180) -> None:
        """Wait until the first page answers."""
        deadline = time.monotonic() + seconds
        while not self.ended and not answers(url):
            if time.monotonic() > deadline:
                raise EmbeddedProblem(
                    f"The web server does not answer; {self.home.path}/logs/web.log says why."
                )
            self.children.look_after()
            time.sleep(0.1)

    def stay(self) -> None:
        """Look after the children until somebody ends the demo."""
        while not self.ended:
            self.children.look_after()
            time.sleep(0.3)


def chosen_port(known: dict[str, str]) -> int:
    """Return the port of the web server: the one asked for, last time's, the usual one, or any free one."""
    asked = os.environ.get("PORT", "")
    if not asked:
        return free_port(int(known.get("port", USUAL_PORT)))
    if not asked.isdigit() or not 0 < int(asked) < 65536:
        raise EmbeddedProblem(f"PORT must be a number between 1 and 65535, not {asked!r}.")
    if free_port(int(asked)) != int(asked):
        raise EmbeddedProblem(
            f"Port {asked} is taken. Name another (PORT=8080 make demo), or none: a free one is found."
        )
    return int(asked)


def answers(url: str) -> bool:
    """Say whether the web server gives any answer that is no failure of its own."""
    try:
        with urllib.request.urlopen(f"{url}/accounts/login/", timeout=5):  # noqa: S310  our own http address
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def welcome(url: str) -> str:
    """Return the text that a newcomer reads."""
    width = max(len(person.email) for person in PEOPLE)
    lines = [f"  {person.email:<{width}}  {person.role}: {person.shows}" for person in PEOPLE]
    return "\n".join(
        [
            "",
            f"Millrace is running: {url}",
            f"Sign in (password for all: {PASSWORD})",
            *lines,
            f"Mailbox (every mail and SMS that Millrace sends): {url}/mailbox/",
            "Ctrl-C stops everything; your data stay. `make demo-reset` begins anew.",
            "",
        ]
    )


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def main() -> int:
    """Run until ended; 1 with a message if something is missing."""
    home = None
    try:
        home = Home.open()
        runner = Runner(home)
        runner.claim()
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: setattr(runner, "ended", True))
        say("Starting …")
        ensure_environment()
        url = runner.lay_environment()
        runner.prepare()
    except EmbeddedProblem as problem:
        sys.stderr.write(f"Millrace: {problem}\n")
        return 1
    try:
        if not runner.ended:
            runner.start(url)
            runner.wait_for_web(url)
        if not runner.ended:
            say(welcome(url))
        runner.stay()
    except EmbeddedProblem as problem:
        sys.stderr.write(f"Millrace: {problem}\n")
        return 1
    finally:
        runner.children.stop()
    say("Stopped. Your data are kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
