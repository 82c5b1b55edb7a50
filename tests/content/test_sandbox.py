"""Merge tags show values and do nothing else."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from content.rendering import render_address
from content.sandbox import HTML, TEXT, check_tags
from content.tree import tag_tree

TREE = tag_tree([])
ESCAPES = [
    "{{ contact.__class__ }}",
    "{{ contact['__class__'] }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ contact.first_name.__class__ }}",
    "{{ contact.first_name.format }}",
    "{{ contact.items() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum() }}",
    "{{ range(100000000) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 99999 }}",
    "{% for a in contact.interests %}{% for b in contact.interests %}x{% endfor %}{% endfor %}",
    "{% for c in contact.name %}x{% endfor %}",
    "{% for c in event.list %}x{% endfor %}",
    "{% for i in contact.interests recursive %}{{ loop(contact.interests) }}{% endfor %}",
    "{% set x = 1 %}",
    "{% macro m() %}{% endmacro %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{% block b %}{% endblock %}",
    "{{ contact.name|attr('__class__') }}",
    "{{ contact.name|map('upper') }}",
    "{{ contact.name|safe }}",
    "{{ contact.name|pprint }}",
    "{{ event._private }}",
    "{{ _click }}",
    "{{ _open }}",
    "{{ request }}",
    "{{ settings.SECRET_KEY }}",
    "{{ [contact.name] }}",
    "{{ {'a': 1} }}",
    "{{ contact.name if contact.name is callable }}",
    "{% raw %}{{ x }}{% endraw %}{{ x }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_an_escape_is_refused_at_save(source: str) -> None:
    assert check_tags(field="mjml", source=source, tree=TREE)


class Secret:
    """An object that must not leak, were it ever handed in."""

    password = "hunter2"


@pytest.mark.parametrize(
    "source",
    [
        "{{ contact.password }}",
        "{{ contact['password'] }}",
        "{{ contact.first_name.upper }}",
        "{{ contact.keys }}",
        "{{ contact.first_name[0] }}",
        "{{ lipsum }}{{ cycler }}{{ range }}",
    ],
)
def test_and_renders_nothing_even_unchecked(source: str) -> None:
    assert TEXT.from_string(source).render(contact=Secret()) == ""
    assert TEXT.from_string(source).render(contact={"first_name": "Ada"}) == ""


def show(source: str, **values: Any) -> str:
    assert check_tags(field="mjml", source=source, tree=TREE) == []
    return HTML.from_string(source).render(**values)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[{{ contact.first_name }}]", "[]"),
        ("[{{ contact.custom.size }}]", None),
        ("[{{ event.sale.amount }}]", "[]"),
        ("[{{ event.sale.amount|money('NOK') }}]", "[]"),
        ("[{{ contact.date_of_birth|date('Y') }}]", "[]"),
        ("[{{ contact.first_name|default('there') }}]", "[there]"),
        ("[{{ contact.first_name|upper|default('there') }}]", "[there]"),
        ("[{{ contact.name|urlencode }}]", "[]"),
        ("{% if event.amount > 3 %}much{% else %}little{% endif %}", "little"),
        ("{% if contact.first_name %}yes{% else %}no{% endif %}", "no"),
        ("{% if contact.first_name == '' %}empty{% endif %}", "empty"),
        ("{% for i in contact.interests %}{{ i }}{% else %}none{% endfor %}", "none"),
        ("{{ contact.first_name ~ ' ' ~ contact.last_name }}|", " |"),
    ],
)
def test_a_missing_value_is_empty_or_its_default(source: str, expected: str | None) -> None:
    if expected is None:
        assert check_tags(field="mjml", source=source, tree=TREE)
        return
    nobody: dict[str, Any] = {"contact": {"first_name": None}, "event": {"sale": None}}
    empty: dict[str, Any] = {"contact": {}, "event": {}}
    cases: list[dict[str, Any]] = [{}, empty, nobody]
    for values in cases:
        assert show(source, **values) == expected


def test_values_are_shown_as_people_read_them() -> None:
    contact = {"date_of_birth": dt.date(1999, 2, 28), "interests": ["Bread", "Cake"], "name": "A & <B>"}
    event = {"amount": 12431.5, "paid": True, "size": Decimal("2.5000"), "when": "2026-11-23T10:00:00+00:00"}
    values = {"contact": contact, "event": event}
    assert show("{{ contact.date_of_birth }}", **values) == "28 February 1999"
    assert show("{{ contact.date_of_birth|date('d.m.Y') }}", **values) == "28.02.1999"
    assert show("{{ event.when|date('j M') }}", **values) == "23 Nov"
    assert (
        show("{{ event.amount|number(2) }} {{ event.amount|money }}", **values) == "12,431.50 EUR 12,431.50"
    )
    assert show("{{ event.size }} {{ event.paid }}", **values) == "2.5 yes"
    assert show('{{ contact.interests|join(" · ") }}', **values) == "Bread · Cake"
    assert (
        show("{% for i in contact.interests %}{{ i }}{{ ', ' if not loop.last }}{% endfor %}", **values)
        == "Bread, Cake"
    )
    assert show("{{ contact.name }}", **values) == "A &amp; &lt;B&gt;"


def test_a_value_in_a_link_is_encoded_once() -> None:
    context = {"contact": {"email": "a&b=c/../?@evil.test"}}
    wanted = "https://example.com/?u=a%26b%3Dc%2F..%2F%3F%40evil.test"
    assert render_address("https://example.com/?u={{ contact.email }}", context) == wanted
    assert render_address("https://example.com/?u={{ contact.email|urlencode }}", context) == wanted


def test_a_long_value_is_cut() -> None:
    assert len(show("{{ contact.name }}", contact={"name": "x" * 1_000_000})) == 10_000


@pytest.mark.parametrize("value", ["1e9999999999", "-1E+9999999999", "9" * 31, "1e30"])
def test_a_number_without_end_is_none(value: str) -> None:
    """A visitor of a form may write it into a field that a mail shows as a number: it must not fill the memory."""
    shown = show("{{ event.sum|number }}{{ event.sum|number(2) }}{{ event.sum|money }}", event={"sum": value})
    assert shown == ""


def test_numbers_are_shown_up_to_thirty_digits() -> None:
    assert show("{{ event.sum|number }}", event={"sum": "9" * 30}) == ",".join(["999"] * 10)
