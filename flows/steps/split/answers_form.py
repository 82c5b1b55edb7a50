"""The part of a branch's panel that asks of a form's answers: lines, added and removed one at a time.

Posted as answer-<n>-join, -field, -operator, -value; `more` adds a line, `drop` names one that goes.
"""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from content.queries_form import FormFieldChoice
from flows.steps.split.answers import MOST_LINES, OPERATORS, WITHOUT_VALUE, Line, as_settings

MOST_VALUE = 300


class AnswersForm:
    """See the module. Unfinished lines are kept: the branch says what is missing."""

    template = "flows/panel/answers.html"
    operators = tuple(OPERATORS.items())
    without_value = WITHOUT_VALUE

    def __init__(
        self, questions: list[FormFieldChoice], kept: list[Line], data: QueryDict | None = None
    ) -> None:
        self.questions = questions
        self.lines = (kept or [Line()]) if data is None else self._posted(data)

    def settings(self) -> dict[str, Any]:
        """Return what the branch keeps: the lines that name a question."""
        return as_settings([line for line in self.lines if line.field])

    @property
    def views(self) -> list[dict[str, Any]]:
        """Each line with the questions that it may ask, and the answers that are offered for its question."""
        known = {one.key: one for one in self.questions}
        return [
            {
                "line": line,
                "is_gone": bool(line.field) and line.field not in known,
                "offered": known[line.field].choices if line.field in known else (),
            }
            for line in self.lines
        ]

    @staticmethod
    def _posted(data: QueryDict) -> list[Line]:
        found: list[Line] = []
        for index in range(MOST_LINES):
            key = data.get(f"answer-{index}-field")
            if key is None or str(index) == data.get("drop", ""):
                continue
            operator = data.get(f"answer-{index}-operator", "is")
            operator = operator if operator in OPERATORS else "is"
            value = "" if operator in WITHOUT_VALUE else data.get(f"answer-{index}-value", "")
            join = "or" if found and data.get(f"answer-{index}-join") == "or" else "and"
            found.append(Line(key[:100], operator, value.replace("\x00", "").strip()[:MOST_VALUE], join))
        if "more" in data and len(found) < MOST_LINES:
            found.append(Line())
        return found
