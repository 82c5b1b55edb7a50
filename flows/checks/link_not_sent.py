"""A wait or split on a link, or on an open, that no earlier message on its path holds.

A warning: registered links may stand in other messages, and an earlier participation may have sent the email.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

from content.queries import links_of_emails
from content.queries_link import link_keys
from content.sms import links_in
from flows.checks.actions import actions_of
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument, StepNode
from flows.steps.actions import Action
from flows.steps.base import CheckContext

_ASKED = frozenset({"link", "url", "email_link", "open"})


class LinkNotSent(Check):
    """See the module."""

    name = "link_not_sent"
    label = "A link or email not sent before"
    description = (
        "A wait or split on a link, or on the opening of an email, that no earlier step on its path sends."
    )

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each action that nothing earlier makes possible. At most three queries."""
        asked = [
            (node, action, place, sent)
            for node, sent in _walk(document.steps, ())
            for action, place in actions_of(node)
            if action.kind in _ASKED
        ]
        if not asked:
            return
        known = _Known.of(document)
        for node, action, place, sent in asked:
            message = _missing(action, sent, known, ctx)
            if message:
                branch = next((f"“{b.name}”: " for b in node.branches if str(b.id) == place), "")
                text = f"{branch}{message}" if branch else f"{message[0].upper()}{message[1:]}"
                yield self.at_step(node, text, place)


Sent = tuple[StepNode, ...]


def _walk(steps: Sequence[StepNode], sent: Sent) -> Generator[tuple[StepNode, Sent], None, Sent]:
    """Yield every step with the messages that may have been sent before it; return those sent at the end."""
    for node in steps:
        yield node, sent
        if node.kind in {"send_email", "send_sms"}:
            sent = (*sent, node)
        if node.branches:
            # Whoever comes out of the split came by one of the branches that join again.
            ways = []
            for branch in node.branches:
                after = yield from _walk(branch.steps, sent)
                if branch.exit is None:
                    ways.append(after)
            sent = tuple({step.id: step for way in ways for step in way}.values())
    return sent


@dataclass(frozen=True, slots=True)
class _Known:
    """The links of the flow's emails (addresses, and ids of registered ones), and the ids of those in its SMS."""

    emails: Mapping[int, Sequence[tuple[str, int | None]]]
    links: Mapping[str, int]

    @staticmethod
    def of(document: FlowDocument) -> _Known:
        emails = {_email(node) for node in document.walk()} - {None}
        keys = {key for node in document.walk() for key in _sms_keys(node)}
        ids = [number for number in emails if number is not None]
        return _Known(links_of_emails(ids), link_keys(keys) if keys else {})


def _email(node: StepNode) -> int | None:
    number = node.settings.get("email") if node.kind == "send_email" else None
    return number if isinstance(number, int) else None


def _sms_keys(node: StepNode) -> set[str]:
    return links_in(str(node.settings.get("text") or "")) if node.kind == "send_sms" else set()


def _missing(action: Action, sent: Sent, known: _Known, ctx: CheckContext) -> str:
    """Return what no earlier message holds, or nothing. What was deleted is a problem of its own."""
    emails = {email for node in sent if (email := _email(node)) is not None}
    if action.email is not None:
        return _missing_in_email(action, action.email, emails, known, ctx)
    if action.kind in {"email_link", "open"}:
        return "" if emails else "no email is sent before this step"
    name = ctx.name("link", action.id)
    in_emails = {pk for email in emails for _, pk in known.emails.get(email, ())}
    in_sms = {known.links.get(key) for node in sent for key in _sms_keys(node)}
    there = name is None or action.id in in_emails | in_sms
    return "" if there else f"no earlier message of the flow holds “{name}”"


def _missing_in_email(action: Action, email: int, sent: set[int], known: _Known, ctx: CheckContext) -> str:
    name = ctx.name("email", email)
    if name is None:
        return ""
    if email not in sent:
        return f"“{name}” is not sent before this step"
    if action.kind in {"email_link", "open"} or email not in known.emails:
        return ""
    held = known.emails[email]
    if action.kind == "url":
        return "" if any(url == action.url for url, _ in held) else f"“{name}” does not hold {action.url}"
    link = ctx.name("link", action.id) or "the link"
    return "" if any(pk == action.id for _, pk in held) else f"“{name}” does not hold “{link}”"
