"""`make demo-reset`: stop the embedded servers and throw the demo's data away. The next `make demo` begins anew."""

from __future__ import annotations

import fcntl
import shutil
import sys

from config.embedded import EmbeddedProblem, launcher
from config.embedded.home import Home

GONE = ("valkey", "mailbox", "media", "logs", "state.json", "demo.json")


def reset(home: Home) -> None:
    """Remove the data of a home that nobody uses; raise EmbeddedProblem where somebody does."""
    with (home.path / "demo.lock").open("a+") as demo, home.locked():
        try:
            fcntl.flock(demo, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedProblem("The demo is running: stop it first (Ctrl-C where it runs).") from None
        with (home.path / "in-use.lock").open("r+") as users:
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EmbeddedProblem(
                    "A command or a test run uses the database: let it end first."
                ) from None
            launcher.stop(home)
            launcher.destroy(home)
            for name in GONE:
                path = home.path / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main() -> int:
    """Reset and say so; 1 with a message if that is not possible now."""
    try:
        home = Home.open()
        reset(home)
    except EmbeddedProblem as problem:
        sys.stderr.write(f"Millrace: {problem}\n")
        return 1
    sys.stdout.write(f"The demo's data in {home.path} are gone.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
