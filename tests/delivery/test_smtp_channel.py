"""The SMTP channel against a server that pipelines, refuses, hangs up and is slow: what it says became of a mail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from delivery.channels.base import Envelope, Outcome
from delivery.channels.smtp import SmtpChannel, SmtpSettings
from tests.support.blunt_smtp import BluntServer, blunt_server

MAIL = Envelope("news@mill.test", "ada@post.test", b"Subject: Hi\r\n\r\n.dot\r\nHello\r\n.\r\n")
Start = Callable[..., tuple[BluntServer, SmtpChannel]]


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(*, timeout: float = 5.0, **how: object) -> tuple[BluntServer, SmtpChannel]:
            server = stack.enter_context(blunt_server(BluntServer(**how)))  # type: ignore[arg-type]
            channel = SmtpChannel(SmtpSettings("127.0.0.1", server.port, timeout=timeout))
            stack.callback(channel.close)
            return server, channel

        yield begin


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_mail_arrives_byte_for_byte_with_its_dots_doubled(start: Start, pipelining: bool) -> None:
    server, channel = start(pipelining=pipelining)
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    assert server.bodies == [b"Subject: Hi\r\n\r\n..dot\r\nHello\r\n.."] * 2
    assert server.sessions == 1
    assert server.commands[1:4] == ["MAIL FROM:<news@mill.test>", "RCPT TO:<ada@post.test>", "DATA"]
    one_packet = b"MAIL FROM:<news@mill.test>\r\nRCPT TO:<ada@post.test>\r\nDATA\r\n"
    assert (one_packet in server.packets) is pipelining


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("command", "answer", "outcome"),
    [
        ("MAIL", "550 5.7.1 Not you", Outcome.SENDER),
        ("MAIL", "451 4.3.0 Not you now", Outcome.SENDER),
        ("RCPT", "421 4.3.2 Closing", Outcome.DOWN),
        ("DATA", "421 4.3.2 Closing", Outcome.DOWN),
        (".", "421 4.3.2 Closing", Outcome.DOWN),
        ("RCPT", "450 4.2.0 Greylisted", Outcome.DEFERRED),
        ("RCPT", "550 5.1.1 No such user", Outcome.REFUSED),
        ("RCPT", "552 5.2.2 Mailbox full", Outcome.FAILED),
        ("DATA", "451 4.3.0 Not now", Outcome.DEFERRED),
        ("DATA", "554 5.7.1 No", Outcome.FAILED),
        (".", "452 4.3.1 No room", Outcome.DEFERRED),
        (".", "554 5.6.0 Looks like spam", Outcome.FAILED),
        (".", None, Outcome.UNKNOWN),
    ],
)
def test_each_answer_means_what_it_says_and_the_next_mail_goes(
    start: Start, pipelining: bool, command: str, answer: str | None, outcome: Outcome
) -> None:
    server, channel = start(pipelining=pipelining, answers={command: answer})
    told = channel.hand_over(MAIL)
    assert told.outcome is outcome
    assert told.said == (answer or told.said)
    assert not any(server.bodies)
    server.answers.clear()
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    assert sum(map(bool, server.bodies)) == 1


def test_a_body_that_the_server_takes_for_a_refused_recipient_is_empty(start: Start) -> None:
    server, channel = start(answers={"RCPT": "550 5.1.1 No such user"})
    assert channel.hand_over(MAIL).outcome is Outcome.REFUSED
    # RFC 2920: the server had said 354 to DATA, so a lone dot ends what nobody is to get.
    assert server.bodies == [b""]
    server.answers.clear()
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    assert server.sessions == 1


def test_hanging_up_in_the_body_lets_it_come_again(start: Start) -> None:
    server, channel = start(cut_body_after=1)
    large = Envelope(MAIL.sender, MAIL.recipient, b"Subject: Hi\r\n\r\n" + b"x" * 70 + b"\r\n" * 4_000_000)
    assert channel.hand_over(large).outcome is Outcome.LOST
    assert server.bodies == []


def test_hanging_up_before_anything_was_said_costs_nothing_and_a_second_time_the_channel_is_down(
    start: Start,
) -> None:
    server, channel = start()
    assert channel.hand_over(MAIL).outcome is Outcome.SENT
    server.answers["MAIL"] = None
    assert channel.hand_over(MAIL).outcome is Outcome.DOWN
    assert server.sessions == 2


def test_a_server_too_slow_after_the_last_dot_leaves_it_unknown(start: Start) -> None:
    _, channel = start(timeout=0.3, wait=1.0)
    assert channel.hand_over(MAIL).outcome is Outcome.UNKNOWN


def test_an_address_beyond_ascii_needs_a_server_that_takes_it(start: Start) -> None:
    letter = Envelope("news@mill.test", "jørgen@post.test", MAIL.data)
    server, channel = start()
    assert channel.hand_over(letter).outcome is Outcome.SENT
    assert "RCPT TO:<jørgen@post.test>" in server.commands
    assert "MAIL FROM:<news@mill.test> SMTPUTF8" in server.commands
    _, plain = start(pipelining=False)
    assert plain.hand_over(letter).outcome is Outcome.FAILED
