"""Bytes in a flow file: URL-safe base64 in lines, whole while there is room, and what has no room by name alone."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import Field

from accounts.models import Membership
from flows.exchange.kinds import Data, UsedKind
from flows.exchange.schema import MOST_PICTURES, Used

# Texts of a file are shorter than that; URL-safe letters do not grow when the file is handed back by a page.
_LINE: Final = 60_000


class WithBytes(Data):
    """What is told with a digest and its bytes, or none where there was no room."""

    digest: str = Field(default="", max_length=64)
    data: tuple[Annotated[str, Field(max_length=_LINE)], ...] = Field(default=(), max_length=60)

    def raw(self) -> bytes:
        """Return the bytes. Raises ValueError where they are none."""
        return base64.urlsafe_b64decode("".join(self.data).encode("ascii"))


class KindWithBytes(UsedKind):
    """A thing that is known by what it holds, not by its name: rows of `model` have a `digest`."""

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """Those that hold the same; one query."""
        digests = [str(one.data.get("digest", "")) for one in wanted]
        here = dict(self.rows(member).filter(digest__in=digests).values_list("digest", "pk"))
        return {one.id: here[digest] for one, digest in zip(wanted, digests, strict=True) if digest in here}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows uploads such things; without bytes there is nothing to make."""
        return bool(used.data.get("data"))


def lines(raw: bytes) -> list[str]:
    """Return bytes as a file tells them."""
    text = base64.urlsafe_b64encode(raw).decode()
    return [text[start : start + _LINE] for start in range(0, len(text), _LINE)]


def with_room(sizes: Iterable[tuple[int, int]], room: int | None = None) -> list[int]:
    """Return the ids of those (id, bytes) that fit, in their order."""
    room = MOST_PICTURES if room is None else room
    whole = []
    for pk, size in sizes:
        if size * 4 // 3 <= room:
            room -= size * 4 // 3
            whole.append(pk)
    return whole


def fitted(uses: Iterable[Used], room: int | None = None) -> tuple[Used, ...]:
    """Return a file's things with no more bytes in it than there is room for, the first of them."""
    room = MOST_PICTURES if room is None else room
    found = []
    for one in uses:
        told = one.data.get("data", ())
        size = sum(len(line) for line in told) if isinstance(told, list) else 0
        fits = size <= room
        room -= size if fits else 0
        found.append(one if fits else one.model_copy(update={"data": {**one.data, "data": []}}))
    return tuple(found)
