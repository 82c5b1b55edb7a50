"""SMTP over one connection that is kept open. Every phase tells for itself whether the mail may have been taken.

Only between the final dot and its answer is that unknown; before it, trying again is safe. Where the server takes
commands in one packet (PIPELINING, RFC 2920), a mail costs three round trips instead of five.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from delivery.channels.base import Envelope, HandOver, Outcome

# Servers end long sessions anyway; better between two mails than in one.
MAILS_A_CONNECTION = 200
_LEADING_DOT = re.compile(rb"(?m)^\.")
# Enhanced codes of 5xx answers to RCPT that say nothing about the address: policy, full mailbox, our faults.
_NOT_THE_ADDRESS = re.compile(r"\b5\.(7|2\.2|3|4|5)\b")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to connect."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    starttls: bool = False
    # A file of certificates (PEM) that vouch for the server, beside those of the system.
    authority: str = ""
    timeout: float = 20.0

    @classmethod
    def of_installation(cls) -> SmtpSettings:
        """Return what the environment says."""
        return cls(
            host=settings.EMAIL_HOST,
            port=settings.EMAIL_PORT,
            user=settings.EMAIL_HOST_USER,
            password=settings.EMAIL_HOST_PASSWORD,
            starttls=settings.EMAIL_USE_TLS,
            authority=settings.EMAIL_CA_FILE,
            timeout=settings.EMAIL_TIMEOUT,
        )


@cache
def _trusting(authority: str) -> ssl.SSLContext:
    """Return what checks a server's certificate and name."""
    context = ssl.create_default_context()
    if authority:
        context.load_verify_locations(authority)
    return context


_NO_ENTRY = (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError)


class _Answer(Exception):
    """The server's answer ended the hand-over."""

    def __init__(self, outcome: Outcome, code: int, text: bytes) -> None:
        said = f"{code} {text.decode('utf-8', 'replace')}"[:400]
        # 421 says that the server takes nothing now, whatever command it answers (RFC 5321, 3.8).
        busy = code == 421 and outcome in {Outcome.DEFERRED, Outcome.SENDER}
        self.result = HandOver(Outcome.DOWN, said, cause="busy") if busy else HandOver(outcome, said)


class SmtpChannel:
    """One process's connection."""

    def __init__(self, given: SmtpSettings) -> None:
        self.given = given
        self._smtp: smtplib.SMTP | None = None
        self._used = 0

    def hand_over(self, envelope: Envelope) -> HandOver:
        """Hand one mail over. A connection that died while it lay idle is replaced once, before anything was said."""
        reused = self._smtp is not None
        result = self._try(envelope)
        if result is None and reused:
            result = self._try(envelope)
        return result or HandOver(Outcome.DOWN, "The server closed the connection.")

    def close(self) -> None:
        """Say goodbye; the next mail opens a new connection."""
        if self._smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            with contextlib.suppress(OSError):
                self._smtp.close()
        self._smtp, self._used = None, 0

    def _try(self, envelope: Envelope) -> HandOver | None:
        """Return what became of it, or None where the connection was gone before the server took a command."""
        try:
            smtp = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            cause = "sign_in" if isinstance(error, _NO_ENTRY) else ""
            return HandOver(Outcome.DOWN, f"{type(error).__name__}: {error}"[:400], cause=cause)
        try:
            _fits(smtp, envelope)
            self._envelope(smtp, envelope)
            self._body(smtp, envelope.data)
            for piece in envelope.following():
                # Each has the whole time-out for itself; none has a line that begins with a dot.
                smtp.send(piece)
        except _Answer as answer:
            return self._recovered(smtp, answer.result)
        except smtplib.SMTPNotSupportedError as error:
            return self._recovered(smtp, HandOver(Outcome.FAILED, str(error)))
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            if isinstance(error, _LostBeforeMail):
                return None
            return HandOver(Outcome.LOST, f"{type(error).__name__}: {error}"[:400])
        return self._ended(smtp)

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None and self._used >= MAILS_A_CONNECTION:
            self.close()
        if self._smtp is None:
            smtp = smtplib.SMTP(self.given.host, self.given.port, timeout=self.given.timeout)
            self._smtp = smtp
            if smtp.sock is not None:
                # The final dot goes in a packet of its own and must not wait for the body's acknowledgement.
                smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.given.starttls:
                # Without a context of its own smtplib would take any certificate.
                smtp.starttls(context=_trusting(self.given.authority))
            smtp.ehlo_or_helo_if_needed()
            if self.given.user:
                smtp.login(self.given.user, self.given.password)
        self._used += 1
        return self._smtp

    def _envelope(self, smtp: smtplib.SMTP, envelope: Envelope) -> None:
        """Say from whom, to whom and that the mail comes; raise _Answer where the server will not have it.

        The addresses have passed `mime.checked_address`, so they cannot end a command.
        """
        options = ""
        if not (envelope.sender + envelope.recipient).isascii():
            if not smtp.has_extn("smtputf8"):
                raise smtplib.SMTPNotSupportedError("The server takes only addresses of plain ASCII letters.")
            options, smtp.command_encoding = " SMTPUTF8", "utf-8"
        commands = [f"MAIL FROM:<{envelope.sender}>{options}", f"RCPT TO:<{envelope.recipient}>", "DATA"]
        try:
            if smtp.has_extn("pipelining"):
                self._all_at_once(smtp, commands)
            else:
                self._one_by_one(smtp, commands)
        finally:
            smtp.command_encoding = "ascii"

    def _one_by_one(self, smtp: smtplib.SMTP, commands: list[str]) -> None:
        for command, judge in zip(commands, _JUDGES, strict=True):
            try:
                code, text = smtp.docmd(command)
            except (OSError, smtplib.SMTPServerDisconnected) as error:
                raise (_LostBeforeMail(str(error)) if judge is _of_sender else error) from error
            judge(code, text)

    def _all_at_once(self, smtp: smtplib.SMTP, commands: list[str]) -> None:
        try:
            smtp.send("\r\n".join([*commands, ""]))
            answers = [smtp.getreply()]
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise _LostBeforeMail(str(error)) from error
        answers += [smtp.getreply() for _ in commands[1:]]
        try:
            for judge, (code, text) in zip(_JUDGES, answers, strict=True):
                judge(code, text)
        except _Answer:
            if answers[-1][0] == 354:
                # It takes a body all the same (RFC 2920, 3.1): an empty one, for nobody.
                smtp.docmd(".")
            raise

    def _body(self, smtp: smtplib.SMTP, data: bytes) -> None:
        smtp.send(_LEADING_DOT.sub(b"..", data) if b"\n." in data or data[:1] == b"." else data)

    def _ended(self, smtp: smtplib.SMTP) -> HandOver:
        """Send the final dot. From here until its answer nobody knows."""
        try:
            smtp.send(b".\r\n")
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return HandOver(Outcome.UNKNOWN, f"{type(error).__name__}: {error}"[:400])
        said = f"{code} {text.decode('utf-8', 'replace')}"[:400]
        if code == 250:
            return HandOver(Outcome.SENT, said)
        if code == 421:
            return self._recovered(smtp, HandOver(Outcome.DOWN, said, cause="busy"))
        return self._recovered(smtp, HandOver(Outcome.FAILED if code >= 500 else Outcome.DEFERRED, said))

    def _recovered(self, smtp: smtplib.SMTP, result: HandOver) -> HandOver:
        """Make the connection ready for the next mail, or drop it."""
        try:
            if smtp.rset()[0] != 250:
                self._drop()
        except (OSError, smtplib.SMTPException):
            self._drop()
        return result


def _fits(smtp: smtplib.SMTP, envelope: Envelope) -> None:
    """Raise _Answer for a mail with files that is larger than the server says it takes (RFC 1870, 6.1)."""
    said = smtp.esmtp_features.get("size", "") if envelope.files else ""
    most, size = int(said) if said.isdigit() else 0, len(envelope.data) + sum(map(len, envelope.following()))
    if most and size > most:
        words = f"5.3.4 With its files the mail has {size:,} bytes; the mail server takes {most:,}."
        raise _Answer(Outcome.FAILED, 552, words.encode())


class _LostBeforeMail(smtplib.SMTPException):
    """The connection was gone before the server took anything."""


def _of_sender(code: int, text: bytes) -> None:
    """Judge the answer to MAIL. A refused sender is a setting to mend: the message waits for it."""
    if code == 421:
        raise _LostBeforeMail(text.decode("utf-8", "replace"))
    if code != 250:
        raise _Answer(Outcome.SENDER, code, text)


def _of_recipient(code: int, text: bytes) -> None:
    if code >= 500:
        other = _NOT_THE_ADDRESS.search(text.decode("utf-8", "replace"))
        raise _Answer(Outcome.FAILED if other else Outcome.REFUSED, code, text)
    if code not in {250, 251}:
        raise _Answer(Outcome.DEFERRED, code, text)


def _of_data(code: int, text: bytes) -> None:
    if code != 354:
        raise _Answer(Outcome.FAILED if code >= 500 else Outcome.DEFERRED, code, text)


_JUDGES = (_of_sender, _of_recipient, _of_data)
