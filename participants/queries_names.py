"""Names of what values mention by id, each kind read once (participants.words turns them into sentences)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from accounts.models import User
from crm.models import Contact, Selection, SubscriptionType
from flows.models import Flow
from participants.models import Participant
from participants.words import Names


def _selections(ids: set[int]) -> Mapping[int, str]:
    return dict(Selection.objects.filter(pk__in=ids).values_list("pk", "name"))


def _subscription_types(ids: set[int]) -> Mapping[int, str]:
    return dict(SubscriptionType.objects.filter(pk__in=ids).values_list("pk", "name"))


def _flows(ids: set[int]) -> Mapping[int, str]:
    # Deleted flows keep their name for timelines.
    return dict(Flow.objects.filter(pk__in=ids).values_list("pk", "name"))


def user_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Return the users' names by id."""
    return {user.pk: user.get_full_name() for user in User.objects.filter(pk__in=set(ids))}


def _users(ids: set[int]) -> Mapping[int, str]:
    return user_names(ids)


def _participants(ids: set[int]) -> Mapping[int, str]:
    """Whoever was erased, or whose participation was, has no name here."""
    contacts = dict(Participant.objects.filter(pk__in=ids).values_list("pk", "contact_id"))
    names = {one.pk: str(one) for one in Contact.objects.filter(pk__in=contacts.values(), deleted_at=None)}
    return {pk: names[contact_id] for pk, contact_id in contacts.items() if contact_id in names}


_READERS: Mapping[str, Callable[[set[int]], Mapping[int, str]]] = {
    "selection": _selections,
    "subscription_type": _subscription_types,
    "flow": _flows,
    "user": _users,
    "participant": _participants,
}


def names_of(mentions: Iterable[tuple[str, int]]) -> Names:
    """Return the names of (kind, id) pairs; one query a kind that is mentioned."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, object_id in mentions:
        ids[kind].add(object_id)
    return Names({kind: _READERS[kind](wanted) for kind, wanted in ids.items() if kind in _READERS})
