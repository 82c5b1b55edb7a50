"""What a writer writes becomes a mail, or problems at their place."""

from __future__ import annotations

import re

import pytest

from content.starters import STARTERS
from tests.content.conftest import Compile, mail


def problems(compile_it: Compile, mjml: str, **more: str) -> list[str]:
    return [str(problem) for problem in compile_it(mjml, **more).problems]


def html(compile_it: Compile, mjml: str, **more: str) -> str:
    result = compile_it(mjml, **more)
    assert result.compiled is not None, [str(problem) for problem in result.problems]
    return result.compiled.html


def test_styles_are_inlined_and_kept_for_small_screens(compiled: Compile) -> None:
    source = mail("<p class='x'>Hello</p>").replace(
        "<mj-body>",
        "<mj-head><mj-style>.x { color: #aa0000 } @media (max-width: 480px) { .x { color: red } }</mj-style></mj-head>"
        "<mj-body>",
    )
    page = html(compiled, source)
    assert re.search(r'<p class="x" style="[^"]*color:#a00', page)
    assert "@media (max-width: 480px)" in page.replace("max-width:480px", "max-width: 480px")


def test_nothing_is_fetched_from_anybody(compiled: Compile) -> None:
    page = html(compiled, mail("Hello").replace("<mj-text>", '<mj-text font-family="Ubuntu, Roboto, Lato">'))
    assert "googleapis" not in page
    assert "mailjet" not in page
    assert not re.search(r'<link[^>]+href="http', page)


def test_a_comparison_in_a_tag_does_not_break_the_markup(compiled: Compile) -> None:
    page = html(compiled, mail('{% if contact.name < "m" %}early{% else %}late{% endif %}'))
    assert '{% if contact.name < "m" %}early{% else %}late{% endif %}' in page


def test_an_escaped_comparison_is_unescaped(compiled: Compile) -> None:
    assert '{% if contact.name < "m" %}' in html(
        compiled, mail('{% if contact.name &lt; "m" %}early{% endif %}')
    )


def test_tags_in_addresses_survive(compiled: Compile) -> None:
    result = compiled(mail('<a href="https://example.com/?a={{ contact.email|urlencode }}&amp;b=1">Go</a>'))
    assert result.compiled is not None
    [link] = result.compiled.links
    assert (link.number, link.url, link.label) == (
        1, "https://example.com/?a={{ contact.email|urlencode }}&b=1", "Go",
    )  # fmt: skip
    assert re.search(r'<a href="\{\{ _click \}\}1" style="color:#0a5e49">Go</a>', result.compiled.html)


def test_outlook_comments_survive(compiled: Compile) -> None:
    page = html(compiled, mail("Hello"))
    assert page.count("<!--[if ") == page.count("<![endif]-->") > 8
    assert '<!--[if mso | IE]><table border="0"' in page


def test_conditions_may_stand_between_blocks(compiled: Compile) -> None:
    source = mail("One").replace(
        "<mj-body>", '<mj-body>{% if contact.country == "NO" %}<mj-section><mj-column><mj-text>Hei</mj-text>'
        "</mj-column></mj-section>{% endif %}",
    )  # fmt: skip
    page = html(compiled, source)
    assert (
        page.index("{% if contact.country")
        < page.index("Hei")
        < page.index("{% endif %}")
        < page.index("One")
    )


def test_an_email_without_an_unsubscribe_link_gets_one_with_the_postal_address(compiled: Compile) -> None:
    result = compiled(mail("Hello"))
    assert result.compiled is not None
    for part in (result.compiled.html, result.compiled.text):
        assert "{{ links.unsubscribe }}" in part
        assert "{{ tenant.postal_address }}" in part


def test_an_unsubscribe_link_of_its_own_is_enough(compiled: Compile) -> None:
    page = html(compiled, mail('<a href="{{ links.unsubscribe }}">Leave</a>'))
    assert page.count("links.unsubscribe") == 1
    assert "postal_address" not in page


def test_an_unsubscribe_link_that_only_some_would_see_is_not_enough(compiled: Compile) -> None:
    source = mail('{% if contact.country == "NO" %}<a href="{{ links.unsubscribe }}">Leave</a>{% endif %}')
    assert html(compiled, source).count("links.unsubscribe") == 2


def test_the_text_part_is_made_from_the_content(compiled: Compile) -> None:
    result = compiled(
        mail(
            '<h1>Title</h1><p>Hello&nbsp;you<br>there</p><ul><li>One</li><li><a href="https://e.test/">Two</a></li></ul>'
        )
    )
    assert result.compiled is not None
    assert result.compiled.text.startswith("Title\n\nHello you\nthere\n\n- One\n- Two: {{ _click }}1\n")


def test_lines_that_a_mail_keeps_are_lines_of_its_text_too(compiled: Compile) -> None:
    kept = (
        '<span style="color:red;white-space: pre-line">{{ tenant.name }}\n{{ tenant.postal_address }}</span>'
    )
    result = compiled(mail(f"<p>One\ntwo</p><p>{kept} and\nmore</p>"))
    assert result.compiled is not None
    text = result.compiled.text
    assert text.startswith("One two\n\n{{ tenant.name }}\n{{ tenant.postal_address }} and more\n")
    # The footer of ours as well: the name stands on a line of its own.
    assert text.count("{{ tenant.name }}\n{{ tenant.postal_address }}\n") == 1


def test_links_of_an_own_text_are_tracked_too(compiled: Compile) -> None:
    result = compiled(mail("Hello"), own_text="See https://example.com/a?x={{ contact.email }}. Bye")
    assert result.compiled is not None
    assert "See {{ _click }}1. Bye" in result.compiled.text
    assert [link.url for link in result.compiled.links] == ["https://example.com/a?x={{ contact.email }}"]
    assert "Unsubscribe: {{ links.unsubscribe }}" in result.compiled.text


def test_mail_and_phone_links_are_not_tracked(compiled: Compile) -> None:
    result = compiled(mail('<a href="mailto:a@b.test">M</a><a href="tel:+4712">T</a><a href="#top">A</a>'))
    assert result.compiled is not None
    assert result.compiled.links == ()
    assert 'href="mailto:a@b.test"' in result.compiled.html


def test_the_preheader_comes_first_and_the_pixel_last(compiled: Compile) -> None:
    page = html(compiled, mail("Hello"), preheader="Look, {{ contact.first_name }}")
    assert page.index("Look, {{ contact.first_name }}") < page.index("Hello") < page.index("{{ _open }}")


@pytest.mark.parametrize("starter", list(STARTERS), ids=lambda starter: starter.name)
def test_every_starter_compiles(compiled: Compile, starter: object) -> None:
    result = compiled(starter.mjml, subject=starter.subject)  # type: ignore[attr-defined]
    assert result.compiled is not None, [str(problem) for problem in result.problems]
    assert result.compiled.size < 30_000


# --- problems at their place --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("{{ contact.first_nam }}", "line 2, column 4: There is no merge tag “contact.first_nam”. Did you mean"),
        ("a\n  {{ foo }}", "line 3, column 6: There is no merge tag “foo”."),
        ("{{ contact.first_name", "line 2, column 1: This merge tag is opened but not closed."),
        ("{% if %}x{% endif %}", "line 2, column 1: This merge tag is not written right"),
        ("{{ contact.name|shout }}", "line 2, column 17: There is no filter"),
        ("<b>x", "line 2, column 5: “b” of line 2, column 1 must be closed before “mj-text”."),
        ("1 < 2", "line 2, column 3: This “<” begins no element."),
        ("<mj-txt>x</mj-txt>", "line 2, column 1: There is no element “mj-txt”."),
        ("<script>x</script>", "line 2, column 1: Mail programs do not run scripts"),
        ('<b onclick="x()">y</b>', "line 2, column 4: Mail programs do not run scripts: take “onclick” out."),
        ('<a href="javascript:alert(1)">x</a>', "line 2, column 10: A link cannot begin with “javascript:”."),
        ('<a href="JaVa&#10;ScRiPt:x">x</a>', "line 2, column 10: A link cannot begin with “JaVaScRiPt:”."),
        ('<a href="data:text/html,x">x</a>', "line 2, column 10: A link cannot begin with “data:”."),
        ('<a href="//evil.test/">x</a>', "line 2, column 10: A link begins with https://"),
        ('<a href="{{ company.website }}">x</a>', "line 2, column 10: A link begins with https://"),
        ('<a href="https://{{ company.name }}/">x</a>', "line 2, column 10: Write the site's name out"),
        ('<a href="https://good.test{{ contact.name }}">x</a>', "line 2, column 10: Write the site's name out"),
        ('<a href="https://good.test@evil.test/">x</a>', "line 2, column 10: Write the site's name out"),
        ('<a {{ contact.name }}="x">x</a>', "line 2, column 4: A merge tag can stand inside the value"),
        ('<img src="javascript:x" />', "line 2, column 11: An image's address begins with https://."),
    ],
)  # fmt: skip
def test_a_problem_is_named_with_its_place(compiled: Compile, inside: str, problem: str) -> None:
    found = problems(compiled, mail(inside))
    assert found, "it compiled"
    assert any(text.startswith(f"Content, {problem}") for text in found), found


def test_places_of_other_fields_are_named(compiled: Compile) -> None:
    assert problems(compiled, mail("x"), subject="Hi {{ contact.nam }}") == [
        "Subject, column 7: There is no merge tag “contact.nam”. Did you mean “contact.name”?"
    ]
    assert problems(compiled, mail("x"), subject=" ") == ["Subject: Write a subject."]


@pytest.mark.parametrize(
    "source",
    ["", "<mjml></mjml>", "hello", "<html></html>", "<mjml><mj-body>", "</mjml>", "\x00", "<" * 5000],
)
def test_what_is_no_email_is_refused(compiled: Compile, source: str) -> None:
    assert problems(compiled, source)


def test_a_misplaced_element_says_where_it_belongs(compiled: Compile) -> None:
    assert problems(compiled, "<mjml><mj-body><mj-text>x</mj-text></mj-body></mjml>") == [
        (
            "Content, line 1, column 16: “mj-text” cannot stand directly inside “mj-body”: "
            "it belongs inside mj-column or mj-hero."
        )
    ]


def test_a_huge_source_is_refused_at_once(compiled: Compile) -> None:
    assert problems(compiled, mail("x" * 400_000)) == [
        "Content: The content is longer than 300,000 characters."
    ]


@pytest.mark.parametrize("letters", ["zzJ", "zzJ0Jzz", "zzJQ", "zzJQQ1Jzz", "zzJzzJQzzJQQ"])
def test_an_address_with_the_letters_of_our_own_marks_stays_as_it_is(compiled: Compile, letters: str) -> None:
    address = f"https://example.com/f/{letters}beo4/"
    result = compiled(mail(f'<a href="{address}">Go {letters}</a> {{{{ contact.first_name }}}}'))
    assert result.compiled is not None
    assert [link.url for link in result.compiled.links] == [address]
    assert f"Go {letters}</a> {{{{ contact.first_name }}}}" in result.compiled.html
