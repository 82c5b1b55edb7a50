"""The planner may know nothing of a tenant or flow: the engine does not go through its people once for each of them.

In a test's transaction no table has statistics of the test's own rows, as in the first minute of a large enrolment.
What counts is how often each part of a plan ran and on how many rows, never how long it took.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from core.db.cursors import raw_cursor
from crm.models import Company, Consent, ConsentPurpose, Contact
from crm.models.consent import E_MARKETING
from flows.document import Branch, StepNode, SuccessCriterion
from participants.engine.route import route_of
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from participants.operations.marking import mark_state
from tests.participants.conftest import NOW, World, send, wait, when

# A table of a few pages is rightly read as a whole, whatever is looked for: these have more.
MANY = 1_500
Plan = dict[str, Any]


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Plan]]:
    """Return a reader of the plans, as they ran, of the statements whose text holds some words."""
    kept: list[tuple[str, Plan]] = []
    execute = psycopg.Cursor.execute

    def explained(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        text = query if isinstance(query, str) else ""
        if any(word in text for word in ("asked(contact_id)", "AS t(", "participants_participant p")):
            execute(self, "SAVEPOINT explained")
            execute(self, f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {text}", params)
            row = self.fetchone()
            execute(self, "ROLLBACK TO SAVEPOINT explained")
            kept.append((text, (row[0] if isinstance(row[0], list) else json.loads(row[0]))[0]["Plan"]))
        return execute(self, query, params, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", explained)
    return lambda words: [plan for text, plan in kept if words in text]


def nodes(plan: Plan) -> Iterator[Plan]:
    """Yield every part of a plan."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def rows_touched(plan: Plan) -> int:
    """Return how many rows the scans of a plan gave or threw away, over all their loops."""
    scans = [node for node in nodes(plan) if "Relation Name" in node and "Scan" in node["Node Type"]]
    joins = [node for node in nodes(plan) if "Rows Removed by Join Filter" in node]
    touched = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans
    )
    return int(touched + sum(node["Rows Removed by Join Filter"] * node["Actual Loops"] for node in joins))


def crowd(number: int) -> list[int]:
    """Return the ids of new contacts, each of a company of its own, who agreed to e-marketing."""
    companies = Company.objects.bulk_create(
        Company(name=f"Firm {n}", name_norm=f"firm {n}", created_at=NOW, updated_at=NOW)
        for n in range(number)
    )
    contacts = Contact.objects.bulk_create(
        Contact(
            first_name=f"P{n}",
            name_norm=f"p{n}",
            email=f"p{n}@x.test",
            email_norm=f"p{n}@x.test",
            company=company,
            job_title="Lead",
            origin="ui",
            created_at=NOW,
            updated_at=NOW,
        )
        for n, company in enumerate(companies)
    )
    purpose = ConsentPurpose.objects.get(key=E_MARKETING)
    Consent.objects.bulk_create(
        Consent(contact=one, purpose=purpose, given=True, legal_basis="x", source="x", at=NOW)
        for one in contacts
    )
    return [contact.pk for contact in contacts]


def test_enrolling_a_second_slice_asks_for_each_row_once(
    world: World, plans: Callable[[str], list[Plan]]
) -> None:
    flow = world.flow(
        wait(1),
        filter=when("company.name", "contains", "Firm"),
        settings={
            "exclusions": (world.selection("No go").pk,),
            "once_only": True,
            "control_share": 10,
        },
    )
    source, people = Source("onward"), crowd(2 * MANY)

    for part in (people[:MANY], people[MANY:]):
        suggest(flow_id=flow.pk, contact_ids=part, source=source, now=NOW)

    _, second = plans("WITH judged")
    assert Participant.objects.filter(flow_id=flow.pk).count() > MANY
    # The slice's contacts and companies, and the flow's people twice: active already, and once only.
    assert rows_touched(second) <= 6 * MANY


def test_a_batch_takes_and_judges_each_participant_by_look_ups_of_its_own(
    world: World, plans: Callable[[str], list[Plan]]
) -> None:
    anna = world.contact("Anna", email="p1@x.test")
    firms = Branch(name="Firms", criteria=when("company.name", "contains", "Firm"))
    split = StepNode(kind="split", title="Firms?", branches=(firms, Branch(name="Everyone else")))
    flow = world.flow(split, send(world.email()), wait(1))
    people = crowd(MANY)
    world.suggest(flow, anna)
    suggest(flow_id=flow.pk, contact_ids=people, source=Source("manual"), now=NOW)

    world.advance(flow, limit=MANY + 1)

    assert len(world.messages()) == MANY  # Anna holds one of the addresses
    (claim,) = plans("SKIP LOCKED")
    (branches,) = plans("SELECT c.id, CASE")
    (email,) = plans("crm_consent")
    assert rows_touched(claim) <= 2 * (MANY + 1)
    assert rows_touched(branches) <= 2 * (MANY + 1)
    # A contact, its consent, itself by its address; and the flow's people for each of the two who share one, at worst.
    assert rows_touched(email) <= 5 * (MANY + 1)


def test_success_is_judged_by_look_ups_and_the_flow_is_gone_through_once(
    world: World, plans: Callable[[str], list[Plan]]
) -> None:
    item = SuccessCriterion(kind="criteria", criteria=when("company.name", "contains", "Firm"))
    flow = world.flow(wait(1))
    people = crowd(MANY)
    suggest(flow_id=flow.pk, contact_ids=people, source=Source("manual"), now=NOW)
    document = route_of(flow_id=flow.pk, revision=1).document.model_copy(update={"success": (item,)})

    with raw_cursor() as cursor:
        marked = mark_state(cursor, flow=flow, document=document, contact_ids=people, now=NOW)

    (plan,) = plans("SET success_at")
    assert marked == MANY
    assert rows_touched(plan) <= 3 * MANY
