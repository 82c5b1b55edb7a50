"""The SMTP server of the trial: takes every mail, delivers none, keeps all in the mailbox folder.

`python -m trial.sink --port N`. An address whose name begins with "bounce" is refused for good, one that begins
with "busy" for now, so that both can be tried. Must not know Django.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.embedded.home import Home
from trial.mailbox import Mailbox

MOST_BYTES = 40 * 1024 * 1024


class Handler:
    """What the server does with a mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    async def handle_RCPT(  # noqa: N802  the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        """Refuse the two kinds of addresses that are there to be refused."""
        if address.startswith("bounce"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("busy"):
            return "451 4.2.0 Mailbox busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        self.mailbox.add(sender=envelope.mail_from or "", recipients=envelope.rcpt_tos, content=raw)
        return "250 OK"


def server_for(mailbox: Mailbox) -> SMTP:
    """Return the protocol of one connection."""
    return SMTP(Handler(mailbox), hostname="localhost", ident="Millrace trial", data_size_limit=MOST_BYTES)


async def serve(folder: Path, port: int) -> None:
    """Take mails until the process is told to end."""
    mailbox = Mailbox(folder)
    mailbox.prune()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, ended.set)
    server = await loop.create_server(lambda: server_for(mailbox), host="127.0.0.1", port=port)
    async with server:
        await ended.wait()


def main() -> int:
    """Run the server; 1 if the port is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(Home.open().path / "mailbox", options.port))
    except OSError as error:
        sys.stderr.write(
            f"Millrace: port {options.port} cannot be used for the mail sink: {error.strerror}\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
