"""How long an SMS is, and what its text may hold."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from content.sms import compile_text, expected_length, length_of, parts_text, text_problems
from content.tree import known_tree, tag_tree


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("Æøå ñ ¿ Σ@$_\n", "GSM-7", 13, 1),
        ("^{}\\[~]|€", "GSM-7", 18, 1),
        # An extended character is never cut in half: 152 + 2 do not fit into the first part.
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ą" * 70, "UCS-2", 70, 1),
        ("ą" * 71, "UCS-2", 71, 2),
        ("ą" * 134, "UCS-2", 134, 2),
        ("ą" * 135, "UCS-2", 135, 3),
        ("🚀" * 35, "UCS-2", 70, 1),
        ("🚀" * 36, "UCS-2", 72, 2),
        ("“quoted”", "UCS-2", 8, 1),
        ("`", "UCS-2", 1, 1),
    ],
)
def test_characters_and_segments_are_counted_as_networks_do(
    text: str, encoding: str, units: int, segments: int
) -> None:
    length = length_of(text)
    assert (length.encoding, length.units, length.segments, length.characters) == (
        encoding,
        units,
        segments,
        len(text),
    )


def test_tags_and_links_count_as_what_they_become() -> None:
    assert expected_length("Hi {{ contact.first_name }}!").characters == 14
    assert expected_length("{% if contact.country %}x{% endif %}").characters == 1
    long = expected_length(f"See https://example.com/{'a' * 300}")
    assert long.characters < 80
    assert expected_length("See {{ links.autumn }}").characters == long.characters
    assert parts_text(length_of("a" * 161)) == "161 characters, 2 segments (GSM-7)"
    assert parts_text(length_of("ą")) == "1 character, 1 segment (UCS-2)"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "Write a text."),
        ("  \n ", "Write a text."),
        ("Hi {{ contact.frist_name }}", "Did you mean “contact.first_name”?"),
        ("Hi\n{{ contact.first_name", "text, line 2, column 1: This merge tag is opened but not closed."),
        ("{{ contact.first_name.__class__ }}", "There is no merge tag"),
        ("{{ ''.join(['a']) }}", "is not possible in a merge tag"),
        ("{{ links.view_in_browser }}", "There is no merge tag"),
        ("{% for a in contact %}x{% endfor %}", "A loop runs over"),
        ("a" * 1601, "at most 1600 characters"),
    ],
)
def test_a_text_that_cannot_be_sent_says_why_and_where(source: str, said: str) -> None:
    [problem] = text_problems(source, tree=tag_tree([]))
    assert said.lower() in str(problem).lower()


def test_known_tags_emoji_and_links_are_no_problem(acme_scope: Tenant) -> None:
    source = '🎉 {{ contact.first_name|default("you") }}\r\n{{ links.unsubscribe }} https://example.com/a?b=c'
    assert text_problems(source, tree=known_tree()) == []
    made = compile_text(source)
    assert [link.url for link in made.links] == ["https://example.com/a?b=c"]
    assert made.text.endswith("{{ _click }}1")
    assert "\r" not in made.text
