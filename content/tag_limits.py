"""How much a text's merge tags may be: how many, how deep, how much in a loop. So nothing that is saved renders long.

Looked at before anything is compiled: what is nested too deeply would end the compiler, and not with a message.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jinja2 import nodes

from content.tags import find_tags

# A long newsletter in many conditions has about 200 tags.
MOST_TAGS: Final = 2_000
# Characters of one tag: a default may be a paragraph.
LONGEST_TAG: Final = 4_000
# Steps of one tag or of everything in all loops together: a loop goes through them once for each thing in its list.
MOST_IN_A_TAG: Final = 400
MOST_IN_LOOPS: Final = 1_000
DEEPEST: Final = 30
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
Found = tuple[int, str, str]


def size_problem(source: str) -> tuple[int, str] | None:
    """Return (offset, message) where the tags are too many or one is too long, or None."""
    for number, tag in enumerate(find_tags(source), 1):
        if number > MOST_TAGS:
            return tag.offset, f"There are more than {MOST_TAGS:,} merge tags."
        if len(tag.text) > LONGEST_TAG:
            return tag.offset, f"This merge tag is longer than {LONGEST_TAG:,} characters."
    return None


def depth_problem(template: nodes.Template) -> Found | None:
    """Return (line, "", message) for what is nested too deeply, or is too much at once."""
    level: list[tuple[nodes.Node, int]] = [(template, 0)]
    while level:
        node, depth = level.pop()
        if depth > DEEPEST:
            return node.lineno, "", "This is nested too deeply."
        if isinstance(node, nodes.If) and len(node.elif_) > MOST_IN_A_TAG // 4:
            return node.lineno, "", f"A condition has at most {MOST_IN_A_TAG // 4} branches."
        if isinstance(node, nodes.Expr) and steps_of(node) > MOST_IN_A_TAG:
            return node.lineno, "", "This merge tag is too long: it does more than one can see at once."
        level += [(child, depth + 1) for child in node.iter_child_nodes()]
    loops = sum(_nodes(loop) for loop in template.find_all(nodes.For))
    if loops > MOST_IN_LOOPS:
        return 1, "for", "The loops hold too much: keep what is the same for each outside them."
    return None


def steps_of(node: nodes.Node) -> int:
    """Return how many steps an expression has; more than that many are not counted."""
    return _nodes(node, MOST_IN_A_TAG + 1)


def _nodes(node: nodes.Node, most: int = 10 * MOST_IN_LOOPS) -> int:
    waiting, count = [node], 0
    while waiting and count < most:
        count += 1
        waiting.extend(waiting.pop().iter_child_nodes())
    return count


def filter_problems(node: nodes.Filter, known: Mapping[str, Callable[..., Any]]) -> Iterator[Found]:
    """Yield what is wrong with a filter: unknown, given too much, or by a name that it does not have."""
    if node.name not in known:
        yield node.lineno, node.name, f"There is no filter “{node.name}”."
        return
    names = {str(argument.key): None for argument in node.kwargs}
    is_right = node.dyn_args is None and node.dyn_kwargs is None
    try:
        inspect.signature(known[node.name]).bind(None, *node.args, **names)
    except TypeError:
        is_right = False
    if not is_right:
        yield node.lineno, node.name, f"“{node.name}” does not take what stands in its brackets."


def value_problems(node: nodes.Node) -> Iterator[Found]:
    """Yield what is wrong with a value that is written in a tag: no mail carries its characters, or it has a minus
    that stands before no number."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and _NOT_TEXT.search(node.value):
        yield node.lineno, "", "This merge tag holds a character that no mail can carry."
    if isinstance(node, nodes.Neg) and not (
        isinstance(node.node, nodes.Const) and type(node.node.value) in {int, float}
    ):
        yield node.lineno, "", "“-” is possible only in front of a number."
