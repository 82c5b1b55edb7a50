"""What each part of a flow file names, with the place in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flows.exchange.schema import FlowFile
from flows.exchange.swap import PICTURE, Swap, swapped

Key = tuple[str, int]
_PARTS = {
    "triggers": "Trigger",
    "filter": "Filter",
    "success": "Success criteria",
    "finish": "Finish",
    "settings": "Settings",
}


def named_at(file: FlowFile) -> Iterator[tuple[str, list[Key]]]:
    """Yield each place of the file with what is named there, by the file's numbers."""
    for place, plain in _places(file):
        named = _Named(file)
        swapped(plain, named)
        yield place, list(named.seen)


def _places(file: FlowFile) -> Iterator[tuple[str, Any]]:
    for name, words in _PARTS.items():
        yield words, file.document.model_dump(mode="json", include={name})
    for node in file.document.walk():
        step = f"step “{node.title[:60]}”"
        yield step, node.model_dump(mode="json", exclude={"branches"})
        for branch in node.branches:
            yield f"{step}, branch “{branch.name[:60]}”", branch.model_dump(mode="json", exclude={"steps"})
    for used in file.uses:
        yield f"uses “{used.name[:60]}”", used.data


class _Named(Swap):
    """Changes nothing, and notes what is named."""

    def __init__(self, file: FlowFile) -> None:
        told = [used for used in file.uses if not used.gone]
        self._fields = {
            f"{one.data['on']}.custom.{one.data['key']}": one for one in told if one.kind == "custom_field"
        }
        self._links = {str(one.data["key"]): one for one in told if one.kind == "link"}
        self.seen: dict[Key, None] = {}

    def id(self, kind: str, given: int) -> int:
        self.seen[kind, given] = None
        return given

    def custom(self, key: str) -> str:
        if key in self._fields:
            self.seen[self._fields[key].key] = None
        return key

    def is_list(self, key: str) -> bool:
        return key in self._fields and self._fields[key].data["type"] == "list"

    def pictures(self, source: str) -> str:
        for number in PICTURE.findall(source):
            self.id("image", int(number))
        return source

    def link(self, key: str) -> str:
        if key in self._links:
            self.seen[self._links[key].key] = None
        return key
