"""What panels offer as actions: registered links, the links of the flow's emails, opens, forms. As short codes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from content.models import MessageLink
from content.queries import EmailChoice, email_choices
from content.queries_form import form_choices
from content.queries_link import link_choices
from flows.steps.actions import Action

MOST_EVENTS = 20


def code_of(action: Action) -> str:
    """Return an action as the value of an option; `action_of` reads it back."""
    return json.dumps(action.model_dump(exclude_defaults=True), sort_keys=True, separators=(",", ":"))


def action_of(code: str) -> Action:
    """Return the action of an option's value; raises ValueError for anything else."""
    return Action.model_validate(json.loads(code))


def names_of_events(text: str) -> list[str]:
    """Return the names of outside events that were typed, without repeats."""
    return list(dict.fromkeys(name.strip()[:80] for name in text.split(",") if name.strip()))[:MOST_EVENTS]


def action_choices(
    flow_id: int, *, kept: Sequence[str] = (), kinds: Sequence[str] = ("click", "open", "form")
) -> list[tuple[str, str]]:
    """Return (code, label) of what may be chosen in a flow; what was kept and is gone stays, under its own words."""
    emails = email_choices(flow_id)
    found: list[tuple[Action, str]] = []
    if "click" in kinds:
        found += _clicks(emails)
    if "open" in kinds:
        found.append((Action(kind="open"), "Opens any email"))
        found += [(Action(kind="open", email=email.id), f"Opens “{email.name}”") for email in emails]
    if "form" in kinds:
        found += [(Action(kind="form", id=pk), f"Submits “{name}”") for pk, name in form_choices()]
    offered = [(code_of(action), label) for action, label in found]
    gone = [(code, "Something that was deleted") for code in kept if code not in dict(offered)]
    return [*offered, *gone]


def _clicks(emails: Sequence[EmailChoice]) -> list[tuple[Action, str]]:
    found = [(Action(kind="link", id=pk), f"Clicks “{name}”, in any message") for pk, name in link_choices()]
    found.append((Action(kind="email_link"), "Clicks any link"))
    names = {email.version_id: email for email in emails if email.version_id is not None}
    found += [
        (Action(kind="email_link", email=email.id), f"Clicks any link of “{email.name}”")
        for email in names.values()
    ]
    links = MessageLink.objects.filter(version_id__in=names).order_by("version_id", "number")
    seen: set[tuple[int, str, int | None]] = set()
    for version_id, url, label, registered in links.values_list(
        "version_id", "url", "label", "registered_id"
    ):
        email = names[version_id]
        if (email.id, url, registered) in seen:
            continue
        seen.add((email.id, url, registered))
        own = Action(kind="url", email=email.id, url=url)
        action = own if not registered else Action(kind="link", id=registered, email=email.id)
        found.append((action, f"Clicks {label or url} in “{email.name}”"))
    return found
