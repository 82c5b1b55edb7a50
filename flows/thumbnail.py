"""A small picture of a flow: boxes in the hues of their families, and the ways between them, top to bottom.

Drawn from the plain JSON of a document, which costs little for a page of them; unknown kinds are plain boxes.
Units are those of the SVG's view box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.cache import cache

from core.tenancy import require_tenant_id
from flows.models import Flow
from flows.steps.table import STEP_KINDS

WIDE, HIGH, GAP, BESIDE = 34, 10, 8, 8
ROUND: Final = 5
LEAST_WIDTH: Final = 300
MOST_WIDTH: Final = 640
SHAPE: Final = 0.4
MOST_BOXES: Final = 90
_KEPT: Final = 3_600

Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """A step: its upper left corner and its family."""

    x: float
    y: float
    family: str


@dataclass(slots=True)
class Picture:
    """What is drawn: `ways` is one SVG path, `height` cuts off what is below."""

    width: float = LEAST_WIDTH
    height: float = LEAST_WIDTH * SHAPE
    boxes: list[Box] = field(default_factory=list)
    ways: str = ""
    middle: float = LEAST_WIDTH / 2
    end: float | None = None

    @property
    def view(self) -> str:
        """The view box."""
        return f"0 0 {self.width:g} {self.height:g}"


def picture_of(document: Mapping[str, Any], *, whole: bool = False) -> Picture:
    """Return the picture of a document's JSON; its upper part, or the `whole` of it."""
    steps = _list(document.get("steps"))
    width = min(max(_wide(steps) + 2 * BESIDE, LEAST_WIDTH), MOST_WIDTH)
    drawing = _Drawing(Picture(width=width, height=width * SHAPE, middle=width / 2))
    bottom = drawing.draw(steps, width / 2, 2 * ROUND + 4)
    picture = drawing.picture
    picture.end = bottom + GAP
    drawing.way(width / 2, bottom, width / 2, picture.end)
    picture.ways = " ".join(drawing.ways)
    if whole:
        picture.height = picture.end + 2 * ROUND + 4
    return picture


def pictures(flow_ids: Sequence[int]) -> dict[int, Picture]:
    """Return the picture of each flow's draft. One query for versions, one for drafts that are not kept yet."""
    versions = dict(Flow.objects.filter(pk__in=flow_ids).values_list("pk", "draft_version"))
    keys = {_key(pk, version): pk for pk, version in versions.items()}
    found = {keys[key]: picture for key, picture in cache.get_many(list(keys)).items()}
    missing = [pk for pk in versions if pk not in found]
    drafts = Flow.objects.filter(pk__in=missing).values_list("pk", "draft") if missing else ()
    new = {pk: picture_of(draft) for pk, draft in drafts}
    cache.set_many({_key(pk, versions[pk]): picture for pk, picture in new.items()}, _KEPT)
    return found | new


def _key(flow_id: int, version: int) -> str:
    return f"picture:{require_tenant_id()}:{flow_id}:{version}"


class _Drawing:
    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.ways: list[str] = []

    def draw(self, steps: Steps, middle: float, y: float) -> float:
        """Draw a list of steps below `y`; return where it ends."""
        for step in steps:
            if len(self.picture.boxes) >= MOST_BOXES:
                break
            top = y + GAP
            self.way(middle, y, middle, top)
            self.picture.boxes.append(Box(middle - WIDE / 2, top, _family(str(step.get("kind")))))
            y = top + HIGH
            branches = _list(step.get("branches"))
            if branches:
                y = self._fork(branches, middle, y)
        return y

    def _fork(self, branches: Steps, middle: float, y: float) -> float:
        widths = [_wide(_list(branch.get("steps"))) for branch in branches]
        left = middle - (sum(widths) + BESIDE * (len(widths) - 1)) / 2
        fork, ends = y + GAP, []
        self.way(middle, y, middle, fork)
        for branch, width in zip(branches, widths, strict=True):
            here = left + width / 2
            left += width + BESIDE
            self.way(middle, fork, here, fork)
            end = self.draw(_list(branch.get("steps")), here, fork)
            if branch.get("exit") is None:
                ends.append((here, end))
            else:
                self.way(here, end, here, end + GAP)
                self.way(here - 4, end + GAP, here + 4, end + GAP)
        join = max((end for _, end in ends), default=fork) + GAP
        for here, end in ends:
            self.way(here, end, here, join)
            self.way(here, join, middle, join)
        return join

    def way(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Draw a straight line."""
        self.ways.append(f"M{x:g} {y:g}L{to_x:g} {to_y:g}")


def _wide(steps: Steps) -> float:
    """Return how much room a list of steps takes."""
    widths = [float(WIDE)]
    for step in steps:
        branches = _list(step.get("branches"))
        if branches:
            inner = sum(_wide(_list(branch.get("steps"))) for branch in branches)
            widths.append(inner + BESIDE * (len(branches) - 1))
    return max(widths)


def _family(kind: str) -> str:
    return STEP_KINDS[kind].family if kind in STEP_KINDS else "data"


def _list(value: Any) -> Steps:
    return value if isinstance(value, list) else []
