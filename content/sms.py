"""The text of an SMS: how long it is, what is wrong with it, and the template that sending renders.

GSM-7 holds 160 characters (153 in each part of a longer one), anything else is UCS-2 with 70 (67).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from jinja2 import TemplateSyntaxError

from content.links import CLICK, EmailLink, LinkTracker
from content.problems import Problem
from content.sandbox import TEXT, check_tags, paths_of
from content.tags import TAG
from content.tree import MergeField, TagTree, costs_a_query, registered_links
from core import clock
from core.tenancy import current_tenant_id
from delivery.short_tokens import usual_length

LONGEST = 1600
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")
# What a merge tag is counted as, before anybody knows the recipient.
TAG_LENGTH = 10
# Of the address of the preferences, the one that is not short: it says until when it is good.
TOKEN_LENGTH = 26
_PREFERENCES_TAG = re.compile(r"\{\{\s*links\.preferences\s*\}\}")
_LINK_TAG = re.compile(r"\{\{\s*links\.\w+\s*\}\}")


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is. `units` are what the segments hold: extended characters of GSM-7 and emoji count twice."""

    encoding: str
    characters: int
    units: int
    segments: int

    @property
    def of_segment(self) -> int:
        """How many units one segment holds."""
        single, part = (160, 153) if self.encoding == "GSM-7" else (70, 67)
        return single if self.segments <= 1 else part


def length_of(text: str) -> Length:
    """Return how long a text is as an SMS."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        sizes = [2 if char in _EXTENDED else 1 for char in text]
        return Length("GSM-7", len(text), sum(sizes), _segments(sizes, 160, 153))
    sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return Length("UCS-2", len(text), sum(sizes), _segments(sizes, 70, 67))


def _segments(sizes: list[int], single: int, part: int) -> int:
    """Return how many segments; a character of two units is never cut in half."""
    if sum(sizes) <= single:
        return 1 if sizes else 0
    segments, room = 1, part
    for size in sizes:
        if size > room:
            segments, room = segments + 1, part
        room -= size
    return segments


def expected_length(source: str) -> Length:
    """Return how long a source will be at least: its tags and links as their usual length, as nobody knows it yet."""
    link = "x" * (len(settings.PUBLIC_URL) + 1 + short_length() + 1)
    linked = re.sub(re.escape(CLICK) + r"\d", link, LinkTracker().in_text(_one_kind(source)))
    linked = _PREFERENCES_TAG.sub("x" * (len(f"{settings.PUBLIC_URL}/m/p/") + TOKEN_LENGTH), linked)
    linked = _LINK_TAG.sub(link, linked)
    plain = TAG.sub(lambda match: "x" * TAG_LENGTH if match.group().startswith("{{") else "", linked)
    return length_of(plain.strip())


def short_length() -> int:
    """Return how long the token in a link will be, in the open tenant."""
    return usual_length(current_tenant_id() or 1, clock.now().date())


def _one_kind(source: str) -> str:
    return source.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class CompiledText:
    """The template of an SMS, its links in their order, and the paths that cost a query."""

    text: str
    links: tuple[EmailLink, ...] = ()
    custom_keys: tuple[str, ...] = ()
    # By language.
    variants: Mapping[str, str] = field(default_factory=dict)


def sms_tree(tree: TagTree) -> TagTree:
    """Return the merge tags of an SMS: there is nothing to view in a browser."""
    groups = {
        name: tuple(item for item in items if item.path != "links.view_in_browser")
        for name, items in tree.groups.items()
    }
    return replace(tree, groups=groups)


def sms_groups(tree: TagTree) -> dict[str, tuple[MergeField, ...]]:
    """Return the tags for a menu, without empty groups."""
    return {name: items for name, items in sms_tree(tree).groups.items() if items}


def text_problems(source: str, *, tree: TagTree) -> list[Problem]:
    """Return what is wrong with a source, each with its place."""
    source = _one_kind(source)
    if not source.strip():
        return [Problem("text", "Write a text.")]
    found = check_tags(field="text", source=source, tree=sms_tree(tree))
    if found:
        return found
    try:
        TEXT.compile(LinkTracker().in_text(source))
    except TemplateSyntaxError as error:
        return [Problem("text", f"The merge tags do not fit together: {error.message}")]
    length = expected_length(source)
    if length.characters > LONGEST:
        return [Problem("text", f"An SMS holds at most {LONGEST} characters; this has {length.characters}.")]
    return []


def compile_text(source: str, variants: Mapping[str, str] | None = None) -> CompiledText:
    """Return the template of a source without problems: links are tracked by the message's own short addresses.

    `variants` are sources by language; the links of all of them are numbered together.
    """
    tracker = LinkTracker()
    sources = {"": source, **(variants or {})}
    clean = {language: _one_kind(text).strip() for language, text in sources.items()}
    texts = {language: tracker.in_text(text) for language, text in clean.items()}
    named = {path for text in clean.values() for path in paths_of(text)}
    tracker.register(registered_links(named))
    costly = sorted(path.replace(".custom", "") for path in named if costs_a_query(path))
    return CompiledText(texts.pop(""), tuple(tracker.links), tuple(costly), texts)


def links_in(source: str) -> set[str]:
    """Return the keys of the registered links that a source names; none where it cannot be read."""
    try:
        return registered_links(paths_of(source))
    except TemplateSyntaxError:
        return set()


def parts_text(length: Length) -> str:
    """Return a length in words: "142 characters, 1 segment (GSM-7)"."""
    segments = length.segments
    words = f"{length.characters} character{'' if length.characters == 1 else 's'}"
    return f"{words}, {segments} segment{'' if segments == 1 else 's'} ({length.encoding})"
