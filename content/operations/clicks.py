"""Following a link of a message: only to an address that its tenant wrote, with the message's own values in it.

A registered link also says that it was clicked (link.clicked) and does its actions, in the same transaction. Clicks of
ordinary links that wait in one process at the same time share one transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction

from accounts.models import Tenant
from content.actions import run_actions
from content.forms.page import form_of_address, make_prefill
from content.link_actions import LinkActions
from content.models import TrackedLink
from content.operations.link_effects import make_follow_up, make_request
from content.operations.script_runs import run_later
from content.rendering import render_address
from content.sandbox import paths_of
from content.tree import costs_a_query
from content.values import values_of
from core import clock
from core.combining import Combiner
from core.db.busy import is_busy
from core.db.cursors import raw_cursor
from core.jobs import start_job
from core.tenancy import require_tenant_id
from crm.events import NewEvent, Origin, record_events
from crm.models import Event
from delivery.models import Message
from delivery.operations.bursts import is_too_soon
from delivery.operations.tracking import Act, Seen, message_seen, messages_seen, record_click, record_clicks
from delivery.tokens import MessageRef

JOB: Final = "link_actions"
_FIND = {
    Message.Channel.EMAIL: """
SELECT l.url, l.label, l.registered_id, v.custom_keys FROM content_messagelink l
JOIN content_emailversion v ON v.tenant_id = l.tenant_id AND v.id = l.version_id
WHERE l.tenant_id = %s AND l.version_id = %s AND l.number = %s
""",
    Message.Channel.SMS: """
SELECT l.link ->> 'url', '', (l.link ->> 'registered')::bigint, v.custom_keys FROM content_smsversion v
JOIN LATERAL jsonb_array_elements(v.links) WITH ORDINALITY AS l(link, number) ON TRUE
WHERE v.tenant_id = %s AND v.id = %s AND l.number = %s
""",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a version: its address with merge tags, or the registered link that it is."""

    url: str
    label: str
    registered_id: int | None
    custom_keys: Sequence[str]


class NoSuchLink(LookupError):
    """The version has no link of this number."""


@lru_cache(maxsize=4096)
def _link(tenant_id: int, channel: str, version_id: int, number: int) -> Link:
    """Return a link of a version, which is immutable, so processes may remember it; raise NoSuchLink."""
    with raw_cursor() as cursor:
        cursor.execute(_FIND[Message.Channel(channel)], [tenant_id, version_id, number])
        row = cursor.fetchone()
    if row is None:
        raise NoSuchLink("There is no such link.")
    return Link(*row)


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a link leads: to an address, or to the text of a registered link."""

    address: str = ""
    heading: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """A request for link `number` of a message."""

    ref: MessageRef
    number: int
    machine: bool


def follow(click: Click) -> Followed | None:
    """Return where a link leads, and record the click; None where there is no such link. Raises NoSuchMessage.

    Outside any scope. When it returns, the click is on disk, by a commit that may be others' as well.
    """
    followed = _together(click.ref.tenant_id, click)
    if followed is not None:
        return followed
    with message_seen(click.ref) as message:
        now = clock.now() + message.ahead
        return follow_link(message=message, number=click.number, now=now, machine=click.machine)


def _follow_all(clicks: Sequence[Click]) -> list[Followed | None]:
    """Follow ordinary links of one tenant's messages in one transaction; None for a click that is to go alone.

    That is a registered link, whose actions may wait for others; a message that somebody else holds; what is not
    there; and of one message every click but the first, so that each sees those before it.
    """
    of_message = {click.ref.message_id: click for click in reversed(clicks)}
    with messages_seen([click.ref for click in of_message.values()]) as found:
        plain: list[tuple[Act, Link]] = []
        for number, message in found.items():
            link = _ordinary(message, of_message[number].number)
            if link is not None:
                now, machine = clock.now() + message.ahead, of_message[number].machine
                plain.append((Act(message, now, machine, link.url, link.label), link))
        record_clicks([act for act, _ in plain])
        values = _values_for(plain)
    done: dict[int, Followed] = {}
    for act, link in plain:
        message = act.message
        address = _filled(link.url, message, values.get(message.contact_id or 0, {}))
        machine = act.machine or is_too_soon(message, act.now)
        done[message.ref.message_id] = Followed(
            _greeting(_with_utm_of(address, message), message, machine=machine)
        )
    return [
        done.get(click.ref.message_id) if of_message[click.ref.message_id] is click else None
        for click in clicks
    ]


_together: Combiner[Click, Followed] = Combiner(_follow_all)


def _ordinary(message: Seen, number: int) -> Link | None:
    try:
        link = _link(message.ref.tenant_id, message.channel, message.version_id, number)
    except NoSuchLink:
        return None
    return link if link.registered_id is None else None


def _values_for(plain: Sequence[tuple[Act, Link]]) -> dict[int, dict[str, Any]]:
    """Return what links with merge tags are filled with, by contact."""
    wanted = [(act.message.contact_id, link.custom_keys) for act, link in plain if "{" in link.url]
    people = [contact_id for contact_id, _ in wanted if contact_id is not None]
    return values_of(people, paths={key for _, keys in wanted for key in keys}) if people else {}


def follow_link(*, message: Seen, number: int, now: dt.datetime, machine: bool) -> Followed | None:
    """Return where link `number` of a message leads, and record the click; None where there is no such link.

    Inside the tenant's scope. For a test, or an erased person, it leads on and nothing is recorded.
    """
    machine = machine or is_too_soon(message, now)
    try:
        link = _link(message.ref.tenant_id, message.channel, message.version_id, number)
    except NoSuchLink:
        return None
    if link.registered_id is not None:
        return click_registered(link_id=link.registered_id, message=message, now=now, machine=machine)
    record_click(message=message, link=link.url, label=link.label, now=now, machine=machine)
    address = _filled(link.url, message, _values(link.url, message, link.custom_keys))
    return Followed(_greeting(_with_utm_of(address, message), message, machine=machine))


def _greeting(address: str, message: Seen, *, machine: bool) -> str:
    """Return an address that leads to a form of ours with what tells it whom it greets; machines are nobody."""
    form_id = form_of_address(address)
    if form_id is None or machine or not message.counts:
        return address
    parts = urlsplit(address)
    more = urlencode({"p": make_prefill(form_id, message.ref)})
    return parts._replace(query="&".join(part for part in (parts.query, more) if part)).geturl()


def click_registered(*, link_id: int, message: Seen, now: dt.datetime, machine: bool) -> Followed | None:
    """Follow a registered link from a message of any channel. A person's click is told and does the link's actions.

    A deleted link in a mail that went out still leads on; it says and does nothing any more.
    """
    link = TrackedLink.objects.filter(pk=link_id).first()
    if link is None:
        return None
    counts = record_click(message=message, link=link.url, label=link.name, now=now, machine=machine)
    if counts and link.deleted_at is None:
        _tell_and_act(link, message, now)
    if link.shows == TrackedLink.Shows.TEXT:
        return Followed(heading=link.heading, text=link.text)
    keys = [path.replace(".custom", "") for path in paths_of(link.url) if costs_a_query(path)]
    address = _with_utm_of(_filled(link.url, message, _values(link.url, message, keys)), message)
    return Followed(_greeting(address, message, machine=machine))


def _tell_and_act(link: TrackedLink, message: Seen, now: dt.datetime) -> None:
    contact_id = message.contact_id or 0
    data = {"link": {"id": link.pk, "name": link.name, "url": link.url}, "email": message.email_id}
    # No flow_id: the person clicked, not the flow, so that the click may bring them into the same flow.
    event = NewEvent(
        "link.clicked", contact_id, now, Origin.LINK, company_id=message.company_id, object_id=link.pk, data=data,
        message_id=message.ref.message_id,
    )  # fmt: skip
    actions = LinkActions.model_validate(link.actions)
    if (actions.follow_up or actions.request) and _was_clicked(link, message):
        # Our people are told once, however often one message's link is pressed.
        actions = actions.model_copy(update={"follow_up": False, "request": False})
    with raw_cursor() as cursor:
        record_events([event], cursor=cursor)
    if actions.is_empty:
        return
    try:
        act(contact_id=contact_id, actions=actions, now=now, event=data)
    except OperationalError as error:
        # An import or a batch holds the contact: the person is led on, and a worker does it in a moment.
        if not is_busy(error):
            raise
        told = {
            "contact": contact_id,
            "actions": actions.model_dump(mode="json", exclude_defaults=True),
            "event": data,
        }
        start_job(kind=JOB, now=now, arguments=told, title="Actions of a tracked link")


def _was_clicked(link: TrackedLink, message: Seen) -> bool:
    clicks = Event.objects.filter(contact_id=message.contact_id or 0, kind="link.clicked", object_id=link.pk)
    return clicks.filter(message_id=message.ref.message_id).exists()


@transaction.atomic
def act(
    *, contact_id: int, actions: LinkActions, now: dt.datetime, event: Mapping[str, Any] | None = None
) -> None:
    """Do a link's actions to whoever clicked. Raises OperationalError where a lock was not to be had."""
    tenant_id = require_tenant_id()
    zone = ZoneInfo(Tenant.objects.values_list("timezone", flat=True).get(pk=tenant_id))
    with raw_cursor() as cursor:
        run_actions(
            cursor, tenant_id=tenant_id, actions=actions, contact_ids=[contact_id], now=now, origin=Origin.LINK,
            zone=zone,
        )  # fmt: skip
        if actions.follow_up:
            make_follow_up(cursor, actions=actions, contact_id=contact_id, now=now, zone=zone)
        if actions.request:
            make_request(cursor, actions=actions, contact_id=contact_id, now=now)
    if actions.script is not None:
        run_later(
            script_id=actions.script,
            contact_id=contact_id,
            event=dict(event or {}),
            origin=Origin.LINK,
            now=now,
        )


def _values(url: str, message: Seen, paths: Sequence[str]) -> Mapping[str, Any]:
    if "{" not in url or message.contact_id is None:
        return {}
    return values_of([message.contact_id], paths=paths).get(message.contact_id, {})


def _filled(url: str, message: Seen, values: Mapping[str, Any]) -> str:
    return render_address(url, {"event": dict(message.event), **values})


def _with_utm_of(address: str, message: Seen) -> str:
    return with_utm(address, message.utm, medium=message.channel)


def with_utm(address: str, utm: Mapping[str, str], *, medium: str = "email") -> str:
    """Return the address with the flow's source and campaign; what the writer wrote there stays."""
    wanted = {"utm_source": utm.get("source"), "utm_medium": medium, "utm_campaign": utm.get("campaign")}
    if not (wanted["utm_source"] or wanted["utm_campaign"]):
        return address
    parts = urlsplit(address)
    there = {key for key, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({key: value for key, value in wanted.items() if value and key not in there})
    query = "&".join(part for part in (parts.query, more) if part)
    return parts._replace(query=query).geturl()
