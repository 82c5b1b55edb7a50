"""Arranging what pages show: a flow of two emails and a split, with people at every place, in Acme."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.utils import timezone

from accounts.models import Tenant, User
from core.tenancy import tenant_scope
from core.text import norm
from crm.models import Company, ConsentPurpose, Contact, ListItem, SubscriptionType
from flows.document import Branch, ExitSettings, StepNode, SuccessCriterion, Trigger
from flows.models import Flow, Step
from participants.counters import fold
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.conftest import World, when

EMOJI, RIGHT_TO_LEFT = "Zoë 🎉 O'Neill", "نور الدين"


class SeededWorld(World):
    """The same verbs in a tenant that was created as in production, with its lists and licences."""

    def __init__(self, tenant: Tenant, user: User) -> None:
        self.tenant, self.user = tenant, user
        self.now = timezone.now()
        self.purpose, _ = ConsentPurpose.objects.get_or_create(
            key="e-marketing", defaults={"name": "E-marketing"}
        )
        self.news, _ = SubscriptionType.objects.get_or_create(name="News")
        self.prospect, self.customer = self.category("Prospect"), self.category("Customer")

    def category(self, name: str) -> ListItem:
        """Find or make a category."""
        found, _ = ListItem.objects.get_or_create(
            list="category", name_norm=norm(name), defaults={"name": name}
        )
        return found


@dataclass
class Stage:
    """Acme with a flow to look at. Open `scope()` to arrange or check; pages open their own."""

    person: Person
    world: World
    flow: Flow
    welcome: StepNode
    wait: StepNode
    split: StepNode
    contacts: dict[str, Contact] = field(default_factory=dict)

    @contextmanager
    def scope(self) -> Iterator[World]:
        """Open the tenant's scope."""
        with tenant_scope(self.person.tenant.pk):
            yield self.world

    def url(self, path: str = "") -> str:
        """Return a path below the flow."""
        return self.person.url(f"flows/{self.flow.pk}/{path}")

    def participant(self, name: str) -> Participant:
        """Return the newest participant of a contact by first name."""
        with self.scope():
            return self.world.one(self.flow, self.contacts[name])


def make_stage(person: Person, *, status: str = "running", **parts: Any) -> Stage:
    """Make the flow: Welcome (email) → Wait 2 days → Split (chefs · everyone else exits) → Finish."""
    with tenant_scope(person.tenant.pk):
        world = SeededWorld(person.tenant, User.objects.get(pk=person.user.pk))
        world.now = timezone.now() - dt.timedelta(days=3)
        email = world.email("Welcome 👋")
        welcome = StepNode(kind="send_email", title="Welcome", settings={"email": email.pk})
        wait = StepNode(kind="wait_for_time", title="Wait 2 days", settings={"amount": 2, "unit": "days"})
        split = StepNode(
            kind="split",
            title="Chef?",
            branches=(
                Branch(name="Chefs", criteria=when("contact.job_title", "contains", "chef")),
                Branch(name="Everyone else", exit=ExitSettings()),
            ),
        )
        document = {
            "triggers": (Trigger(kind="contact_created"),),
            "success": (
                SuccessCriterion(
                    kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk)
                ),
            ),
            **parts,
        }
        flow = world.flow(welcome, wait, split, name="Autumn welcome", status=status, **document)
        return Stage(person, world, flow, welcome, wait, split)


def add_people(stage: Stage) -> None:
    """Put one contact at each fate: here, finished with success, dropped out, never enrolled."""
    with stage.scope() as world:
        company = Company.objects.create(
            name="مطعم النيل", name_norm="مطعم النيل", created_at=world.now, updated_at=world.now
        )
        made = {
            "Anna": world.contact("Anna", job_title="Head chef", company=company, category=None),
            "Zoe": world.contact("Zoe", last_name=EMOJI, job_title="Waiter"),
            "Nour": world.contact("Nour", last_name=RIGHT_TO_LEFT, consent=False),
            "Late": world.contact("Late", job_title="chef"),
        }
        stage.contacts |= made
        for name, contact in made.items():
            Contact.objects.filter(pk=contact.pk).update(last_name=contact.last_name or name)
        world.suggest(stage.flow, made["Anna"], made["Zoe"], made["Nour"])
        world.advance(stage.flow)
        world.advance(stage.flow, days=2.1)
        world.suggest(stage.flow, made["Late"])
        world.advance(stage.flow)
        fold(tenant_id=world.tenant.pk)
        for contact in made.values():
            contact.refresh_from_db()


def crowd(stage: Stage, number: int) -> None:
    """Enrol many contacts at once."""
    with stage.scope() as world:
        base = Contact.objects.count()
        contacts = Contact.objects.bulk_create(
            Contact(
                first_name=f"Guest {base + n}",
                last_name="Crowd",
                name_norm=f"guest {base + n} crowd",
                email=f"guest{base + n}@post.test",
                email_norm=f"guest{base + n}@post.test",
                origin="import",
                created_at=world.now,
                updated_at=world.now,
            )
            for n in range(number)
        )
        world.suggest(stage.flow, *contacts)


def first_step(flow: Flow) -> uuid.UUID:
    """Return the id of the flow's first step."""
    return Step.objects.filter(flow=flow).order_by("rank").values_list("pk", flat=True)[0]


def text_of(html: str) -> str:
    """Return what one reads: no tags, single blanks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def page_of(person: Person, url: str, **query: Any) -> str:
    answer = person.client().get(url, query)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()
