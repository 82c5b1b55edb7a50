"""What panels offer as actions: registered links, the links of the flow's emails, opens, forms. As short codes.

Searched on the server as every long list (flows.searched, whose rows of links, forms and emails come in here), so a
tenant's thousands of links are never loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Min, Q, QuerySet

from content.models import MessageLink
from flows.steps.actions import Action

MOST_EVENTS = 20
Rows = Callable[[int], "QuerySet[Any]"]
Offer = tuple[str, str]
ANY_CLICK, ANY_OPEN = Action(kind="email_link"), Action(kind="open")


def code_of(action: Action) -> str:
    """Return an action as the value of an option; `action_of` reads it back."""
    return json.dumps(action.model_dump(exclude_defaults=True), sort_keys=True, separators=(",", ":"))


def action_of(code: str) -> Action:
    """Return the action of an option's value; raises ValueError for anything else."""
    return Action.model_validate(json.loads(code))


def names_of_events(text: str) -> list[str]:
    """Return the names of outside events that were typed, without repeats."""
    return list(dict.fromkeys(name.strip()[:80] for name in text.split(",") if name.strip()))[:MOST_EVENTS]


@dataclass(frozen=True, slots=True)
class ActionChoices:
    """A kind of flows.searched: clicks, opens or submissions, or all of them.

    `links`, `forms` and `emails` are the rows that a flow may choose from, each with a `label`.
    """

    name: str
    noun: str
    kinds: tuple[str, ...]
    links: Rows
    forms: Rows
    emails: Rows

    def gone(self, values: Collection[str]) -> dict[str, str]:
        """Say of each that it was deleted."""
        return dict.fromkeys(values, "Something that was deleted")

    def first(self, flow_id: int, text: str = "", *, most: int = 25) -> tuple[list[Offer], bool]:
        """Return the first whose name holds the text, a fair share of every sort, and whether there are more.

        At most five queries.
        """
        text = text.strip()
        groups: list[list[tuple[Action, str]]] = []
        if "click" in self.kinds:
            groups += self._clicks(flow_id, text, most + 1)
        if "open" in self.kinds:
            opened = _named(self.emails(flow_id), text, most + 1)
            groups.append(_holding(text, (ANY_OPEN, "Opens any email")))
            groups.append([(Action(kind="open", email=pk), f"Opens “{name}”") for pk, name in opened])
        if "form" in self.kinds:
            sent = _named(self.forms(flow_id), text, most + 1)
            groups.append([(Action(kind="form", id=pk), f"Submits “{name}”") for pk, name in sent])
        found = [(code_of(action), label) for action, label in fair_share(groups, most)]
        return found, sum(map(len, groups)) > most

    def labels(self, flow_id: int, values: Collection[str]) -> dict[str, str]:
        """Return the labels of the codes that may be chosen; any other is left out. At most four queries."""
        actions = {code: action for code in values if (action := self._read(code)) is not None}
        wanted = list(actions.values())
        emails = self._by_id(self.emails(flow_id), (action.email for action in wanted))
        links = self._by_id(self.links(flow_id), (a.id for a in wanted if a.kind == "link"))
        forms = self._by_id(self.forms(flow_id), (a.id for a in wanted if a.kind == "form"))
        within = [a.email for a in wanted if a.kind in {"link", "url"} and a.email in emails]
        held = self._held(flow_id, Q(version__email_id__in=within)) if within else {}

        def label(action: Action) -> str | None:
            if action.email is not None and action.email not in emails:
                return None
            if action.kind == "email_link":
                return f"Clicks any link of “{emails[action.email]}”" if action.email else "Clicks any link"
            if action.kind == "open":
                return f"Opens “{emails[action.email]}”" if action.email else "Opens any email"
            if action.kind == "form":
                return f"Submits “{forms[action.id]}”" if action.id in forms else None
            if action.kind == "link" and action.email is None:
                return f"Clicks “{links[action.id]}”, in any message" if action.id in links else None
            return held.get(action)

        named = {code: label(action) for code, action in actions.items()}
        return {code: text for code, text in named.items() if text is not None}

    def _read(self, code: str) -> Action | None:
        try:
            action = action_of(code)
        except (ValueError, RecursionError):
            return None
        sort = {"open": "open", "form": "form", "outside": ""}.get(action.kind, "click")
        return action if sort in self.kinds and code_of(action) == code else None

    def _clicks(self, flow_id: int, text: str, most: int) -> list[list[tuple[Action, str]]]:
        registered = _named(self.links(flow_id), text, most)
        mails = _named(self.emails(flow_id).exclude(current=None), text, most)
        words = Q(label__icontains=text) | Q(url__icontains=text) | Q(version__email__name__icontains=text)
        return [
            [(Action(kind="link", id=pk), f"Clicks “{name}”, in any message") for pk, name in registered],
            _holding(text, (ANY_CLICK, "Clicks any link")),
            [(Action(kind="email_link", email=pk), f"Clicks any link of “{name}”") for pk, name in mails],
            list(self._held(flow_id, words, most=most).items()),
        ]

    def _held(self, flow_id: int, which: Q, *, most: int | None = None) -> dict[Action, str]:
        """Return the links that the newest versions of emails hold, each once, in words."""
        newest = self.emails(flow_id).exclude(current=None).values("current_id")
        links = (
            MessageLink.objects.filter(which, version_id__in=newest)
            .values_list("version__email_id", "version__email__name", "url", "registered_id")
            .annotate(first=Min("number"), words=Min("label"))
            .order_by("version__email__name", "version__email_id", "first")
        )
        found = {}
        for email, name, url, registered, _, words in links[:most]:
            own = Action(kind="url", email=email, url=url)
            action = own if not registered else Action(kind="link", id=registered, email=email)
            found[action] = f"Clicks {words or url} in “{name}”"
        return found

    @staticmethod
    def _by_id(rows: QuerySet[Any], ids: Iterable[int | None]) -> dict[int | None, str]:
        wanted = {number for number in ids if number is not None and 0 < number < 2**63}
        return dict(rows.filter(pk__in=wanted).values_list("pk", "label")) if wanted else {}


def _named(rows: QuerySet[Any], text: str, most: int) -> list[tuple[int, str]]:
    found = rows.filter(label__icontains=text).order_by("label", "pk")
    return list(found.values_list("pk", "label")[:most])


def _holding(text: str, offer: tuple[Action, str]) -> list[tuple[Action, str]]:
    return [offer] if text.casefold() in offer[1].casefold() else []


def fair_share(groups: Sequence[Sequence[tuple[Action, str]]], most: int) -> list[tuple[Action, str]]:
    """Return at most so many, in the order of the groups; where there are more, every group keeps its first ones."""
    sizes = [0] * len(groups)
    room = most
    while room and any(size < len(group) for size, group in zip(sizes, groups, strict=True)):
        for number, group in enumerate(groups):
            if room and sizes[number] < len(group):
                sizes[number] += 1
                room -= 1
    return [one for size, group in zip(sizes, groups, strict=True) for one in group[:size]]
