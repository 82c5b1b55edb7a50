"""What a file's things are here: those under the same name, what else could be taken, and what may be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from accounts.models import Membership
from flows.exchange.kinds import Choice, UsedKind
from flows.exchange.naming import named_at
from flows.exchange.schema import FlowFile, Used
from flows.exchange.table import USED_KINDS
from flows.references import sent_emails

Key = tuple[str, int]
# Left open: the step has a problem until somebody chooses.
OPEN: Final = "open"
MAKE: Final = "make"
Decision = int | Literal["open", "make"]


@dataclass(slots=True)
class Asked:
    """One thing of the file: where it is used, what is proposed, what could be decided instead."""

    used: Used
    kind: UsedKind
    places: tuple[str, ...]
    decision: Decision
    found: int | None = None
    may_make: bool = False
    choices: list[Choice] = field(default_factory=list)

    @property
    def field_name(self) -> str:
        """The name of its field in the form."""
        return f"use-{self.used.kind}-{self.used.id}"

    @property
    def is_missing(self) -> bool:
        """Whether nothing here has its name."""
        return self.found is None


@dataclass(frozen=True, slots=True)
class Matched:
    """A file against what is here. `sent` are its emails that come as the flow's own."""

    asked: list[Asked]
    sent: list[Used]

    @property
    def missing(self) -> list[Asked]:
        """What is not here under its name."""
        return [one for one in self.asked if one.is_missing]

    @property
    def there(self) -> list[Asked]:
        """What is here under its name."""
        return [one for one in self.asked if not one.is_missing]

    @property
    def decisions(self) -> dict[Key, Decision]:
        """What is proposed for each."""
        return {one.used.key: one.decision for one in self.asked}


def matched(file: FlowFile, *, member: Membership) -> Matched:
    """Return every thing of the file with what may be decided about it. Two queries for each kind."""
    own = set(sent_emails(file.document))
    sent = [used for used in file.uses if used.kind == "email" and used.id in own and not used.gone]
    asked = []
    places = _places(file)
    for kind in USED_KINDS:
        wanted = [u for u in file.uses if u.kind == kind.name and u not in sent and not u.data.get("itself")]
        found = kind.found([one for one in wanted if not one.gone], member) if wanted else {}
        known: dict[str, list[Choice]] = {}
        for used in wanted:
            may = not used.gone and kind.may_make(used, member)
            about = (
                repr(sorted(used.data.items(), key=str)) if kind.name in {"list_item", "custom_field"} else ""
            )
            if about not in known and not used.gone:
                known[about] = kind.choices(used, member)
            here = found.get(used.id)
            decision: Decision = here if here is not None else (MAKE if may else OPEN)
            asked.append(
                Asked(used, kind, places.get(used.key, ()), decision, here, may, known.get(about, []))
            )
    return Matched(asked, sent)


def decided(matched: Matched, given: Mapping[str, str]) -> dict[Key, Decision]:
    """Return what was posted for each thing, by the names of the fields; what was not offered is the proposal."""
    decisions = {}
    for one in matched.asked:
        answer = given.get(one.field_name, "")
        offered: dict[str, Decision] = {str(choice.id): choice.id for choice in one.choices}
        offered |= {OPEN: OPEN, **({MAKE: MAKE} if one.may_make and one.is_missing else {})}
        if one.found is not None:
            offered[str(one.found)] = one.found
        decisions[one.used.key] = one.decision = offered.get(answer, one.decision)
    return decisions


def _places(file: FlowFile) -> dict[Key, tuple[str, ...]]:
    """Return where each thing is named: "step “Call”", "Filter", "uses “Sign-up”"."""
    found: dict[Key, dict[str, None]] = {}
    for place, named in named_at(file):
        for key in named:
            found.setdefault(key, {})[place.replace("uses “", "in “")] = None
    return {key: tuple(places) for key, places in found.items()}
