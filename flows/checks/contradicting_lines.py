"""Two lines of one group that exclude each other on the same field: nobody ever matches the group."""

from __future__ import annotations

from collections.abc import Iterator

from crm.criteria.contradictions import contradictions
from crm.criteria.describe import describe_all
from crm.criteria.schema import Criteria, Line
from flows.checks.base import Check, FlowProblem, criteria_places
from flows.document import FlowDocument
from flows.steps.base import CheckContext


class ContradictingLines(Check):
    """See the module."""

    name = "contradicting_lines"
    label = "Lines that exclude each other"
    description = "Two lines of one group that can never both hold, so nobody matches the group."
    is_warning = False

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield one problem for each group."""
        places = list(criteria_places(document))
        found = [
            (place, pair)
            for place, pairs in zip(places, contradictions([p.criteria for p in places]), strict=True)
            for pair in pairs
        ]
        many: list[Criteria | Line] = [part for _, pair in found for part in pair]
        texts = iter(map(_told, many, describe_all(many) if many else ()))
        for place, _ in found:
            message = f"{place.label}nobody can match {next(texts)} and {next(texts)} at once"
            message = message if place.label else f"N{message[1:]}"
            yield FlowProblem(place.part, place.title, message, place.place, self.is_warning)


def _told(part: Criteria | Line, text: str) -> str:
    """Several groups stand in brackets, so that it is seen what belongs together."""
    return f"({text})" if isinstance(part, Criteria) and len(part.groups) > 1 else text
