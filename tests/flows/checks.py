"""What tests of the checks share: a link, an email that holds it, a closed form, and what a check finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from content.models import Email, Form, TrackedLink
from content.operations.emails import Draft, create_email, save_email
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from core.tenancy import tenant_scope
from flows.checking import check_context
from flows.checks.table import CHECKS
from flows.document import FlowDocument, StepNode
from tests.fixtures.people import Person
from tests.flows.conftest import NOW


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


@pytest.fixture
def offer() -> TrackedLink:
    return create_link(draft=LinkDraft(name="Offer", url="https://a.test/"), actor=None, now=NOW)


@pytest.fixture
def mail(alice: Person, offer: TrackedLink) -> Email:
    """An email that holds the offer and an ordinary link."""
    made = create_email(name="News", actor=alice.user, now=NOW)
    body = f'<a href="{{{{ links.{offer.key} }}}}">Offer</a> <a href="https://b.test/x">More</a>'
    mjml = f"<mjml><mj-body><mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section></mj-body></mjml>"
    draft = Draft(name="News", subject="News", mjml=mjml)
    save_email(email_id=made.pk, draft=draft, revision=made.revision, actor=alice.user, now=NOW)
    return made


@pytest.fixture
def closed(alice: Person) -> Form:
    return create_form(name="Sign-up", actor=alice.user, now=NOW)


def found(name: str, *steps: StepNode, **changes: Any) -> list[tuple[str, str, str]]:
    """Return (title, message, place) of what one check finds."""
    document = FlowDocument(steps=steps).model_copy(update=changes)
    return [(p.title, p.message, p.place) for p in CHECKS[name].find(document, check_context(document))]
