"""Texts with merge tags in the settings of steps: their problems, and rendering them for a cohort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from jinja2 import TemplateSyntaxError

from content.merge import inside_tree, render_texts, text_problems
from content.tags import OPENING
from flows.steps.base import Cohort, Problem, StepBroken, StepContext
from flows.steps.forms import StepForm


class TaggedForm(StepForm):
    """A form some of whose fields may hold merge tags: checked at their place, with the tags for the menu."""

    tagged: ClassVar[tuple[str, ...]]

    def clean(self) -> dict[str, Any]:
        """Refuse tags that cannot be filled in."""
        given = super().clean() or self.cleaned_data
        texts = {name: str(given.get(name) or "") for name in self.tagged}
        for problem in tag_problems(texts):
            self.add_error(problem.place, problem.message)
        return given

    @property
    def tag_groups(self) -> dict[str, Any]:
        """The merge tags, for the menu."""
        return {name: items for name, items in inside_tree().groups.items() if items}


def tag_problems(texts: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the merge tags of settings by their names. Two queries where there are any tags."""
    tree = inside_tree() if any(OPENING.search(source) for source in texts.values()) else None
    for place, source in texts.items():
        yield from (Problem(message, place=place) for message in text_problems(source, tree=tree))


def render_for(cohort: Cohort, ctx: StepContext, texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the texts of each traveller in the cohort's order; no statement per participant."""
    people = [(traveller.contact_id, traveller.event_data) for traveller in cohort]
    try:
        return render_texts(texts, people, cursor=ctx.cursor)
    except TemplateSyntaxError as error:
        raise StepBroken(f"A merge tag is not written right: {error.message}") from error
