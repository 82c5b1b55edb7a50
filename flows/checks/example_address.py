"""A message or webhook with an address that is still an example: templates leave them to be filled in.

A warning: the flow runs, but whoever presses the button comes to example.com.
"""

from __future__ import annotations

from collections.abc import Iterator

from content.hints import names_example
from content.queries import links_of_emails
from content.queries_link import link_urls
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument, StepNode
from flows.steps.base import CheckContext


class ExampleAddress(Check):
    """See the module."""

    name = "example_address"
    label = "An address that is still an example"
    description = "A link of an email or text, or a webhook's address, that still leads to example.com."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield the steps that send one. At most three queries."""
        sending = [node for node in document.walk() if node.kind == "send_email"]
        emails = sorted({email for node in sending if isinstance(email := node.settings.get("email"), int)})
        held = links_of_emails(emails) if emails else {}
        registered = sorted({pk for links in held.values() for _, pk in links if pk})
        leads = link_urls(registered) if registered else {}
        examples = {
            email: sum(names_example(leads.get(pk, "") if pk else url) for url, pk in links)
            for email, links in held.items()
        }
        for node in document.walk():
            yield from (self.at_step(node, text, place) for text, place in _said_of(node, examples, ctx))


def _said_of(node: StepNode, examples: dict[int, int], ctx: CheckContext) -> Iterator[tuple[str, str]]:
    settings = node.settings
    if node.kind == "send_email" and (count := examples.get(settings.get("email") or 0)):
        name = ctx.name("email", settings.get("email")) or "The email"
        links = "A link" if count == 1 else f"{count} links"
        yield f"{links} in “{name}” still lead{'s' if count == 1 else ''} to example.com", "email"
    if node.kind in {"send_sms", "notify_by_sms"}:
        languages = settings.get("languages") or ()
        texts = [settings.get("text"), *(one.get("text") for one in languages if isinstance(one, dict))]
        if any(names_example(text) for text in texts if isinstance(text, str)):
            yield "A link in the text still leads to example.com", "text"
    if node.kind == "webhook" and names_example(str(settings.get("url", ""))):
        yield "The address is still an example", "url"
