"""Tables of kinds: an explicit, ordered list in one place per idea (steps, triggers, channels, fields, jobs)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Kind(Protocol):
    """What every kind has: the name it is stored under."""

    @property
    def name(self) -> str: ...


K = TypeVar("K", bound=Kind)


class UnknownKind(LookupError):
    """No kind has this name."""


class KindTable(Generic[K]):
    """An ordered, closed table of kinds by name."""

    def __init__(self, idea: str, kinds: Iterable[K]) -> None:
        self.idea = idea
        self._kinds: dict[str, K] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: K) -> None:
        """Append a kind; a name twice is a programming error."""
        if kind.name in self._kinds:
            raise ValueError(f"{self.idea} {kind.name!r} is listed twice.")
        self._kinds[kind.name] = kind

    def __getitem__(self, name: str) -> K:
        try:
            return self._kinds[name]
        except KeyError:
            raise UnknownKind(f"There is no {self.idea} {name!r}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    def __iter__(self) -> Iterator[K]:
        return iter(self._kinds.values())

    def __len__(self) -> int:
        return len(self._kinds)
