"""What content brings to the home page: submissions that wait for the member."""

from __future__ import annotations

import datetime as dt

from accounts.home import HomePart
from accounts.models import Membership
from accounts.urls_for import turl
from content.queries_form import WAITING, managed_forms, submissions_for


def home_parts(member: Membership, now: dt.datetime) -> list[HomePart]:
    """Return the section for a member who manages forms with something waiting; none otherwise."""
    if not managed_forms(member).exists():
        return []
    waiting = submissions_for(member).filter(status__in=WAITING).count()
    if not waiting:
        return []
    told = {"count": waiting, "url": turl(member.tenant, "content:submissions")}
    return [HomePart("content/home_submissions.html", told)]
