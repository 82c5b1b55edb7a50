"""The request of a webhook as it is written: an address, headers and a JSON body whose texts hold merge tags.

Values go into the parsed body as data, never into its source: a quote in a name cannot end a text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from content.filters import MAX_VALUE
from content.links import link_problem
from content.problems import Problem, position
from content.sandbox import LINK, TEXT, Missing, check_tags, dotted, paths_of
from content.tags import TAG
from content.tree import TagTree, costs_a_query

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
MOST_HEADERS, MOST_BODY, MOST_DEPTH = 20, 20_000, 12
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff]{0,1000}")
# Ours to set, or the connection's.
_OURS = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
        "upgrade", "expect", "proxy-authorization", "proxy-connection", "webhook-id", "webhook-timestamp",
        "webhook-signature", "user-agent", "accept-encoding",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """A header: a plain value, or the id of a secret."""

    name: str
    value: str = ""
    secret: int | None = None


def header_problem(name: str, value: str) -> str | None:
    """Return why a header cannot be sent, or None."""
    if not _NAME.fullmatch(name):
        return f"“{name[:40]}” is no header name."
    if name.lower() in _OURS:
        return f"{name} is set by us."
    if not _VALUE.fullmatch(value):
        return f"{name}: a value is one line of ordinary characters, at most 1,000."
    return None


def address_problems(url: str, *, tree: TagTree) -> list[Problem]:
    """Return what is wrong with an address. Merge tags may stand after the site's name only."""
    if not url.strip():
        return [Problem("url", "Write the address to call.")]
    if not url.lower().startswith(("http://", "https://")):
        return [Problem("url", "An address begins with https:// or http://.")]
    problem = link_problem(url)
    return (
        [Problem("url", problem)]
        if problem
        else check_tags(field="url", source=url, tree=without_links(tree))
    )


def without_links(tree: TagTree) -> TagTree:
    """Return the merge tags of a webhook: it has no message, so no links of one."""
    groups = {
        name: items
        for name, items in tree.groups.items()
        if not any(i.path.startswith("links.") for i in items)
    }
    return TagTree(groups)


def body_problems(source: str, *, tree: TagTree) -> list[Problem]:
    """Return what is wrong with a body, with its place. An empty body is `{}`."""
    if len(source) > MOST_BODY:
        return [Problem("body", f"A body has at most {MOST_BODY:,} characters.")]
    try:
        body = read_body(source)
    except json.JSONDecodeError as error:
        return [Problem("body", f"This is no JSON: {error.msg}.", error.lineno, error.colno)]
    except RecursionError:
        return [Problem("body", "The body is nested too deep.")]
    if _is_odd(body):
        return [Problem("body", "The body holds a character or number that JSON receivers do not take.")]
    if _depth(body) > MOST_DEPTH:
        return [Problem("body", f"The body is nested deeper than {MOST_DEPTH} levels.")]
    found = []
    for text in _texts(body):
        for problem in check_tags(field="body", source=text, tree=without_links(tree)):
            line, column = _place(source, text)
            found.append(Problem("body", problem.message, line, column))
    return found


def _is_odd(body: Any) -> bool:
    """Say whether a body holds NULs, halves of characters, or numbers beyond all bounds."""
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False)
        return not text.encode() or "\\u0000" in text
    except ValueError:
        return True


def _place(source: str, text: str) -> tuple[int, int]:
    """Return where a text of the body begins in its source."""
    start = source.find(json.dumps(text, ensure_ascii=False))
    if start < 0:
        start = source.find(json.dumps(text))
    return position(source, max(start, 0))


def read_body(source: str) -> Any:
    """Return the parsed body; raises json.JSONDecodeError. NaN and Infinity are no JSON."""

    def refuse(word: str) -> Any:
        raise json.JSONDecodeError(f"{word} is no number", source, max(source.find(word), 0))

    return json.loads(source, parse_constant=refuse) if source.strip() else {}


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(item) for item in inner), default=0)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if TAG.search(value) or "{{" in value or "{%" in value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def custom_keys_of(url: str, body: Any) -> list[str]:
    """Return the paths that cost a query of their own."""
    named = {path for text in [url, *_texts(body)] for path in paths_of(text)}
    return sorted(path.replace(".custom", "") for path in named if costs_a_query(path))


def definition(*, method: str, url: str, headers: Sequence[Header], body: str) -> dict[str, Any]:
    """Return what a version keeps of settings without problems."""
    return {
        "method": method,
        "url": url.strip(),
        "headers": [
            {"name": h.name, "secret": h.secret}
            if h.secret is not None
            else {"name": h.name, "value": h.value}
            for h in headers
        ],
        "body": read_body(body) if method in WITH_BODY else None,
    }


# --- filling in ---------------------------------------------------------------------------------------------------


def filled_body(body: Any, context: Mapping[str, Any]) -> bytes:
    """Return the body as JSON with the recipient's values in it. A text that is one tag alone keeps its value's type.

    Raises what a template raises.
    """
    return json.dumps(_filled(body, context), ensure_ascii=False, allow_nan=False, default=_plain).encode()


def _filled(value: Any, context: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _filled_text(value, context) if "{" in value else value
    if isinstance(value, dict):
        return {key: _filled(item, context) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, context) for item in value]
    return value


def _filled_text(text: str, context: Mapping[str, Any]) -> Any:
    path = _alone(text)
    if path is None:
        return TEXT.from_string(text).render(context)
    found: Any = context
    for part in path.split("."):
        found = found.get(part) if type(found) is dict else None
    if isinstance(found, (dict, Missing)):
        return None
    return found[:MAX_VALUE] if isinstance(found, str) else found


def _alone(text: str) -> str | None:
    """Return the path of a text that is nothing but one tag without filters, or None."""
    try:
        template = TEXT.parse(text)
    except TemplateSyntaxError:
        return None
    if len(template.body) == 1 and isinstance(template.body[0], nodes.Output):
        inside = template.body[0].nodes
        return dotted(inside[0]) if len(inside) == 1 else None
    return None


def _plain(value: Any) -> Any:
    """Return what JSON knows: numbers as numbers, days and moments as ISO text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def filled_address(url: str, context: Mapping[str, Any]) -> str:
    """Return the address with the recipient's values, encoded; they cannot choose the site."""
    return LINK.from_string(url).render(context) if "{" in url else url
