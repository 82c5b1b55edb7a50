"""Drawing the canvas fast: a flow of 200 steps has some 900 fragments, and an operation changes one or two.

Cards are drawn by their template once and remembered by everything that they show; slots, of which an insertion
renumbers many, are put together here. What stands in a key is all that a fragment may depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.ui import icon
from flows.canvas import BranchCard, Canvas, Place, Slot, StepCard
from flows.trail import Trail

register = template.Library()


@register.simple_tag(takes_context=True)
def canvas_sequence(context: Context, places: Sequence[Place], last: Slot, canvas: Canvas) -> SafeString:
    """Draw steps and the places between them; a step with branches or notes by the template step.html."""
    drawn: list[str] = []
    for place in places:
        drawn += _slot(place.slot, canvas), _step(context, place.card, canvas)
    drawn.append(_slot(last, canvas))
    return _joined('<ol class="flow-seq">', *drawn, "</ol>")


def _step(context: Context, step: StepCard, canvas: Canvas) -> SafeString:
    if not step.branches and not step.notes:
        return _joined(
            f'<li class="flow-step" id="step-{step.id}">', canvas_card(context, step, canvas), "</li>"
        )
    drawing = context.template.engine.get_template("flows/canvas/step.html")  # type: ignore[union-attr]
    with context.push(step=step):
        return drawing.render(context)


def _slot(slot: Slot, canvas: Canvas) -> SafeString:
    walked = canvas.trail is not None and (slot.branch, slot.index) in canvas.trail.slots
    return _drawn_slot(slot, canvas.editable, walked)


@lru_cache(maxsize=4096)
def _drawn_slot(slot: Slot, editable: bool, walked: bool) -> SafeString:
    """Draw a place between steps, with its "+" where the flow may be edited."""
    button = ""
    if editable:
        button = format_html(
            '<button type="button" class="flow-slot__button" data-slot-branch="{}" data-slot-index="{}" '
            'aria-label="{}" aria-haspopup="menu">{}<span class="flow-slot__here" aria-hidden="true">Put it here</span>'
            "</button>",
            slot.branch,
            slot.index,
            slot.label,
            icon("plus"),
        )
    return format_html(
        '<li class="flow-slot{}" id="slot-{}-{}">{}</li>',
        " is-walked" if walked else "",
        slot.branch or "flow",
        slot.index,
        button,
    )


@register.simple_tag(takes_context=True)
def canvas_card(context: Context, step: StepCard, canvas: Canvas) -> SafeString:
    """Draw a step's card. Cards with counts or marks are drawn anew: those are of the moment."""
    marks = canvas.trail.steps.get(step.id, ()) if canvas.trail else ()
    opens = canvas.editable or canvas.linked
    selected = canvas.selected == step.part
    people_url = canvas.people_url if step.occupied else ""

    def shown() -> dict[str, object]:
        return {
            # What is remembered must not hold on to a whole tree.
            "step": replace(step, branches=(), notes=()),
            "splits": bool(step.branches),
            "editable": canvas.editable,
            "opens": opens,
            "selected": selected,
            "talks": canvas.talks,
            "people_url": people_url,
        }

    if step.count is not None or marks:
        now = shown()
        if canvas.trail and marks:
            now |= {"marks": marks, "drawn_revision": canvas.trail.revision, "tenant": context.get("tenant")}
        return mark_safe(render_to_string("flows/canvas/card.html", now))  # noqa: S308 (a template's own output)
    key = (
        step.id,
        step.kind,
        step.icon,
        step.family,
        step.title,
        step.summary,
        step.note,
        step.people,
        step.fixed,
        tuple(step.occupied),
        step.inside.steps,
        step.when,
        step.comments,
        tuple(step.problems.errors),
        tuple(step.problems.warnings),
        bool(step.branches),
        canvas.editable,
        opens,
        selected,
        canvas.talks,
        people_url,
    )
    return _remembered("flows/canvas/card.html", _Key(key, shown))


@register.simple_tag
def canvas_fold(part: StepCard | BranchCard, name: str) -> SafeString:
    """Draw the button that folds a split or unfolds a split or branch; folded, it says what is inside."""
    inside = part.inside
    if not part.folded:
        words, shown = f"Fold the branches of {name}", icon("caret-up")
    else:
        steps = f"{inside.steps} step{'' if inside.steps == 1 else 's'}"
        words = f"Unfold {name}"
        trouble = format_html(" · {}{} to fix", icon("warning"), inside.errors) if inside.errors else ""
        shown = format_html("{}<span>{} inside{}</span>", icon("caret-down"), steps, trouble)
    return format_html(
        '<button type="button" class="flow-fold{}" id="fold-{}" data-fold="{}" aria-expanded="{}"{} title="{}">{}'
        "</button>",
        " is-folded" if part.folded else "",
        part.id,
        part.id,
        "false" if part.folded else "true",
        "" if part.folded else format_html(' aria-label="{}"', words),
        words,
        shown,
    )


@register.simple_tag
def canvas_way(branch: BranchCard, trail: Trail | None) -> SafeString:
    """Return the attributes of a branch: what it is and holds, and how the participant whose trail is drawn went."""
    told = {"flow-branch--else": branch.is_else, "flow-branch--exits": branch.exits}
    if trail:
        told |= {"is-walked": branch.id in trail.taken, "is-joined": branch.id in trail.joined}
    held = ""
    if branch.people:
        people = f"{branch.people} {'person is' if branch.people == 1 else 'people are'}"
        held = format_html(' data-held="{} in this branch, so it cannot be removed."', people)
    return format_html(
        'class="flow-branch{}" id="branch-{}" data-branch="{}" data-name="{}" data-inside="{}"{}{}',
        "".join(f" {name}" for name, is_so in told.items() if is_so),
        branch.id,
        branch.id,
        branch.name,
        branch.inside.steps,
        mark_safe(" data-folded") if branch.folded else "",
        held,
    )


@register.simple_tag
def canvas_branch(branch: BranchCard, canvas: Canvas) -> SafeString:
    """Draw the label of a branch."""
    opens = canvas.editable or canvas.linked
    selected = canvas.selected == branch.part
    people_url = canvas.people_url if branch.people else ""

    def shown() -> dict[str, object]:
        return {
            "branch": replace(branch, places=()),
            "editable": canvas.editable,
            "opens": opens,
            "selected": selected,
            "people_url": people_url,
        }

    occupied = tuple(branch.occupied)
    key = (
        branch.id,
        branch.name,
        branch.summary,
        branch.people,
        occupied,
        canvas.editable,
        opens,
        selected,
        people_url,
    )
    return _remembered("flows/canvas/branch_label.html", _Key(key, shown))


class _Key:
    """Everything that a fragment shows, and how to get its context where it is not remembered."""

    __slots__ = ("context", "key")

    def __init__(self, key: tuple[object, ...], context: Callable[[], dict[str, object]]) -> None:
        self.key, self.context = key, context

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


@lru_cache(maxsize=4096)
def _remembered(name: str, key: _Key) -> SafeString:
    drawn = render_to_string(name, key.context())
    key.context = dict  # what is remembered must not hold on to the picture that it was drawn for
    return mark_safe(drawn)  # noqa: S308 (a template's own output)


def _joined(*drawn: str) -> SafeString:
    """Join what is markup already."""
    return mark_safe("".join(drawn))  # noqa: S308 (the parts are templates' output and ids)
