"""Merge tags as programs: what they may do, checked when an email is saved and enforced when it is rendered.

Two walls. The tree of a template may hold only the nodes listed here (no calls, no imports, no assignments, loops
over known lists only) and only so many of them (content.tag_limits). And the environment hands out nothing but the
plain values it was given (a name after a dot is a key, never an attribute of a Python object), compares any two of
them without an error, gives loops a list of bounded length, and stops where the output becomes too long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jinja2 import ChainableUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from content import filters
from content.comparing import ComparingCode, compares
from content.problems import Problem, problem_at
from content.tag_limits import depth_problem, filter_problems, size_problem, value_problems
from content.tags import find_tags, unclosed
from content.tree import LISTS, TagTree

_LOOP_NAMES = frozenset({"first", "last", "index", "length"})
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem,
    nodes.Filter, nodes.Test, nodes.If, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand,
    nodes.Concat, nodes.For, nodes.Keyword, nodes.Neg,
)  # fmt: skip
_TESTS = frozenset({"defined", "undefined", "none", "odd", "even"})
# Of a list, a template gets no more than this: nobody reads the thousandth interest.
MOST_ITEMS = 1_000
# Characters of what a template makes. Mail programs cut off at a twentieth of it.
MOST_OUTPUT = 2_000_000


class TooLong(TemplateRuntimeError):
    """A template makes more than a mail may hold."""


class Missing(ChainableUndefined):
    """A value that this recipient does not have: empty, false, and less than nothing: never an error."""

    __slots__ = ()

    def _no(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _no  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Missing) or other is None or other == ""

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return 0


class MergeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 over plain dictionaries only."""

    def __init__(self, *, autoescape: bool, **options: Any) -> None:
        options.setdefault("finalize", _shown)
        super().__init__(autoescape=autoescape, undefined=Missing, cache_size=0, **options)
        self.globals = {}
        self.filters = dict(filters.FILTERS)
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}
        self.tests |= {
            "odd": lambda value: _remainder(value) == 1,
            "even": lambda value: _remainder(value) == 0,
        }

    code_generator_class = ComparingCode
    compares = staticmethod(compares)

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Return what a template made; it is made piece by piece, so it ends where it becomes too long."""
        made: list[str] = []
        left = MOST_OUTPUT
        for part in parts:
            left -= len(part)
            if left < 0:
                raise TooLong(f"It becomes longer than {MOST_OUTPUT:,} characters.")
            made.append(part)
        return "".join(made)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the key of a dictionary; nothing else has parts."""
        if type(obj) is dict:
            value = obj.get(attribute)
            if type(value) is list and len(value) > MOST_ITEMS:
                return value[:MOST_ITEMS]
            return Missing(obj=obj, name=attribute) if value is None else value
        if type(obj) is LoopContext and attribute in _LOOP_NAMES:
            return getattr(obj, attribute)
        return Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """The same as a dot."""
        return (
            self.getattr(obj, argument) if isinstance(argument, str) else Missing(obj=obj, name=str(argument))
        )


def _remainder(value: Any) -> int | None:
    """Return what is left of a whole number halved, None for anything else."""
    return value % 2 if isinstance(value, int) else None


def _shown(value: Any) -> Any:
    """Return what a value looks like: nothing for a missing one, no internals of a mapping."""
    if value is None or isinstance(value, dict):
        return ""
    return filters.plain(value)


HTML = MergeEnvironment(autoescape=True)
TEXT = MergeEnvironment(autoescape=False)
LINK = MergeEnvironment(autoescape=False, finalize=filters.in_link)


# --- checking -----------------------------------------------------------------------------------------------------


def check_tags(*, field: str, source: str, tree: TagTree) -> list[Problem]:
    """Return the problems of a field's merge tags: syntax, what is not allowed, names that do not exist."""
    start = unclosed(source)
    if start is not None:
        return [problem_at(field, source, start, "This merge tag is opened but not closed.")]
    if too_much := size_problem(source):
        return [problem_at(field, source, *too_much)]
    try:
        template = TEXT.parse(source)
    except TemplateSyntaxError as error:
        return [problem_at(field, source, _offset_of(source, error.lineno), _syntax_message(error))]
    except (RecursionError, ValueError):
        # The parser goes down with every bracket, and reads numbers as Python does.
        return [Problem(field, "A merge tag is nested too deeply, or holds a number that is too large.")]
    too_deep = depth_problem(template)
    found = [too_deep] if too_deep else _node_problems(template, tree, frozenset())
    return [
        problem_at(field, source, _offset_of(source, line, word), message) for line, word, message in found
    ]


def _syntax_message(error: TemplateSyntaxError) -> str:
    message = (error.message or "").strip().rstrip(".")
    if message.startswith("No filter named"):
        known = ", ".join(sorted(filters.FILTERS))
        return f"{message.replace('No filter named', 'There is no filter')}. Filters: {known}."
    return f"This merge tag is not written right: {message}."


def _offset_of(source: str, line: int | None, word: str = "") -> int:
    """Return where on (or after) a line a tag stands that holds the word; some nodes of Jinja's know no line."""
    start = 0
    for _ in range((line or 1) - 1):
        start = source.find("\n", start) + 1
    tags = [tag for tag in find_tags(source) if tag.offset + len(tag.text) > start and not tag.is_comment]
    for tag in tags:
        found = tag.text.find(word, max(0, start - tag.offset)) if word else 0
        if found >= 0:
            return tag.offset + found
    return tags[0].offset if tags else start


def _node_problems(node: nodes.Node, tree: TagTree, local: frozenset[str]) -> Iterator[tuple[int, str, str]]:
    """Yield (line, word to look for, message), depth first. `local` are the names that loops have made."""
    if not isinstance(node, _ALLOWED):
        yield node.lineno, "", f"“{_word(node)}” is not possible in a merge tag."
        return
    if isinstance(node, nodes.Filter):
        yield from filter_problems(node, filters.FILTERS)
    yield from value_problems(node)
    if isinstance(node, nodes.Test) and node.name not in _TESTS:
        yield node.lineno, node.name, f"There is no test “{node.name}”."
    path = dotted(node)
    if path is None and isinstance(node, (nodes.Getattr, nodes.Getitem)):
        yield node.lineno, "", "Only named values have parts, as in contact.first_name."
        return
    if path is not None:
        yield from _path_problems(node, path, tree, local)
        return
    if isinstance(node, nodes.For):
        yield from _loop_problems(node, tree, local)
        return
    for child in node.iter_child_nodes():
        yield from _node_problems(child, tree, local)


def _loop_problems(node: nodes.For, tree: TagTree, local: frozenset[str]) -> Iterator[tuple[int, str, str]]:
    path = dotted(node.iter)
    if path not in LISTS or local or node.recursive:
        yield (
            node.lineno,
            "for",
            f"A loop runs over {' or '.join(sorted(LISTS))}, and not inside another loop.",
        )
        return
    inner = local | {target.name for target in node.find_all(nodes.Name) if target.ctx == "store"}
    for child in [*node.body, *node.else_, *([node.test] if node.test else [])]:
        yield from _node_problems(child, tree, inner)


def _path_problems(
    node: nodes.Node, path: str, tree: TagTree, local: frozenset[str]
) -> Iterator[tuple[int, str, str]]:
    root, _, rest = path.partition(".")
    if root in local and not rest:
        return
    if root == "loop" and local and rest in _LOOP_NAMES:
        return
    if "._" in f".{path}" or not tree.knows(path):
        nearest = tree.nearest(path)
        hint = f" Did you mean “{nearest}”?" if nearest else ""
        yield node.lineno, path, f"There is no merge tag “{path}”.{hint}"


def dotted(node: nodes.Node) -> str | None:
    """Return the path of a name ("contact.first_name"), or None for any other node."""
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else None
    if isinstance(node, nodes.Getattr):
        base = dotted(node.node)
        return f"{base}.{node.attr}" if base else None
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        base = dotted(node.node)
        return f"{base}.{node.arg.value}" if base else None
    return None


def paths_of(source: str) -> set[str]:
    """Return every path that the tags of a checked source name."""
    template = TEXT.parse(source)
    found = {dotted(node) for node in template.find_all((nodes.Name, nodes.Getattr, nodes.Getitem))}
    return {path for path in found if path}


def always_shows(source: str, path: str) -> bool:
    """Say whether a source shows a path whatever the values are: in an output outside every condition."""
    for node in TEXT.parse(source).body:
        if isinstance(node, nodes.Output) and any(dotted(child) == path for child in node.nodes):
            return True
    return False


def _word(node: nodes.Node) -> str:
    names = {
        "Call": "(…)",
        "Mul": "*",
        "Pow": "**",
        "Assign": "set",
        "Add": "+",
        "Sub": "-",
        "Div": "/",
        "Mod": "%",
    }
    kind = type(node).__name__
    return names.get(kind, kind.lower())
