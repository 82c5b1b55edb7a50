"""A mail server that takes everything and keeps nothing: so cheap that what is measured is the sender.

`python -m trial.bench.mail_sink` prints its port. NOOP answers with the number of mails taken so far. Must not know
Django.
"""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_HELLO = b"220 bench\r\n"
_EHLO = b"250-bench\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_OK, _GO, _BYE = b"250 OK\r\n", b"354 go\r\n", b"221 bye\r\n"
_END = b"\r\n.\r\n"


class Session(asyncio.Protocol):
    """One connection; the mails of all are counted together."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP has no other
        self._out, self._buffer, self._in_data = transport, b"", False
        transport.write(_HELLO)

    def data_received(self, data: bytes) -> None:
        """Answer all whole commands of what came; a body ends with a dot on a line of its own."""
        self._buffer += data
        answers = b""
        while True:
            if self._in_data:
                # The dot may be all that is left of a body whose last line came before.
                end = self._buffer.find(_END)
                if end < 0:
                    self._buffer = self._buffer[-4:]
                    break
                self._buffer, self._in_data = self._buffer[end + len(_END) :], False
                Session.taken += 1
                answers += _OK
                continue
            line, found, rest = self._buffer.partition(b"\r\n")
            if not found:
                break
            self._buffer = rest
            answers += self._answer(line[:4].upper())
        if answers:
            self._out.write(answers)

    def _answer(self, word: bytes) -> bytes:
        if word == b"EHLO":
            return _EHLO
        if word == b"DATA":
            self._in_data = True
            return _GO
        if word == b"NOOP":
            return b"250 %d\r\n" % Session.taken
        return _BYE if word == b"QUIT" else _OK


@contextmanager
def mail_sink() -> Iterator[int]:
    """Run the server in a process of its own; yield its port."""
    command = [sys.executable, "-m", "trial.bench.mail_sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - asked for
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def taken(port: int) -> int:
    """Return how many mails the server has taken."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
        return int(session.docmd("NOOP")[1])


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", 0)
    async with server:
        sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
