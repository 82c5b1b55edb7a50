"""Settings of steps, typed once: drawing a flow of 200 steps asks ten times for those of each step.

Must not know any kind of step.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import BaseModel


def read_once(settings: type[BaseModel], given: dict[str, Any]) -> BaseModel:
    """Return what a document holds, typed; raises pydantic.ValidationError for impossible values, each time."""
    return _read(settings, _Given(given))


class _Given:
    """Settings as they stand in a document, the same only as themselves: its parts never change in place."""

    __slots__ = ("json",)

    def __init__(self, json: dict[str, Any]) -> None:
        self.json = json

    def __hash__(self) -> int:
        return id(self.json)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Given) and self.json is other.json


# An entry holds on to what was given, so nothing else can come to stand at the same address.
@lru_cache(maxsize=2048)
def _read(settings: type[BaseModel], given: _Given) -> BaseModel:
    return settings.model_validate(given.json)
