"""A real SMTP server on loopback that tests tell how to answer."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


@dataclass
class Received:
    """One mail that arrived: envelope and content."""

    sender: str
    recipients: list[str]
    raw: bytes
    session: int

    @property
    def message(self) -> EmailMessage:
        """The mail as the standard library reads it."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)


@dataclass
class Mailbox:
    """Takes mails; `answers` maps a command to what it answers: a text, or "drop" to hang up without a word."""

    received: list[Received] = field(default_factory=list)
    answers: dict[str, Callable[[str], str]] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0

    def _answer(self, command: str, argument: str) -> str:
        return self.answers[command](argument) if command in self.answers else ""

    async def handle_MAIL(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self._answer("MAIL", address)
        if not answer:
            envelope.mail_from = address
        return answer or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self._answer("RCPT", address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        answer = self._answer("DATA", envelope.rcpt_tos[0])
        if answer == "drop":
            cast(Any, server.transport).abort()
            return "250 OK"
        if not answer or answer.startswith("250"):
            received = Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.content, id(session))
            self.received.append(received)
        return answer or "250 OK"

    def to(self, address: str) -> list[Received]:
        """Return the mails to one address."""
        return [mail for mail in self.received if address in mail.recipients]


def start(mailbox: Mailbox) -> Controller:
    """Start the server on a free port; the caller stops it."""
    with socket.create_server((mailbox.host, 0)) as probe:
        mailbox.port = probe.getsockname()[1]
    controller = Controller(
        mailbox, hostname=mailbox.host, port=mailbox.port, enable_SMTPUTF8=True, decode_data=False
    )
    controller.start()
    return controller
