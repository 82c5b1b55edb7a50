"""Known ways out of Jinja2's sandbox, and known ways to keep it busy, thrown at merge tags."""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest

from content import sandbox
from content.filters import FILTERS
from content.sandbox import HTML, LINK, TEXT, TooLong, check_tags
from content.tag_limits import MOST_IN_LOOPS, MOST_TAGS
from content.tree import tag_tree

TREE = tag_tree([])
SECRET = "".join(("hunter", "2"))
# What made each known: a name after a dot, a format string, an indirect call, a filter that reaches attributes.
KNOWN_ESCAPES = {
    "CVE-2014-0012 / 1402 (none of a bytecode cache)": "{{ ''.__class__.__base__.__subclasses__() }}",
    "CVE-2016-10745 str.format": "{{ '{0.__class__.__init__.__globals__}'.format(contact) }}",
    "CVE-2016-10745 by a name": "{{ contact.first_name.format(contact) }}",
    "CVE-2019-10906 str.format_map": "{{ '{a.__class__}'.format_map({'a': contact}) }}",
    "CVE-2019-8341 from_string": "{{ self._TemplateReference__context.environment.from_string('{{ 1 }}') }}",
    "CVE-2020-28493 urlize": "{{ ('http://' ~ '.' * 99999)|urlize }}",
    "CVE-2024-22195 xmlattr with a space": "{{ {'a b': 1}|xmlattr }}",
    "CVE-2024-34064 xmlattr with a slash": "{{ {'a/b': 1}|xmlattr }}",
    "CVE-2024-56201 code by the name of a template": "{% import '{{ 7 * 7 }}' as x %}",
    "CVE-2024-56201 by include": "{% include ['{{ 7 * 7 }}', contact.name] %}",
    "CVE-2024-56326 a format method kept for later": "{% set f = '{0.__class__}'.format %}{{ f(contact) }}",
    "CVE-2024-56326 through a filter": "{{ ['{0.__class__}']|map('format', contact)|list }}",
    "CVE-2024-56326 through a macro": "{% macro m(f) %}{{ f(contact) }}{% endmacro %}{{ m('{0.__class__}'.format) }}",
    "CVE-2024-56326 through call": "{% call(f) contact.name() %}{{ f }}{% endcall %}",
    "CVE-2025-27516 attr of format": "{{ ('{0.__class__}'|attr('format'))(contact) }}",
    "CVE-2025-27516 attr by map": "{{ ['{0.__class__}']|map(attribute='format')|first }}",
    "map attribute": "{{ contact.interests|map(attribute='__class__')|list }}",
    "groupby": "{{ contact.interests|groupby('__class__') }}",
    "sort by attribute": "{{ contact.interests|sort(attribute='__class__') }}",
    "sum by attribute": "{{ contact.interests|sum(attribute='__class__', start='') }}",
    "selectattr": "{{ contact.interests|selectattr('__class__')|list }}",
    "attr with pieces": "{{ contact|attr('__cla' ~ 'ss__') }}",
    "getitem with pieces": "{{ contact['__cla' ~ 'ss__'] }}",
    "hex name": "{{ contact['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "namespace": "{{ namespace.__init__.__globals__ }}",
    "joiner": "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
    "dict": "{{ dict.__mro__[-1].__subclasses__() }}",
    "get_flashed_messages": "{{ get_flashed_messages.__globals__ }}",
    "url_for": "{{ url_for.__globals__ }}",
    "request": "{{ request.application.__globals__.__builtins__ }}",
    "config": "{{ config.items() }}",
    "undefined's own parts": "{{ event.nothing._undefined_hint.__class__ }}",
    "loop's own parts": "{% for i in contact.interests %}{{ loop._iterable }}{% endfor %}",
    "loop called": "{% for i in contact.interests %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "autoescape off": "{% autoescape false %}{{ contact.name }}{% endautoescape %}",
    "do": "{% do contact.clear() %}",
    "trans": "{% trans %}{{ contact.name }}{% endtrans %}",
    "debug": "{% debug %}",
    "with": "{% with a = contact %}{{ a.name }}{% endwith %}",
    "a long number from a short one": "{{ 9 ** 9 ** 9 }}",
    "a long text from a short one": "{{ 'a' * 2147483647 }}",
    "a long list from a short one": "{{ [contact.name] * 2147483647 }}",
    "a range": "{% for i in range(2147483647) %}{{ i }}{% endfor %}",
    "loops in loops in loops": "{% for a in contact.interests %}" * 6 + "x" + "{% endfor %}" * 6,
    "a macro that calls itself": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "a block that calls itself": "{% block b %}{{ self.b() }}{% endblock %}",
    "center": "{{ 'x'|center(2147483647) }}",
    "indent": "{{ 'x'|indent(2147483647, true) }}",
    "format": "{{ '%2147483647d'|format(1) }}",
    "wordwrap": "{{ contact.name|wordwrap(1, true, 'x' * 99999) }}",
    "replace": "{{ contact.name|replace('', 'x' * 99999) }}",
    "batch": "{{ contact.interests|batch(2147483647, 'x') }}",
    "slice": "{{ contact.interests|slice(2147483647) }}",
    "ljust": "{{ contact.name.ljust(2147483647) }}",
    "tojson": "{{ contact|tojson(indent=2147483647) }}",
    "truncate": "{{ contact.name|truncate(2147483647, true, 'x') }}",
    "lipsum": "{{ lipsum(n=2147483647) }}",
    "a filter's dynamic arguments": "{{ contact.name|join(*contact.interests) }}",
    "a filter's unknown argument": "{{ contact.name|number(decimals=2, rounding='x') }}",
    "too many arguments": "{{ contact.name|upper(1, 2) }}",
}


@pytest.mark.parametrize("source", KNOWN_ESCAPES.values(), ids=KNOWN_ESCAPES.keys())
def test_a_known_escape_is_refused_at_save(source: str) -> None:
    assert check_tags(field="mjml", source=source, tree=TREE)


@pytest.mark.parametrize("source", KNOWN_ESCAPES.values(), ids=KNOWN_ESCAPES.keys())
@pytest.mark.parametrize("environment", [HTML, TEXT, LINK], ids=["html", "text", "link"])
def test_and_tells_nothing_where_it_was_never_checked(environment: Any, source: str) -> None:
    class Holder:
        password = SECRET

        def __call__(self) -> str:
            return SECRET

    if "2147483647" in source or "9 ** 9" in source or "99999" in source:
        return  # what would fill the memory is only ever met by the check
    try:
        shown = environment.from_string(source).render(contact=Holder(), event={"holder": Holder()})
    except Exception:  # noqa: BLE001 - an error is as good as silence
        return
    for word in (SECRET, "class", "function", "Holder", "0x", "globals"):
        assert word not in shown


def test_nothing_but_the_filters_that_are_written_down_is_there() -> None:
    assert set(HTML.filters) == set(TEXT.filters) == set(LINK.filters) == set(FILTERS)
    assert HTML.globals == TEXT.globals == LINK.globals == {}
    assert set(HTML.tests) == {"defined", "undefined", "none", "odd", "even"}


DEEP = {
    "brackets": "{{ " + "(" * 1_900 + "1" + ")" * 1_900 + " }}",
    "not": "{{ " + "not " * 900 + "1 }}",
    "minus": "{{ " + "- " * 1_900 + "1 }}",
    "filters": "{{ 'a'" + "|upper" * 600 + " }}",
    "names": "{{ event" + ".a" * 1_900 + " }}",
    "and": "{{ " + " and ".join(["event.a"] * 300) + " }}",
    "concatenated": "{{ " + " ~ ".join(["event.a"] * 390) + " }}",
    "else": "{{ " + "1 if event.a else (" * 190 + "1" + ")" * 190 + " }}",
    "conditions": "{% if event.a %}" * 900 + "x" + "{% endif %}" * 900,
    "branches": "{% if event.a %}" + "{% elif event.b %}" * 1_900 + "{% endif %}",
    "tags": "{{ event.a }}" * (MOST_TAGS + 1),
    "a long tag": "{{ event.a|default('" + "x" * 5_000 + "') }}",
    "a long number": "{{ " + "9" * 3_000_000 + " }}",
    "a loop with much in it": "{% for i in contact.interests %}"
    + "{{ event.a }}" * MOST_IN_LOOPS
    + "{% endfor %}",
    "many loops": "{% for i in contact.interests %}{{ i }}{% endfor %}" * 400,
    "an escape of half a character": "{{ '\\ud800' }}",
    "an escape of nothing": "{{ 'a\\x00b' }}",
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_what_is_too_deep_or_too_much_is_a_problem_said_at_once(source: str) -> None:
    begun = time.process_time()
    assert len(check_tags(field="mjml", source=source, tree=TREE)) == 1
    assert time.process_time() - begun < 3


def test_the_most_that_may_be_saved_compiles_and_renders_within_its_time() -> None:
    """The largest that the check lets through, on the largest values: bounded in time, output and memory."""
    values = {
        "contact": {"interests": ["y" * 100] * 100_000, "name": "x" * 1_000_000},
        "event": {"a": "z" * 1_000_000},
    }
    loop = "{% for i in contact.interests %}" + "{% if i %}{% endif %}" * 240 + "{% endfor %}"
    silent = "{% if event.a == contact.name %}{% endif %}" * 900
    loud = "{% for i in contact.interests %}" + "{{ contact.name }}" * 150 + "{% endfor %}"
    for source, is_long in (
        (loop, False),
        (silent, False),
        (loud, True),
        ("{{ event.a }}" * MOST_TAGS, True),
    ):
        begun = time.process_time()
        assert check_tags(field="mjml", source=source, tree=TREE) == []
        template = HTML.from_string(source)
        tracemalloc.start()
        if is_long:
            with pytest.raises(TooLong, match=r"longer than 2,000,000 characters"):
                template.render(values)
        else:
            assert template.render(values) == ""
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert time.process_time() - begun < 8
        assert most < 10_000_000


def test_a_loop_gets_a_list_of_bounded_length() -> None:
    source = "{% for i in contact.interests %}x{% endfor %}"
    assert TEXT.from_string(source).render(contact={"interests": ["a"] * 50_000}) == "x" * sandbox.MOST_ITEMS


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("contact.date_of_birth > '1990-01-01'", True),
        ("contact.date_of_birth < '1990-01-01'", False),
        ("contact.date_of_birth == '1999-02-28'", True),
        ("'1999-01-01' <= contact.date_of_birth <= '1999-12-31'", True),
        ("contact.date_of_birth > 'yesterday'", False),
        ("contact.date_of_birth > 3", False),
        ("event.when > '2026-11-01'", True),
        ("event.when > contact.date_of_birth", True),
        ("event.size > 3", True),
        ("event.size == 12", True),
        ("3 < event.size", True),
        ("event.word > 3", False),
        ("event.word != 3", True),
        ("event.amount >= 2.5", True),
        ("event.amount > 'x'", False),
        ("event.paid == 1", True),
        ("event.list > 3", False),
        ("'Bread' in contact.interests", True),
        ("'Brea' in contact.interests", False),
        ("3 in contact.first_name", False),
        ("'d' in contact.first_name", True),
        ("'x' in event.amount", False),
        ("'x' not in event.amount", True),
        ("'x' in event.nothing", False),
        ("event.nothing in contact.first_name", False),
        ("event.nothing > 3", False),
        ("3 > event.nothing", False),
        ("event.nothing == ''", True),
        ("event.size is odd", False),
        ("event.nothing is odd", False),
        ("contact.first_name is even", False),
        ("3 is odd", True),
        ("event.amount > -3", True),
    ],
)
def test_any_two_values_are_compared_without_an_error(condition: str, expected: bool) -> None:
    """A comparison that fails would fail the mail of just those who have a value."""
    values = {
        "contact": {"date_of_birth": dt.date(1999, 2, 28), "first_name": "Ada", "interests": ["Bread", "Cake"]},
        "event": {
            "when": dt.datetime(2026, 11, 23, 10, tzinfo=dt.UTC), "size": "12", "word": "many",
            "amount": Decimal("2.50"), "paid": True, "list": [1],
        },
    }  # fmt: skip
    source = f"{{{{ 'yes' if {condition} else 'no' }}}}"
    assert check_tags(field="mjml", source=source, tree=TREE) == []
    for environment in (HTML, TEXT):
        assert environment.from_string(source).render(values) == ("yes" if expected else "no")


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_takes_any_value_without_an_error(name: str) -> None:
    odd: list[Any] = [None, "", "x", "\ud83e", 0, -1.5, Decimal("NaN"), True, [], [{"a": 1}], {"a": 1}]
    odd.append(dt.date(1, 1, 1))
    for value in odd:
        for source in (f"{{{{ event.x|{name} }}}}", f"{{{{ event.nothing|{name} }}}}"):
            shown = TEXT.from_string(source).render(event={"x": value})
            assert "Undefined" not in shown
            assert "{'a'" not in shown


def test_a_filters_own_arguments_may_be_missing() -> None:
    source = "{{ 3|number(event.no) }}|{{ 3|money(event.no) }}|{{ contact.interests|join(event.no) }}"
    assert TEXT.from_string(source).render(contact={"interests": ["a", "b"]}, event={}) == "| 3.00|ab"
