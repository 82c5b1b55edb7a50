"""The mail server that bounces come to: takes mails to the bounce address alone, and acts on each before it says yes.

Where the database is away it says "again later", and the other side keeps the mail.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, InterfaceError, close_old_connections

from core.signing import BadToken
from delivery.bounce_address import is_bounce_mailbox, ref_of
from delivery.operations.bounces import take_returned

# With the original mail and its attachments; only the beginning is read.
MOST_BYTES = 40 * 1024 * 1024
_log = structlog.get_logger(__name__)


class Handler:
    """What the server does with a mail."""

    async def handle_RCPT(  # noqa: N802  the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        """Refuse whatever is not for us."""
        if not is_bounce_mailbox(address):
            try:
                ref_of(address)
            except BadToken:
                return "550 5.1.1 Nobody here has this address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Act on the mail."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        try:
            for recipient in envelope.rcpt_tos:
                await asyncio.to_thread(_take, recipient, raw)
        except (DatabaseError, InterfaceError) as error:
            _log.warning("bounce_not_taken", error=repr(error))
            return "451 4.3.0 Not now, try again later"
        return "250 OK"


def _take(recipient: str, content: bytes) -> None:
    close_old_connections()
    try:
        take_returned(recipient=recipient, content=content)
    finally:
        close_old_connections()


def protocol() -> SMTP:
    """Return the protocol of one connection."""
    return SMTP(Handler(), ident="Millrace", data_size_limit=MOST_BYTES)


async def serve(host: str, port: int) -> None:
    """Take mails until the task is cancelled."""
    server = await asyncio.get_running_loop().create_server(protocol, host=host, port=port)
    async with server:
        await server.serve_forever()
