"""An SMTP server made by hand: it pipelines, and does what aiosmtpd is too polite for. Tests say what it answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class BluntServer:
    """`answers` maps a command's first word ("DATA" and "." are the body's) to its answer; None hangs up at once.

    `commands` are what came, `bodies` what was accepted, `packets` what each read brought.
    """

    pipelining: bool = True
    answers: dict[str, str | None] = field(default_factory=dict)
    cut_body_after: int | None = None
    wait: float = 0.0
    commands: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    packets: list[bytes] = field(default_factory=list)
    sessions: int = 0
    port: int = 0

    def serve(self, session: socket.socket) -> None:
        """Talk until one side ends."""
        self.sessions += 1
        with session:
            session.sendall(b"220 blunt\r\n")
            buffer = b""
            while True:
                line, found, rest = buffer.partition(b"\r\n")
                if not found:
                    data = session.recv(65536)
                    if not data:
                        return
                    self.packets.append(data)
                    buffer += data
                    continue
                buffer = rest
                word = line.split(b" ")[0].decode().upper()
                self.commands.append(line.decode("utf-8"))
                answer = self._answer(word)
                if answer is None:
                    return
                session.sendall(answer.encode() + b"\r\n")
                if answer.startswith("354"):
                    taken = self._body(session, buffer)
                    if taken is None:
                        return
                    buffer = taken

    def _answer(self, word: str) -> str | None:
        if word in self.answers:
            return self.answers[word]
        if word == "EHLO":
            return "250-blunt\r\n250-PIPELINING\r\n250 SMTPUTF8" if self.pipelining else "250 blunt"
        return "354 go" if word == "DATA" else "250 OK"

    def _body(self, session: socket.socket, buffer: bytes) -> bytes | None:
        """Read a body and answer its dot; return what follows it, or None after hanging up."""
        while b"\r\n.\r\n" not in buffer and not buffer.startswith(b".\r\n"):
            if self.cut_body_after is not None and len(buffer) >= self.cut_body_after:
                return None
            data = session.recv(65536)
            if not data:
                return None
            buffer += data
        if buffer.startswith(b".\r\n"):
            body, rest = b"", buffer[3:]
        else:
            body, _, rest = buffer.partition(b"\r\n.\r\n")
        time.sleep(self.wait)
        answer = self.answers.get(".", "250 taken")
        if answer is None:
            return None
        if answer.startswith("250"):
            self.bodies.append(body)
        session.sendall(answer.encode() + b"\r\n")
        return rest


@contextmanager
def blunt_server(server: BluntServer) -> Iterator[BluntServer]:
    """Run the server on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.port = listener.getsockname()[1]

        def accept() -> None:
            while True:
                try:
                    session, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_quietly, args=(server, session), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(server: BluntServer, session: socket.socket) -> None:
    try:
        server.serve(session)
    except OSError:
        return
