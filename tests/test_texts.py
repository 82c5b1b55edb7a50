"""What recipients read is there in every language, whole, and in nobody else's words."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po

from core.texts import ENGLISH, TEXTS_IN, countries_in, languages_in, sort_key, spoken
from tools.texts import LOCALE, catalogs, sources

_VALUES = re.compile(r"%\(\w+\)s|</?\w+>")


def test_every_language_has_a_catalog_and_no_other_has() -> None:
    assert {path.parent.parent.name for path in catalogs()} == set(TEXTS_IN) - {ENGLISH}


@pytest.mark.parametrize("language", sorted(set(TEXTS_IN) - {ENGLISH}))
def test_a_catalog_says_everything_that_is_marked_with_the_same_values(language: str) -> None:
    with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    said = {message.id: message for message in catalog if message.id}
    assert set(said) == {message.id for message in sources() if message.id}, "run tools/texts.py collect"
    for message in said.values():
        ids, strings = message.id, message.string
        english = ids if isinstance(ids, str) else ids[-1]
        for text in [strings] if isinstance(strings, str) else strings or [""]:
            assert text, english
            assert sorted(_VALUES.findall(text)) == sorted(_VALUES.findall(english)), text
        assert not message.fuzzy, ids


@pytest.mark.parametrize(
    ("wanted", "accepted", "expected"),
    [
        (("de",), "fr", "de"),
        (("de-at",), "", "de"),
        (("no",), "", "nb"),
        (("nn", "de"), "", "nb"),
        (("", "fi"), "pl,sv;q=0.8,en;q=0.5", "sv"),
        (("fi",), "", "en"),
        (("", ""), "*", "en"),
        (("",), "ar-EG,ar;q=0.9", "ar"),
        (("x" * 900,), "q=" * 400, "en"),
    ],
)
def test_the_first_language_that_we_have_is_spoken(
    wanted: tuple[str, ...], accepted: str, expected: str
) -> None:
    assert spoken(*wanted, accepted=accepted) == expected


def test_countries_and_languages_have_their_names_and_their_order() -> None:
    assert countries_in("de")["AT"] == "Österreich"
    assert countries_in("ar")["NO"] == "النرويج"
    assert languages_in("fr")["pt-br"] == "portugais brésilien"
    assert sorted(["Zypern", "Österreich", "Oman"], key=sort_key("de")) == ["Oman", "Österreich", "Zypern"]
    assert sorted(["Åland", "Zambia", "Albania"], key=sort_key("nb")) == ["Albania", "Zambia", "Åland"]
