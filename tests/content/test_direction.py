"""The language of a mail in its markup: every variant says its own, and begins at the side it is read from."""

from __future__ import annotations

import re

import pytest

from content.compile import Source, compile_email
from content.direction import directed, direction_of
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from content.operations.variants import add_variant, copy_email, set_language
from content.rendering import render_preview
from content.tree import tag_tree
from core.tenancy import tenant_scope
from tests.fixtures.people import LAST_MONDAY, Person

MJML = """<mjml><mj-body><mj-section>
<mj-column><mj-text>مرحبا {{ contact.first_name|default("") }}</mj-text></mj-column>
<mj-column><mj-text align="left">Left</mj-text><mj-button href="https://a.test/">اقرأ</mj-button></mj-column>
</mj-section></mj-body></mjml>"""


def html(language: str, mjml: str = MJML) -> str:
    """Compile and return the HTML."""
    result = compile_email(Source("خبر", mjml, language=language), tree=tag_tree([]))
    assert result.compiled is not None, result.problems
    return result.compiled.html


def said(page: str) -> tuple[str, str]:
    """Return the language and the direction of the page, which the mail itself says as well."""
    root = re.search(r'<html lang="([^"]*)" dir="([^"]*)"', page)
    inside = re.search(r'role="article" lang="([^"]*)" dir="([^"]*)"', page)
    assert root is not None
    assert inside is not None
    assert root.groups() == inside.groups()
    return root[1], root[2]


@pytest.mark.parametrize("language", ["ar", "he", "fa", "ur", "ar-dz"])
def test_a_mail_from_right_to_left_says_so_and_begins_at_the_right(language: str) -> None:
    page = html(language)
    assert said(page) == (language, "rtl")
    texts = re.findall(r"text-align:(\w+);?[^>]*>(مرحبا|Left)", page)
    assert texts == [("right", "مرحبا"), ("left", "Left")]
    # A section with two columns, and the footer that a mail without one gets.
    assert page.count("direction:rtl") == 5
    assert "direction:ltr" not in page


@pytest.mark.parametrize(("language", "expected"), [("de", "ltr"), ("pt-br", "ltr"), ("zh", "ltr")])
def test_a_mail_from_left_to_right_says_its_language(language: str, expected: str) -> None:
    page = html(language)
    assert said(page) == (language, expected)
    assert re.findall(r"text-align:(\w+);?[^>]*>مرحبا", page) == ["left"]


def test_where_nobody_said_the_readers_program_decides() -> None:
    assert said(html("")) == ("und", "auto")
    assert direction_of("") == ""


def test_what_the_source_says_itself_wins() -> None:
    own = MJML.replace("<mjml>", '<mjml lang="en" dir="ltr">').replace(
        "<mj-section>", '<mj-section direction="ltr">'
    )
    page = html("ar", own)
    assert said(page) == ("en", "ltr")
    headed = MJML.replace(
        "<mj-body>", '<mj-head><mj-attributes><mj-text align="center" /></mj-attributes></mj-head><mj-body>'
    )
    assert re.findall(r"text-align:(\w+);?[^>]*>مرحبا", html("ar", headed)) == ["center"]
    half = directed('<mjml dir="auto"><mj-body></mj-body></mjml>', "he")
    assert '<mjml dir="auto" lang="he">' in half
    # A merge tag that looks like markup is none.
    assert directed("{{ '<mjml>' }}<mjml><mj-body/></mjml>", "de").endswith(
        '<mjml lang="de" dir="ltr"><mj-body/></mjml>'
    )


@pytest.mark.django_db(transaction=True)
def test_every_language_of_an_email_says_its_own_also_in_a_copy(wendy: Person) -> None:
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="News", actor=wendy.user, now=LAST_MONDAY)
        saved = save_email(
            email_id=email.pk,
            draft=Draft("News", "News", MJML),
            revision=0,
            actor=wendy.user,
            now=LAST_MONDAY,
        ).email
        assert saved.current is not None
        assert said(saved.current.html) == ("und", "auto")
        variant = add_variant(
            email_id=email.pk, language="he", revision=saved.revision, actor=wendy.user, now=LAST_MONDAY
        )
        assert variant.current is not None
        assert said(variant.current.html) == ("he", "rtl")
        first = Email.objects.get(pk=email.pk)
        set_language(
            email_id=email.pk, language="fa", revision=first.revision, actor=wendy.user, now=LAST_MONDAY
        )
        after = Email.objects.select_related("current").get(pk=email.pk)
        assert after.current is not None
        assert after.current_id != first.current_id
        assert said(after.current.html) == ("fa", "rtl")
        assert after.revision == first.revision + 1
        copy = copy_email(email_id=email.pk, actor=wendy.user, now=LAST_MONDAY)
        copied = Email.objects.select_related("current").get(pk=copy.pk)
        assert copied.current is not None
        assert said(copied.current.html) == ("fa", "rtl")
        assert [said(one.current.html) for one in copied.variants.all() if one.current] == [("he", "rtl")]


@pytest.mark.django_db(transaction=True)
def test_the_preview_of_a_language_is_what_its_contacts_get(wendy: Person) -> None:
    with tenant_scope(wendy.tenant.pk):
        result = compile_email(Source("خبر", MJML, language="ur"), tree=tag_tree([]))
        assert result.compiled is not None
        shown = render_preview(result.compiled, contact_id=None)
    assert said(shown.html) == ("ur", "rtl")  # type: ignore[union-attr]
