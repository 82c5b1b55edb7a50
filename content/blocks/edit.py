"""What the block editor does to a source: pure functions, source in, source out. A path that is gone does nothing."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from content.blocks.fields import set_values
from content.blocks.kinds import BLOCKS, BlockKind, kind_of
from content.blocks.presets import SECTIONS
from content.blocks.tree import Document, Node, path_of, read_document, read_nodes, write_document


@dataclass(slots=True)
class Edited:
    """A source after an operation: where the writer is now ("" nowhere), and what was done, in words."""

    source: str
    path: str = ""
    said: str = ""
    problems: dict[str, str] = field(default_factory=dict)


def _split(path: str) -> tuple[list[int], int]:
    numbers = path_of(path)
    return numbers[:-1], numbers[-1]


def _join(numbers: list[int], last: int) -> str:
    return ".".join(str(number) for number in [*numbers, last])


def _siblings(document: Document, path: str) -> list[Node] | None:
    """Return the list that a path's node stands in, or None where there is no such node."""
    if document.find(path) is None:
        return None
    above, _ = _split(path)
    parent = document.body
    for index in above:
        parent = parent.children[index]
    return parent.children


def kind_at(document: Document, path: str) -> BlockKind | None:
    """Return the kind of the block or section at a path; columns have none."""
    node = document.find(path)
    depth = len(path_of(path))
    if node is None or (depth == 2 and node.name):
        return None
    return kind_of(node, depth)


def set_block(source: str, path: str, kind_name: str, values: dict[str, str | bool]) -> Edited:
    """Write the settings of one block, if it still is of that kind."""
    document = read_document(source)
    kind, siblings = kind_at(document, path), _siblings(document, path)
    if kind is None or siblings is None or kind.name != kind_name:
        return Edited(source)
    index = _split(path)[1]
    before = copy.deepcopy(siblings[index])
    nodes, problems = set_values(kind, siblings[index], values)
    if nodes == [before]:
        return Edited(source, path, problems=problems)
    siblings[index : index + 1] = nodes
    return Edited(write_document(document), path if nodes else "", problems=problems)


def insert_block(source: str, column: str, kind_name: str) -> Edited:
    """Put a new block at the end of a column."""
    document = read_document(source)
    node = document.find(column)
    if node is None or node.name != "mj-column" or kind_name not in BLOCKS or not BLOCKS[kind_name].new:
        return Edited(source)
    kind = BLOCKS[kind_name]
    node.children += read_nodes(kind.new)
    path = f"{column}.{len(node.children) - 1}"
    return Edited(write_document(document), path, f"{kind.label} added.")


def insert_section(source: str, after: str, preset: str) -> Edited:
    """Put a new section after another one, or at the end (after "")."""
    document = read_document(source)
    if preset not in SECTIONS:
        return Edited(source)
    numbers = path_of(after)
    index = min(numbers[0] + 1, len(document.body.children)) if numbers else len(document.body.children)
    document.body.children[index:index] = read_nodes(SECTIONS[preset].mjml)
    return Edited(write_document(document), str(index), f"{SECTIONS[preset].label} added.")


def duplicate(source: str, path: str) -> Edited:
    """Put a copy behind a block or section."""
    document = read_document(source)
    siblings = _siblings(document, path)
    if siblings is None or kind_at(document, path) is None:
        return Edited(source)
    above, index = _split(path)
    siblings.insert(index + 1, copy.deepcopy(siblings[index]))
    return Edited(write_document(document), _join(above, index + 1), "Duplicated.")


def remove(source: str, path: str) -> Edited:
    """Take a block or section out."""
    document = read_document(source)
    kind, siblings = kind_at(document, path), _siblings(document, path)
    if kind is None or siblings is None:
        return Edited(source)
    del siblings[_split(path)[1]]
    return Edited(write_document(document), "", f"{kind.label} removed. Undo brings it back.")


def move(source: str, path: str, *, up: bool) -> Edited:
    """Move a section past its neighbour, or a block past its neighbour or into the next column that way."""
    document = read_document(source)
    siblings = _siblings(document, path)
    if siblings is None or kind_at(document, path) is None:
        return Edited(source, path)
    above, index = _split(path)
    target = index - 1 if up else index + 1
    said = "Moved up." if up else "Moved down."
    if 0 <= target < len(siblings):
        siblings[index], siblings[target] = siblings[target], siblings[index]
        return Edited(write_document(document), _join(above, target), said)
    if len(above) < 2:
        return Edited(source, path, "It is the first one." if up else "It is the last one.")
    columns = [place for place, node in document.walk() if node.name == "mj-column"]
    here = columns.index(".".join(str(number) for number in above)) + (-1 if up else 1)
    if not 0 <= here < len(columns):
        return Edited(source, path, "It is the first one." if up else "It is the last one.")
    column = document.find(columns[here])
    if column is None:
        return Edited(source, path)
    node = siblings.pop(index)
    place = len(column.children) if up else 0
    column.children.insert(place, node)
    return Edited(write_document(document), f"{columns[here]}.{place}", said)


def move_to(source: str, path: str, target: str) -> Edited:
    """Move a block to a place: a path of the column and the number it has there ("1.0.2"), or a section ("2")."""
    document = read_document(source)
    siblings = _siblings(document, path)
    numbers = path_of(target)
    if siblings is None or kind_at(document, path) is None or len(numbers) != len(path_of(path)):
        return Edited(source, path)
    parent = document.body if len(numbers) == 1 else document.find(_join(numbers[:-2], numbers[-2]))
    if parent is None or (len(numbers) == 3 and parent.name != "mj-column"):
        return Edited(source, path)
    node = siblings.pop(_split(path)[1])
    place = min(numbers[-1], len(parent.children))
    parent.children.insert(place, node)
    return Edited(write_document(document), _join(numbers[:-1], place), "Moved.")
