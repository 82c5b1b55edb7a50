"""Finding a step or branch of a flow: by what it is called, what its card says, its notes, and what it uses.

Must not know where it is drawn: it goes over the canvas's cards, top to bottom. Without words it is the outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.canvas import BranchCard, Canvas, Place, StepCard
from flows.document import FlowDocument
from flows.references import uses
from flows.steps.base import CheckContext

KIND_WORDS = {
    "email": "email",
    "flow": "flow",
    "form": "form",
    "link": "link",
    "project": "project",
    "selection": "selection",
    "subscription_type": "subscription",
    "user": "user",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A step or branch: the part that opens it, its look, and (with words) why it was found. `depth` counts splits."""

    part: str
    title: str
    text: str
    icon: str
    family: str
    depth: int
    why: str = ""


def find(canvas: Canvas, document: FlowDocument, ctx: CheckContext, query: str) -> list[Found]:
    """Return what holds every word of the query, in the order of the flow; everything without a query."""
    words = query.casefold().split()
    used = _used(document, ctx)
    return [found for one in _all(canvas.places, 0) if (found := _matched(one, words, used)) is not None]


def _all(places: Sequence[Place], depth: int) -> Iterator[tuple[StepCard | BranchCard, int]]:
    for place in places:
        yield place.card, depth
        for branch in place.card.branches:
            yield branch, depth + 1
            yield from _all(branch.places, depth + 1)


def _matched(
    one: tuple[StepCard | BranchCard, int], words: Sequence[str], used: Mapping[str, Sequence[str]]
) -> Found | None:
    card, depth = one
    uses_ = used.get(card.part, ())
    if isinstance(card, StepCard):
        shown = [card.title, card.kind_label, card.summary]
        hidden = [*(f"Uses {use}" for use in uses_), *([f"Note: {card.note}"] if card.note else [])]
        hidden += [f"Note: {note.text}" for note in card.notes if note.text]
        look = card.title, card.summary, card.icon, card.family
    else:
        shown, hidden = [card.name, card.summary], [f"Uses {use}" for use in uses_]
        look = card.name, card.summary, "git-branch", "split"
    everything = " ".join([*shown, *hidden]).casefold()
    if not all(word in everything for word in words):
        return None
    said = " ".join(shown).casefold()
    why = next((text for text in hidden if any(w in text.casefold() and w not in said for w in words)), "")
    title, text, icon, family = look
    return Found(card.part, title, text, icon, family, min(depth, 4), why)


def _used(document: FlowDocument, ctx: CheckContext) -> dict[str, list[str]]:
    """Return what each part uses, in words: `email “Welcome”`."""
    found: dict[str, list[str]] = {}
    for use in uses(document):
        name = ctx.name(use.reference.kind, use.reference.id)
        if name:
            kind = KIND_WORDS.get(use.reference.kind, use.reference.kind.replace("_", " "))
            found.setdefault(use.part, []).append(f"{kind} “{name}”")
    return found
