"""Data rights: whose objects a member may read, create, update or remove (own, own group, all)."""

from __future__ import annotations

from accounts.models import Membership
from accounts.rights import DataObject, Reach


def owners_within_reach(member: Membership, kind: DataObject, verb: str) -> list[int] | None:
    """Return the user ids whose objects of a kind are within reach of a verb (read, create, update, remove).

    None means everyone's, also those without an owner; an empty list means nobody's.
    """
    reach = member.reach(kind, verb)
    if reach == Reach.ALL:
        return None
    if reach == Reach.NONE:
        return []
    if reach == Reach.OWN or member.group_id is None:
        return [member.user_id]
    mates = Membership.objects.filter(group=member.group_id).values_list("user_id", flat=True)
    return sorted({member.user_id, *mates})
