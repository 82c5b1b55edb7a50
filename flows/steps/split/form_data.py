"""Split on the answers of a form: the newest submission since entering this flow, the one that brought the contact
included. Text compares without regard to case, as everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from content.queries_form import FormFieldChoice, form_fields
from core.text import norm
from flows.document import Branch, StepNode
from flows.event_filter import EventFilter
from flows.steps.actions import what_they_did
from flows.steps.base import CheckContext, Cohort, Reference, StepContext
from flows.steps.forms import EMPTY
from flows.steps.split.base import Basis, Took

OPERATORS: dict[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "greater": "is more than",
    "less": "is less than",
    "empty": "is empty",
    "set": "is answered",
}
WITHOUT_VALUE = ("empty", "set")


class FormData(Basis):
    """See the module."""

    name = "form_data"
    label = "Answers of a form"
    asks_form = True

    def fields(self, split: StepNode, branch: Branch, flow_id: int) -> dict[str, forms.Field]:
        """A question of the form, a comparison and a value."""
        questions = form_fields(split.settings.get("form"))
        choices = [("", EMPTY), *((one.key, one.label) for one in questions)]
        asked = branch.settings.get("field", "")
        if asked and asked not in dict(choices):
            choices.append((asked, "A question that was deleted"))
        return {
            "field": forms.ChoiceField(label="Question", required=False, choices=choices, initial=asked),
            "operator": forms.ChoiceField(
                label="Answer", choices=list(OPERATORS.items()), initial=branch.settings.get("operator", "is")
            ),
            "value": forms.CharField(
                label="Value",
                required=False,
                max_length=300,
                initial=branch.settings.get("value", ""),
                help_text=_offered(questions),
            ),
        }

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the comparison."""
        return {name: given[name] for name in ("field", "operator", "value")}

    def summary(self, split: StepNode, branch: Branch, names: CheckContext) -> str:
        """Return `“Company size” is more than “50”`."""
        asked = branch.settings.get("field")
        if not asked:
            return ""
        labels = {one.key: one.label for one in form_fields(split.settings.get("form"))}
        operator = branch.settings.get("operator", "is")
        value = "" if operator in WITHOUT_VALUE else f" “{branch.settings.get('value', '')}”"
        return f"“{labels.get(asked, 'a question that was deleted')}” {OPERATORS[operator]}{value}"

    def problems(self, split: StepNode, branch: Branch, names: CheckContext) -> Iterable[str]:
        """A question must be chosen and exist, and a value given where the comparison needs one."""
        form = split.settings.get("form")
        if names.name("form", form) is None:
            yield (
                ": choose the form of the split" if form is None else ": the form was deleted, choose another"
            )
            return
        asked = branch.settings.get("field")
        if not asked:
            yield "names no question"
        elif asked not in {one.key for one in form_fields(form)}:
            yield ": the question was deleted, choose another"
        elif branch.settings.get("operator") not in WITHOUT_VALUE and not branch.settings.get("value"):
            yield "has no value"

    def takes_all(self, split: StepNode, left: Branch, right: Branch) -> bool:
        """Whether both make the same comparison, or the left one is of any answer."""
        mine, theirs = _asked(left), _asked(right)
        if not theirs[0]:
            return False
        any_answer = mine == (theirs[0], "set", "") and theirs[1] in {"is", "contains", "greater", "less"}
        return mine == theirs or any_answer

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
        took = {}
        for participant, submissions in did.items():
            answers = submissions[-1].data.get("form", {}).get("answers", {})
            for position, branch in enumerate(node.branches[:-1]):
                answer = answers.get(branch.settings.get("field"))
                if holds(
                    branch.settings.get("operator", "is"), answer, str(branch.settings.get("value", ""))
                ):
                    took[participant] = Took(position, {"answer": answer})
                    break
            else:
                first = answers.get(node.branches[0].settings.get("field"))
                took[participant] = Took(len(node.branches) - 1, {"answer": "" if first is None else first})
        return took


def _asked(branch: Branch) -> tuple[str, str, str]:
    """Return question, comparison and value as they compare."""
    operator = str(branch.settings.get("operator", "is"))
    value = "" if operator in WITHOUT_VALUE else norm(str(branch.settings.get("value", "")))
    return str(branch.settings.get("field", "")), operator, value


def holds(operator: str, answer: Any, value: str) -> bool:
    """Say whether an answer (text, number, yes/no or several) compares like that to a value."""
    given = [
        norm(str(one)) for one in (answer if isinstance(answer, list) else [answer]) if one not in (None, "")
    ]
    wanted = norm(value)
    judge: dict[str, Callable[[], bool]] = {
        "empty": lambda: not given,
        "set": lambda: bool(given),
        "is": lambda: wanted in given,
        "is_not": lambda: wanted not in given,
        "contains": lambda: any(wanted in one for one in given),
        "greater": lambda: _compare(given, value) > 0,
        "less": lambda: _compare(given, value) < 0,
    }
    return judge[operator]() if operator in judge else False


def _compare(given: list[str], value: str) -> int:
    """Return how the single answer compares as a number or a date; 0 where it cannot be compared."""
    if len(given) != 1:
        return 0
    try:
        one, other = Decimal(given[0].replace(",", ".")), Decimal(value.strip().replace(",", "."))
    except InvalidOperation:
        # ISO dates compare as texts do.
        return (given[0] > value.strip()) - (given[0] < value.strip()) if "-" in given[0] else 0
    return (one > other) - (one < other)


def _offered(questions: list[FormFieldChoice]) -> str:
    found = [
        f"{one.label}: {', '.join(value for value, _ in one.choices)}" for one in questions if one.choices
    ]
    return ("Answers that can be chosen: " + "; ".join(found))[:600] if found else ""
