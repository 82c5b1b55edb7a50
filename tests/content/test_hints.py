"""Hints beside the preview: what is said of a mail, and what is not."""

from __future__ import annotations

import pytest

from content.compile import Source, compile_email
from content.hints import hints
from content.sandbox import HTML, TEXT
from content.starters import STARTERS
from content.tree import tag_tree
from tests.content.conftest import mail


def said(
    mjml: str,
    *,
    subject: str = "News",
    preheader: str = "Look",
    address: str = "1 Mill Lane\nOslo",
    own_text: str | None = None,
) -> list[str]:
    compiled = compile_email(Source(subject, mjml, preheader, own_text), tree=tag_tree([])).compiled
    assert compiled is not None
    links = {
        name: f"https://m.test/m/{name[0]}/x" for name in ("unsubscribe", "preferences", "view_in_browser")
    }
    values = {"links": links, "tenant": {"name": "Acme", "postal_address": address}}
    return hints(
        subject=subject, mjml=mjml, compiled=compiled, mail=HTML.from_string(compiled.html).render(values),
        text=TEXT.from_string(compiled.text).render(values), postal_address=address, preheader=preheader,
        our_name="Acme",
    )  # fmt: skip


WORDS = "word " * 30


def with_image(attributes: str, words: str = WORDS) -> str:
    return mail(words).replace("</mj-column>", f"<mj-image {attributes} /></mj-column>")


def test_nothing_is_said_of_a_mail_that_is_right() -> None:
    source = with_image('src="https://a.test/x.png" alt=""').replace(
        "word ", '<a href="https://a.test/">word</a> ', 1
    )
    assert said(source) == []


@pytest.mark.parametrize(
    ("source", "more", "hint"),
    [
        (mail(WORDS), {"subject": "x" * 61}, "The subject has 61 characters: phones show about 60."),
        (mail(WORDS), {"subject": "BUY NOW"}, "A subject in capital letters looks like spam."),
        (mail(WORDS), {"preheader": ""}, "There is no preheader: inboxes show the first words of the mail instead."),
        (
            mail(WORDS), {"address": " "},
            "There is no postal address: many countries require one. An administrator sets it under Brand.",
        ),
        (with_image('src="https://a.test/x.png"'), {}, "1 image has no text for those who do not see it."),
        (with_image('src="" alt=""'), {}, "1 image is not chosen yet."),
        (
            with_image('src="https://a.test/x.png" alt="x"', "Hi"), {},
            "The mail is nearly all image: filters take that for spam, and many people see no images at first.",
        ),
        (mail(WORDS + "<a href='#'>x</a><a href=''>y</a>"), {}, "2 links lead nowhere."),
        (mail(WORDS + "<a href='https://shop/a'>x</a>"), {}, "1 link is no whole address: https://shop/a"),
        (
            mail(WORDS + "<a href='https://https://a.test/'>x</a>"), {},
            "1 link is no whole address: https://https://a.test/",
        ),
        (mail(WORDS + "<a href='https://www.example.com/a'>x</a>"), {}, "1 link still leads to example.com."),
        (
            mail(WORDS * 800), {},
            "The mail is larger than 102 KB: Gmail cuts it off, with the link to unsubscribe.",
        ),
    ],
)  # fmt: skip
def test_each_hint_is_said_alone(source: str, more: dict[str, str], hint: str) -> None:
    assert said(source, **more) == [hint]


@pytest.mark.parametrize(
    "address",
    [
        "https://a.test/?to=https://b.test/", "http://localhost:8000/", "https://a.test/{{ tenant.name|urlencode }}",
        "https://blåbær.example.no/ø", "mailto:a@b.test", "tel:+4790000000",
    ],
)  # fmt: skip
def test_a_whole_address_is_not_called_broken(address: str) -> None:
    assert said(mail(WORDS + f'<a href="{address}">x</a>')) == []


def test_a_starter_needs_only_its_links() -> None:
    for starter in STARTERS:
        found = said(starter.mjml, subject=starter.subject)
        assert all("example.com" in hint or hint.startswith("The subject has") for hint in found), (
            starter.name,
            found,
        )


NOTHING = "The plain text says nothing but the footer: some programs and filters read only that."
ALL_IMAGE = (
    "The mail is nearly all image: filters take that for spam, and many people see no images at first."
)


def test_a_footer_is_no_text_part_and_no_words_beside_an_image() -> None:
    """Every marketing mail has a footer: it must not hide that there is nothing else."""
    assert said(mail(WORDS), own_text=" \n") == [NOTHING]
    assert said(mail(WORDS), own_text="Hello") == []
    assert said(with_image('src="https://a.test/x.png" alt=""', "")) == [NOTHING, ALL_IMAGE]
    long = "1 Mill Lane\n" + "\n".join(f"Line {number} of the address" for number in range(9))
    few = with_image('src="https://a.test/x.png" alt="A mill in the snow"', "Two words")
    assert said(few, address=long, preheader="A preheader is no word beside the image either") == [ALL_IMAGE]
