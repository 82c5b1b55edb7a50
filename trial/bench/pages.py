"""`bench pages`: how long the server takes over the pages of a tenant with very many people, beside a small one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import Role, Tenant, User
from accounts.operations import add_member
from core.clock import now
from core.tenancy import require_tenant_id, tenant_scope
from crm.models import Contact, Selection, SelectionMember
from flows.models import Flow
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from trial.bench.engine import SUGGEST_ROWS, WrongResult, made_flow, walk_flow
from trial.bench.world import analyze, make_tenant

SMALL = 1_000
WORDS = """
INSERT INTO crm_searchword (tenant_id, kind, object_id, word)
SELECT tenant_id, 'contact', id, unnest(ARRAY[lower(first_name), lower(last_name)]) FROM crm_contact
WHERE tenant_id = %s
"""


@dataclass(frozen=True, slots=True)
class Inhabited:
    """A tenant with a flow that everybody finished and a tenth is in again, and who looks at it."""

    tenant: Tenant
    user: User
    flow: Flow
    selection: Selection


@dataclass(frozen=True, slots=True)
class Looked:
    """What a page took: milliseconds of the server (median) and queries."""

    milliseconds: float
    queries: int


def pages(*, people: int, asks: int, workers: int) -> dict[str, Any]:
    """Return the figures of one run: server milliseconds of each page with so many contacts and as many participants.

    Raises WrongResult where a page does not answer 200, or asks the database more often than with SMALL people.
    """
    few = _look(_inhabited(SMALL, workers), asks=2)
    many = _look(_inhabited(people, workers), asks=asks)
    more = {
        name: [few[name].queries, many[name].queries]
        for name in many
        if many[name].queries > few[name].queries
    }
    if more:
        raise WrongResult(f"Queries grow with the people: {more}")
    slowest = max(many, key=lambda name: many[name].milliseconds)
    return {
        "people": people,
        "pages": len(many),
        "milliseconds": {name: round(one.milliseconds) for name, one in many.items()},
        "milliseconds_of_few": {name: round(one.milliseconds) for name, one in few.items()},
        "queries": {name: one.queries for name, one in many.items()},
        "slowest": slowest,
        "slowest_milliseconds": round(many[slowest].milliseconds),
    }


def _inhabited(people: int, workers: int) -> Inhabited:
    tenant, user = make_tenant()
    with tenant_scope(tenant.pk):
        add_member(user=user, role=Role.objects.get(name="Administrator"))
        made = made_flow(user, people, name="Everybody")
        selection = Selection.objects.get(name="Everybody")
        with connection.cursor() as cursor:
            cursor.execute(WORDS, [require_tenant_id()])
        Flow.objects.filter(pk=made.flow.pk).update(status=Flow.Status.RUNNING)
    analyze()
    walk_flow(tenant, made, workers=workers)
    with tenant_scope(tenant.pk):
        # Workers that run beside the bench would move the people on.
        Flow.objects.filter(pk=made.flow.pk).update(status=Flow.Status.PAUSED)
        members = SelectionMember.objects.filter(selection=selection).order_by("contact_id")
        again = list(members.values_list("contact_id", flat=True)[: people // 10])
        for begin in range(0, len(again), SUGGEST_ROWS):
            suggest(
                flow_id=made.flow.pk,
                contact_ids=again[begin : begin + SUGGEST_ROWS],
                source=Source("api"),
                now=now(),
            )
    analyze()
    return Inhabited(tenant, user, made.flow, selection)


def _addresses(world: Inhabited) -> Mapping[str, str]:
    flow, selection = f"flows/{world.flow.pk}/", f"selections/{world.selection.pk}/"
    with tenant_scope(world.tenant.pk):
        someone = Contact.objects.order_by("pk")[SMALL // 2]
        participant = Participant.objects.filter(flow_id=world.flow.pk).order_by("-pk")[10]
    return {
        "home": "",
        "contacts": "contacts/",
        "contacts, newest first": "contacts/?sort=-created_at",
        "contacts, one word": "contacts/?q=first123",
        "contacts, nobody": "contacts/?q=qqqq",
        "a contact": f"contacts/{someone.pk}/",
        "a contact's timeline": f"contacts/{someone.pk}/timeline/",
        "a contact's flows": f"contacts/{someone.pk}/flows/",
        "selections": "selections/",
        "a selection": selection,
        "flows": "flows/",
        "flows, as a list": "flows/?view=list",
        "a flow's summary": flow,
        "a flow's canvas with numbers": f"{flow}canvas/",
        "a flow's reports": f"{flow}reports/",
        "a flow's reports, messages": f"{flow}reports/messages/",
        "participants": f"{flow}participants/",
        "participants, active": f"{flow}participants/?status=active",
        "participants, finished": f"{flow}participants/?status=finished",
        "participants, one word": f"{flow}participants/?q=first123",
        "a participant": f"{flow}participants/{participant.pk}/",
    }


# Pages name the bundle; `make setup` makes it, but only a deployment collects it with its manifest.
PLAIN_FILES = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


@override_settings(STORAGES=PLAIN_FILES)
def _look(world: Inhabited, *, asks: int) -> dict[str, Looked]:
    client = Client(headers={"host": settings.ALLOWED_HOSTS[0]})
    client.force_login(world.user)
    return {
        name: _page(client, f"/t/{world.tenant.slug}/{path}", asks)
        for name, path in _addresses(world).items()
    }


def _page(client: Client, address: str, asks: int) -> Looked:
    """Ask once for the caches, once for the queries, then by the clock."""
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
    number = len(queries)
    if answer.status_code != 200:
        raise WrongResult(f"{address} answered {answer.status_code}")
    took = []
    for _ in range(asks):
        start = time.perf_counter()
        client.get(address)
        took.append(time.perf_counter() - start)
    return Looked(statistics.median(took) * 1000, number)
