"""The home page's parts that speak of flows and contacts: first steps, attention, what runs, my contacts.

Reads only what is small or counted already, so the page costs the same with a million participants.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from accounts.home import HomePart
from accounts.models import Invitation, Membership
from accounts.rights import DataObject, Reach, Right
from accounts.urls_for import turl
from content.models import Email
from crm.models import Contact
from flows.models import Flow
from flows.visibility import visible_flows
from participants.models import HeldStep
from participants.queries_contact import my_contacts_in_flows
from reporting.queries import FlowListing, flow_list

SHOWN = 6
MARKETERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


@dataclass(frozen=True)
class FirstStep:
    """Something that a new tenant does once."""

    title: str
    text: str
    url: str
    done: bool


@dataclass(frozen=True)
class Attention:
    """Something that somebody should look at."""

    title: str
    text: str
    url: str
    tone: str
    icon: str


def home_parts(member: Membership, now: dt.datetime) -> list[HomePart]:
    """Return the parts for one member, most pressing first."""
    return [*_attention(member), *_first_steps(member), *_running(member), *_mine(member)]


def _first_steps(member: Membership) -> list[HomePart]:
    """Show the way from an empty tenant to a running flow; gone once a flow was started."""
    if not member.may(*MARKETERS) or Flow.objects.filter(started_at__isnull=False).exists():
        return []
    steps = [step(member) for allowed, step in _STEPS if member.may(*allowed)]
    if not steps:
        return []
    done = sum(step.done for step in steps)
    following = next((step for step in steps if not step.done), None)
    told = {"steps": steps, "done": done, "total": len(steps), "next": following}
    return [HomePart("reporting/home/first_steps.html", told)]


def _import(member: Membership) -> FirstStep:
    return FirstStep(
        "Import your contacts",
        "A CSV file with a header line is enough; columns are recognised.",
        turl(member.tenant, "crm:import_upload"),
        Contact.objects.filter(deleted_at=None).exists(),
    )


def _write(member: Membership) -> FirstStep:
    return FirstStep(
        "Write the first email",
        "With merge tags, preview as a contact and a test to yourself.",
        turl(member.tenant, "content:new"),
        Email.objects.filter(deleted_at=None).exists(),
    )


def _draw(member: Membership) -> FirstStep:
    return FirstStep(
        "Draw a flow",
        "Trigger, emails, waits and splits, from top to bottom.",
        turl(member.tenant, "flows:new"),
        Flow.objects.filter(deleted_at=None).exists(),
    )


def _start(member: Membership) -> FirstStep:
    return FirstStep(
        "Start it",
        "What is missing is listed first; nothing is sent by surprise.",
        turl(member.tenant, "reporting:flows"),
        done=False,
    )


def _invite(member: Membership) -> FirstStep:
    company = Membership.objects.filter(is_active=True).count() > 1 or Invitation.objects.exists()
    return FirstStep(
        "Invite your colleagues",
        "Writers write, reps see what their contacts got.",
        turl(member.tenant, "accounts:invite"),
        company,
    )


_STEPS: tuple[tuple[tuple[Right, ...], Callable[[Membership], FirstStep]], ...] = (
    ((Right.IMPORT,), _import),
    (MARKETERS, _write),
    ((Right.FLOW_ADMINISTRATOR,), _draw),
    ((Right.ADMINISTRATOR, Right.MANAGE_USERS), _invite),
    ((Right.FLOW_ADMINISTRATOR,), _start),
)


def _attention(member: Membership) -> list[HomePart]:
    """Show what stands still: steps held for a cause common to all, flows left paused."""
    if not member.may(Right.FLOW_ADMINISTRATOR):
        return []
    flows = visible_flows(member)
    held = {row.flow_id: row for row in HeldStep.objects.order_by("since")}
    names = dict(flows.filter(pk__in=held).values_list("pk", "name"))
    found = [
        Attention(
            f"{name} is held",
            held[pk].cause,
            turl(member.tenant, "reporting:flow", pk),
            "is-bad",
            "warning-circle",
        )
        for pk, name in names.items()
    ]
    paused = flows.filter(status=Flow.Status.PAUSED).order_by("status_since").values_list("pk", "name")
    found += [
        Attention(
            f"{name} is paused",
            "People are enrolled, but nobody moves until it goes on.",
            turl(member.tenant, "reporting:flow", pk),
            "is-warn",
            "pause-circle",
        )
        for pk, name in paused[:SHOWN]
    ]
    return [HomePart("reporting/home/attention.html", {"attention": found})] if found else []


def _running(member: Membership) -> list[HomePart]:
    """Show what runs, busiest first."""
    if not member.may(*MARKETERS):
        return []
    listing = FlowListing(tab="running", sort="active", descending=True)
    found = flow_list(member=member, listing=listing)
    rows = found.rows[:SHOWN]
    told = {
        "rows": rows,
        "more": found.total - len(rows),
        "figures": [
            ("Running flows", found.total),
            ("In progress", sum(row.figures.active for row in found.rows)),
            ("Enrolled", sum(row.figures.enrolled for row in found.rows)),
            ("Finished with success", sum(row.figures.success for row in found.rows)),
        ],
        "may_make": member.may(Right.FLOW_ADMINISTRATOR),
    }
    if not rows and not Flow.objects.filter(started_at__isnull=False).exists():
        return []
    return [HomePart("reporting/home/running.html", told)]


def _mine(member: Membership) -> list[HomePart]:
    """Show a rep's own contacts: who is in a flow now, and where."""
    if member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        return []
    page = my_contacts_in_flows(user_id=member.user_id, only_active=True)
    if not page.rows and member.may(*MARKETERS):
        return []
    told = {
        "contacts_url": turl(member.tenant, "crm:contacts"),
        "rows": page.rows[:SHOWN],
        "more": len(page.rows) > SHOWN or page.older is not None,
    }
    return [HomePart("reporting/home/mine.html", told)]
