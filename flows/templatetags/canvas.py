"""Drawing the canvas fast: a flow of 200 steps has some 900 fragments, and an operation changes one or two.

Cards are drawn by their template once and remembered by everything that they show; slots, of which an insertion
renumbers many, are put together here. What stands in a key is all that a fragment may depend on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core.templatetags.ui import icon
from flows.canvas import BranchCard, Canvas, Slot, StepCard

register = template.Library()


@register.simple_tag
def canvas_slot(slot: Slot, canvas: Canvas) -> SafeString:
    """Draw a place between steps, with its "+" where the flow may be edited."""
    button = ""
    if canvas.editable:
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
        " is-walked" if canvas.trail and (slot.branch, slot.index) in canvas.trail.slots else "",
        slot.branch or "flow",
        slot.index,
        button,
    )


@register.simple_tag(takes_context=True)
def canvas_card(context: Context, step: StepCard, canvas: Canvas) -> SafeString:
    """Draw a step's card. Cards with counts or marks are drawn anew: those are of the moment."""
    marks = canvas.trail.steps.get(step.id, ()) if canvas.trail else ()
    shown = {
        "step": replace(step, branches=(), notes=()),  # what is remembered must not hold on to a whole tree
        "splits": bool(step.branches),
        "editable": canvas.editable,
        "opens": canvas.editable or canvas.linked,
        "selected": canvas.selected == step.part,
        "talks": canvas.talks,
        "people_url": canvas.people_url if step.occupied else "",
    }
    if canvas.trail and marks:
        shown |= {"marks": marks, "drawn_revision": canvas.trail.revision, "tenant": context.get("tenant")}
    if step.count is not None or marks:
        return mark_safe(render_to_string("flows/canvas/card.html", shown))  # noqa: S308 (a template's own output)
    key = (
        step.kind,
        step.icon,
        step.family,
        step.title,
        step.summary,
        step.note,
        step.people,
        step.fixed,
        *step.occupied,
        step.inside.steps,
        step.when,
        step.comments,
    )
    problems = tuple(step.problems.errors), tuple(step.problems.warnings)
    return _remembered("flows/canvas/card.html", _Key(shown, (step.id, key, problems, shown["people_url"])))


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
def canvas_branch(branch: BranchCard, canvas: Canvas) -> SafeString:
    """Draw the label of a branch."""
    context = {
        "branch": replace(branch, places=()),
        "editable": canvas.editable,
        "opens": canvas.editable or canvas.linked,
        "selected": canvas.selected == branch.part,
        "people_url": canvas.people_url if branch.people else "",
    }
    key = branch.id, branch.name, branch.summary, branch.people, *branch.occupied, context["people_url"]
    return _remembered("flows/canvas/branch_label.html", _Key(context, key))


class _Key:
    """A fragment's context, equal to another's where they draw the same."""

    __slots__ = ("context", "key")

    def __init__(self, context: dict[str, object], key: tuple[object, ...]) -> None:
        flags = tuple(value for value in context.values() if isinstance(value, bool))
        self.context, self.key = context, (*key, flags)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.key == other.key


@lru_cache(maxsize=4096)
def _remembered(name: str, key: _Key) -> SafeString:
    return mark_safe(render_to_string(name, key.context))  # noqa: S308 (a template's own output)
