"""The rep's diary in the demo: a task that is late, one for today, and meetings that keep free time interesting."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from core.localtime import moment
from crm.diary import day_after
from crm.models import Contact, FollowUp, ListItem
from crm.operations.follow_ups import FollowUpValues, create_follow_up, zone_of


def seed_follow_ups(*, rep: User, marketer: User, now: dt.datetime) -> None:
    """Put a few follow-ups about the rep's own contacts into the rep's diary."""
    zone = zone_of(rep.pk, now)
    today = now.astimezone(zone).date()
    call = ListItem.objects.get(list=ListItem.List.FOLLOW_UP_TYPE, name="Call")
    visit = ListItem.objects.get(list=ListItem.List.FOLLOW_UP_TYPE, name="Meeting")
    contacts = list(Contact.objects.filter(company__our_contact=rep).order_by("pk")[:4])
    tasks = (("Send the price list", -2), ("Ask how the tents sold", 0))
    meetings = (("Show the autumn range", dt.time(9)), ("Order for the spring", dt.time(13, 30)))
    for contact, (title, days) in zip(contacts, tasks, strict=False):
        values = FollowUpValues(
            kind=FollowUp.Kind.TASK,
            title=title,
            assignee_id=rep.pk,
            day=today + dt.timedelta(days=days),
            type_id=call.pk,
        )
        create_follow_up(values=values, contact_id=contact.pk, now=now, actor=marketer)
    day = day_after(today, 1, "workdays", frozenset())
    for contact, (title, clock) in zip(contacts[2:], meetings, strict=False):
        starts = moment(day, clock, zone)
        values = FollowUpValues(
            kind=FollowUp.Kind.MEETING,
            title=title,
            assignee_id=rep.pk,
            starts_at=starts,
            ends_at=starts + dt.timedelta(hours=1),
            type_id=visit.pk,
        )
        create_follow_up(values=values, contact_id=contact.pk, now=now, actor=rep)
