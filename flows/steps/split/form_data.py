"""Split on the answers of a form: the newest submission since entering this flow, the one that brought the contact
included. Text compares without regard to case, as everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import QueryDict

from content.queries_form import form_fields
from flows.document import Branch, StepNode
from flows.event_filter import EventFilter
from flows.steps.actions import what_they_did
from flows.steps.base import CheckContext, Cohort, Reference, StepContext
from flows.steps.split.answers import ANSWERS, WITHOUT_VALUE, Line, all_hold, in_words, lines_of, takes_all
from flows.steps.split.answers_form import AnswersForm
from flows.steps.split.base import Basis, Took


class FormData(Basis):
    """See the module."""

    name = "form_data"
    label = "Answers of a form"
    asks_form = True

    def asking(self, split: StepNode, branch: Branch, data: QueryDict | None) -> AnswersForm:
        """Lines of a question of the form, a comparison and a value."""
        return AnswersForm(form_fields(split.settings.get("form")), lines_of(branch.settings), data)

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return `“Company size” is more than “50” and “Country” is “NO”`."""
        lines = [line for line in lines_of(branch.settings) if line.field]
        return in_words(lines, _labels(split.settings.get("form"))) if lines else ""

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """Questions must be chosen and exist, and values given where the comparison needs one."""
        form = split.settings.get("form")
        if names.name("form", form) is None:
            yield (
                ": choose the form of the split" if form is None else ": the form was deleted, choose another"
            )
            return
        known, lines = _labels(form), lines_of(branch.settings)
        wrong = [_problem(line, known) for line in lines] if lines else ["names no question"]
        yield from dict.fromkeys(text for text in wrong if text)

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Whether the left branch's comparisons hold wherever the right one's do."""
        return takes_all(lines_of(left.settings), lines_of(right.settings))

    def references(self, split: StepNode) -> Iterable[Reference]:
        """Yield the form."""
        if split.settings.get("form") is not None:
            yield Reference("form", split.settings["form"])

    def judge(self, node: StepNode, cohort: Cohort, ctx: StepContext) -> dict[int, Took]:
        """One statement reads the submissions of the whole cohort."""
        form = node.settings.get("form")
        if form is None:
            return {}
        did = what_they_did(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            travellers=cohort.travellers,
            since={t.id: t.enrolled_at for t in cohort},
            actions=[EventFilter("form.submitted", object_ids=(form,))],
            with_trigger=True,
        )
        labels = _labels(form) if did else {}
        asked = [lines_of(branch.settings) for branch in node.branches[:-1]]
        took = {}
        for participant, submissions in did.items():
            answers = submissions[-1].data.get("form", {}).get("answers", {})
            position = next((n for n, lines in enumerate(asked) if all_hold(lines, answers)), len(asked))
            # Who takes no branch saw all that was asked.
            looked = asked[position] if position < len(asked) else [line for lines in asked for line in lines]
            took[participant] = Took(position, {ANSWERS: _seen(looked, answers, labels)})
        return took


def questions_of(node: StepNode) -> list[tuple[str, str]]:
    """Return the questions that the branches of a split ask about: key and label, each once."""
    labels = _labels(node.settings.get("form"))
    asked = dict.fromkeys(line.field for branch in node.branches for line in lines_of(branch.settings))
    return [(key, labels[key]) for key in asked if key in labels]


def _labels(form_id: int | None) -> dict[str, str]:
    return {one.key: one.label for one in form_fields(form_id)}


def _problem(line: Line, known: Mapping[str, str]) -> str:
    if not line.field:
        return "names no question"
    if line.field not in known:
        return ": the question was deleted, choose another"
    return "has no value" if line.operator not in WITHOUT_VALUE and not line.value else ""


def _seen(
    lines: Sequence[Line], answers: Mapping[str, Any], labels: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the questions of these lines as they are asked, each once, with its answer in words."""
    found: dict[str, str] = {}
    for line in lines:
        answer = answers.get(line.field)
        several = answer if isinstance(answer, list) else [answer]
        found[labels.get(line.field, line.field)] = ", ".join(str(one) for one in several if one is not None)
    return list(found.items())
