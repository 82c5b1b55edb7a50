"""Texts with merge tags that stay in the house: titles and messages of what steps make, notices to colleagues.

Checked as an email's tags are, but without links: nobody outside reads them. Rendered for many contacts at once, in
at most five statements; a missing value is empty, never an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import psycopg
from jinja2 import Template, TemplateSyntaxError

from content.sandbox import TEXT, check_tags, paths_of
from content.tags import OPENING
from content.tree import TagTree, costs_a_query, known_tree
from content.values import tenant_values, values_of

_OUTSIDE = frozenset({"Links", "Tracked links"})


def inside_tree(tree: TagTree | None = None) -> TagTree:
    """Return the tags of a text that stays in the house: all but the links."""
    known = tree or known_tree()
    groups = {name: items for name, items in known.groups.items() if name not in _OUTSIDE}
    return replace(known, groups=groups)


def text_problems(source: str, *, tree: TagTree | None = None) -> list[str]:
    """Return what is wrong with a text's tags, in words; a text without tags costs no query."""
    if not OPENING.search(source):
        return []
    found = check_tags(field="text", source=source, tree=tree or inside_tree())
    if found:
        return [problem.message for problem in found]
    try:
        TEXT.compile(source)
    except TemplateSyntaxError as error:
        return [f"The merge tags do not fit together: {error.message}"]
    return []


@lru_cache(maxsize=512)
def _template(source: str) -> Template:
    return TEXT.from_string(source)


def render_texts(
    sources: Mapping[str, str],
    people: Sequence[tuple[int, Mapping[str, Any] | None]],
    *,
    cursor: psycopg.Cursor[Any] | None = None,
) -> list[dict[str, str]]:
    """Return the texts by name for each (contact id, data of the event) in their order.

    Raises TemplateSyntaxError for a source that was never checked.
    """
    plain = {name: text for name, text in sources.items() if not OPENING.search(text)}
    written = {name: _template(text) for name, text in sources.items() if name not in plain}
    if not written:
        return [dict(plain) for _ in people]
    named = {path for name in written for path in paths_of(sources[name])}
    paths = {path.replace(".custom", "") for path in named if costs_a_query(path)}
    known = values_of([contact_id for contact_id, _ in people], paths=paths, cursor=cursor)
    tenant = tenant_values()
    return [
        plain
        | {
            name: template.render({**known.get(contact_id, {}), "tenant": tenant, "event": event or {}})
            for name, template in written.items()
        }
        for contact_id, event in people
    ]
