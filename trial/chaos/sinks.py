"""Where everything goes that leaves the house: mails, SMS and webhooks, each noted as often as it came.

They live in the chaos process, which nothing kills, so what they noted is what a receiver would have.
"""

from __future__ import annotations

import asyncio
import email
import hashlib
import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.embedded.process import free_port
from trial.sms_box import SmsBox
from trial.sms_sink import Account, SmsServer


class Received:
    """What came: mails by Message-ID, SMS by number and last word, webhooks by delivery id with their bodies."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.mails: Counter[str] = Counter()
        self.texts: Counter[tuple[str, str]] = Counter()
        self.calls: dict[str, set[str]] = defaultdict(set)
        self.called: Counter[str] = Counter()

    def mail(self, content: bytes) -> None:
        """Note a mail that was accepted."""
        head = content.partition(b"\r\n\r\n")[0]
        with self.lock:
            self.mails[str(email.message_from_bytes(head)["Message-ID"]).strip()] += 1

    def text(self, to: str, body: str) -> None:
        """Note an SMS that was accepted."""
        with self.lock:
            self.texts[to, body.rsplit(maxsplit=1)[-1]] += 1

    def call(self, delivery_id: str, body: bytes) -> None:
        """Note a webhook."""
        with self.lock:
            self.calls[delivery_id].add(hashlib.sha256(body).hexdigest())
            self.called[delivery_id] += 1


class _Mail:
    def __init__(self, received: Received) -> None:
        self.received = received

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content or b""
        self.received.mail(content.encode() if isinstance(content, str) else content)
        return "250 OK"


class _Sms(SmsServer):
    """Twilio's stand-in, without its callbacks: nobody listens here."""

    def __init__(self, received: Received, folder: Path, port: int) -> None:
        super().__init__(SmsBox(folder), port=port, post=lambda *_: "")
        self.received = received

    def take(self, account: Account, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        status, answer = super().take(account, {**form, "StatusCallback": ""})
        if status == 201:
            self.received.text(form["To"], form["Body"])
        return status, answer


class _Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    received: Received

    def do_POST(self) -> None:
        """Note it and say yes; one in sixteen is told to come again, twice, after it was noted."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        delivery_id = self.headers.get("webhook-id", "")
        self.received.call(delivery_id, body)
        busy = self.received.called[delivery_id] <= 2 and delivery_id[-1:] == "7"
        self.send_response(503 if busy else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


class Sinks:
    """The three servers, on ports of their own."""

    def __init__(self, folder: Path) -> None:
        # One line a command otherwise.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self.received = Received()
        self.mail_port = free_port()
        self._loop = asyncio.new_event_loop()
        self._sms = _Sms(self.received, folder / "sms", free_port())
        hook = type("Hook", (_Hook,), {"received": self.received})
        self._hooks = ThreadingHTTPServer(("127.0.0.1", 0), hook)
        self._hooks.daemon_threads = True
        self.hook_port = int(self._hooks.server_address[1])
        self.sms_url = self._sms.address

    def start(self) -> None:
        """Take what comes."""
        for target in (self._loop.run_forever, self._sms.serve_forever, self._hooks.serve_forever):
            threading.Thread(target=target, daemon=True).start()
        handler = _Mail(self.received)
        begun = self._loop.create_server(
            lambda: SMTP(handler, hostname="localhost", ident="Chaos"), "127.0.0.1", self.mail_port
        )
        asyncio.run_coroutine_threadsafe(begun, self._loop).result(10)

    def environment(self) -> dict[str, str]:
        """Return what tells the workers to send here, and nowhere else."""
        return {
            "MILLRACE_SMTP_HOST": "127.0.0.1",
            "MILLRACE_SMTP_PORT": str(self.mail_port),
            "MILLRACE_SMS_API_URL": self.sms_url,
            "MILLRACE_WEBHOOK_LOOPBACK": "1",
            "MILLRACE_WEBHOOK_PORTS": str(self.hook_port),
        }
