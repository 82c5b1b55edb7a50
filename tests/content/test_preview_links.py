"""Where the links of a preview lead: to the address behind each, also where a merge tag stands for it in the words."""

from __future__ import annotations

import pytest

from content.operations.emails import Draft, compile_draft
from content.operations.links import LinkDraft, create_link
from content.rendering import render_preview
from core.tenancy import tenant_scope
from delivery.rendering import Rendered
from tests.content.conftest import mail
from tests.fixtures.people import LAST_MONDAY, Person

pytestmark = pytest.mark.django_db(transaction=True)


def shown(wendy: Person, inside: str, own_text: str | None = None) -> Rendered:
    """Return the preview of a mail, for nobody in particular."""
    with tenant_scope(wendy.tenant.pk):
        for draft in (
            LinkDraft(name="Offer", url="https://a.test/offer?q=1&c={{ contact.first_name }}"),
            LinkDraft(name="Terms <b>", shows="text", heading="Terms", text="Be kind."),
        ):
            create_link(draft=draft, actor=None, now=LAST_MONDAY)
        result = compile_draft(Draft("News", "News", mail(inside), own_text=own_text))
        assert result.compiled is not None, result.problems
        found = render_preview(result.compiled, contact_id=None)
    assert isinstance(found, Rendered)
    return found


def test_a_registered_link_says_its_address_in_the_words_and_in_the_plain_text(wendy: Person) -> None:
    found = shown(wendy, 'Go to {{ links.offer }} or <a href="{{ links.offer }}">here</a>.')
    address = "https://a.test/offer?q=1&amp;c="
    assert f"Go to {address} or" in found.html
    assert f'href="{address}"' in found.html
    assert "#link-" not in found.html
    assert "Go to https://a.test/offer?q=1&c= or here: https://a.test/offer?q=1&c=." in found.text


def test_a_link_that_shows_a_text_is_named_and_ours_look_like_ours(wendy: Person) -> None:
    found = shown(wendy, "{{ links.terms_b }} and {{ links.unsubscribe }}")
    assert "[Terms &lt;b&gt;]" in found.html
    assert "[Terms <b>]" in found.text
    assert "/m/u/…" in found.html
    assert "/m/u/…" in found.text
    assert "#unsubscribe" not in found.html + found.text


def test_an_ordinary_link_leads_where_it_was_written_to(wendy: Person) -> None:
    own = "See https://b.test/x and {{ links.offer }}"
    found = shown(wendy, '<a href="https://b.test/?a=1&amp;b=2">x</a>', own)
    assert 'href="https://b.test/?a=1&amp;b=2"' in found.html
    assert "See https://b.test/x and https://a.test/offer?q=1&c=" in found.text
