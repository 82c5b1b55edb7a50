"""Texts with merge tags in the settings of steps: their problems, and rendering them for a cohort."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2 import TemplateSyntaxError

from content.merge import render_texts, text_problems
from flows.steps.base import Cohort, Problem, StepBroken, StepContext


def tag_problems(texts: Mapping[str, str]) -> Iterator[Problem]:
    """Yield what is wrong with the merge tags of settings by their names."""
    for place, source in texts.items():
        yield from (Problem(message, place=place) for message in text_problems(source))


def render_for(cohort: Cohort, ctx: StepContext, texts: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the texts of each traveller in the cohort's order; no statement per participant."""
    people = [(traveller.contact_id, traveller.event_data) for traveller in cohort]
    try:
        return render_texts(texts, people, cursor=ctx.cursor)
    except TemplateSyntaxError as error:
        raise StepBroken(f"A merge tag is not written right: {error.message}") from error
