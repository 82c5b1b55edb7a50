"""Being a member of a static selection or a project as success: a state, so it counts as soon as it holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from crm.criteria.schema import Criteria, Group, Line
from crm.events import MERGED
from flows.clubs import ClubKind, club_problems, club_references
from flows.document import SuccessCriterion
from flows.steps.base import CheckContext, Problem, Reference
from flows.success.base import SuccessKind


class MemberOf(SuccessKind):
    """Base: the settings have one field, named as the kind of club."""

    group = "Selections and projects"
    is_state = True
    club: ClassVar[ClubKind]

    def chosen(self, criterion: SuccessCriterion) -> int | None:
        """Return the id of what was chosen."""
        found: int | None = getattr(self.settings(criterion), self.club)
        return found

    def state(self, criterion: SuccessCriterion) -> Criteria | None:
        """Return the membership as criteria; None while nothing is chosen: then nobody has success by it."""
        number = self.chosen(criterion)
        if number is None:
            return None
        line = Line(field=f"contact.{self.club}s", operator="one_of", values=(number,))
        return Criteria(groups=(Group(lines=(line,)),))

    def wakes_on(self, criterion: SuccessCriterion) -> frozenset[str]:
        """Only becoming a member makes it true, also by a merge."""
        return frozenset({f"{self.club}.added", MERGED})

    def summary(self, criterion: SuccessCriterion, names: CheckContext) -> str:
        """Return the name of what was chosen."""
        name = names.name(self.club, self.chosen(criterion))
        return f"Member of “{name}”" if name else f"No {self.club} chosen"

    def problems(self, criterion: SuccessCriterion, ctx: CheckContext) -> list[Problem]:
        """One must be chosen and exist."""
        return club_problems(ctx, self.club, self.chosen(criterion))

    def references(self, criterion: SuccessCriterion) -> Iterable[Reference]:
        """Yield what was chosen."""
        return club_references(self.club, self.chosen(criterion))
