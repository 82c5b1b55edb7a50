"""The words of an email, piece by piece: what a translator reads and writes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from content.blocks.edit import kind_at, set_block
from content.blocks.fields import value_of
from content.blocks.kinds import BlockKind, Setting
from content.blocks.tree import read_document

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Text:
    """A setting of a block that says something: words, or where they lead."""

    path: str
    kind: BlockKind
    setting: Setting
    value: str

    @property
    def key(self) -> Key:
        """Its place: two sources that are built alike have the same ones."""
        return self.path, f"{self.kind.name}.{self.setting.name}"

    @property
    def label(self) -> str:
        """What it is called beside its language."""
        words = self.setting.label
        return words if words == self.kind.label else f"{self.kind.label}: {words[0].lower()}{words[1:]}"


def texts_of(source: str) -> list[Text]:
    """Return the texts of a source from top to bottom; what only MJML says is left out. Raises Unreadable."""
    document = read_document(source)
    found = []
    for path, node in document.walk():
        kind = kind_at(document, path)
        if kind is None or kind.name in {"raw", "section", "condition"}:
            continue
        for setting in kind.settings:
            if setting.tags or setting.widget == "link":
                value = str(value_of(setting, node))
                if value or setting.tags:
                    found.append(Text(path, kind, setting, value))
    return found


def with_texts(source: str, values: Mapping[Key, str]) -> str:
    """Return the source with these texts in their places; what has not changed stays as it is written."""
    for text in texts_of(source):
        value = values.get(text.key)
        if value is not None and value != text.value:
            source = set_block(source, text.path, text.kind.name, {text.setting.name: value}).source
    return source
