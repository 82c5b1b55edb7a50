"""Run script in the engine: results and errors on the visit, fields set with the CRM's checks, nobody fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from content.models import Script
from content.operations.scripts import save_script
from content.scripts.runner import run_script
from crm.models import Company, Contact, ContactFieldValue, CustomField, Event
from flows.document import StepNode
from flows.steps import run_script as step_kind
from participants.models import Participant, Visit
from tests.participants.conftest import NOW, World, wait


def script(world: World, source: str, name: str = "Score") -> Script:
    return save_script(
        script_id=None, name=name, description="", source=source, revision=0, actor=world.user, now=NOW
    )


def step(made: Script) -> StepNode:
    return StepNode(kind="run_script", title="Compute", settings={"script": made.pk})


def seen(world: World, contact: Contact) -> dict[str, Any]:
    participant = Participant.objects.get(contact_id=contact.pk)
    return dict(Visit.objects.get(participant_id=participant.pk, number=1).values or {})


def test_a_script_sees_the_contact_and_its_result_stands_on_the_visit(world: World) -> None:
    CustomField.objects.create(on="contact", key="shoe-size", name="Shoe size", type="number")
    score = CustomField.objects.create(on="contact", key="score", name="Score", type="number")
    company = Company.objects.create(name="Mill", name_norm="mill", created_at=NOW, updated_at=NOW)
    ann = world.contact("Ann", company=company)
    ContactFieldValue.objects.create(contact=ann, field=score, value_number=Decimal("4.5"))
    made = script(world, """
print(contact["first_name"], company["name"], contact["custom"]["shoe_size"], contact["interests"])
result = {"score": contact["custom"]["score"] * 2, "flow": flow["name"], "day": today, "event": event}
""")  # fmt: skip
    flow = world.flow(step(made), wait(1), name="Scores")
    world.suggest(flow, ann)
    world.advance(flow)
    values = seen(world, ann)
    assert values["script_result"] == {"score": 9, "flow": "Scores", "day": "2026-11-23", "event": {}}
    assert values["script_log"] == ["Ann Mill None []"]
    assert "script_error" not in values
    assert world.path(world.one(flow, ann)) == [("Compute", "went_on", ""), ("Wait", "", "")]


def test_an_error_is_kept_on_the_visit_and_everyone_goes_on(world: World) -> None:
    made = script(world, "result = 10 / len(contact['job_title'])")
    ann, ben = world.contact("Ann", job_title="Chef"), world.contact("Ben")
    flow = world.flow(step(made), wait(1))
    world.suggest(flow, ann, ben)
    world.advance(flow)
    assert seen(world, ann)["script_result"] == 2.5
    assert "division by zero" in seen(world, ben)["script_error"]
    assert seen(world, ben)["note"].startswith("The script failed: Line 1")
    assert {p.status for p in Participant.objects.all()} == {"active"}


def test_updates_set_fields_each_with_its_own_value_and_record_what_changed(world: World) -> None:
    score = CustomField.objects.create(on="contact", key="score", name="Score", type="number")
    made = script(world, """
updates = {"contact.custom.score": len(contact["first_name"]), "contact.job_title": contact["first_name"].upper(),
           "contact.mobile": "+4791234567", "contact.country": "NO", "contact.phone": None}
""")  # fmt: skip
    people = [world.contact(name, phone="+4722334455") for name in ("Ann", "Benny")]
    flow = world.flow(step(made), wait(1))
    world.suggest(flow, *people)
    world.advance(flow)
    found = {c.first_name: (c.job_title, c.mobile, c.country, c.phone) for c in Contact.objects.all()}
    assert found == {"Ann": ("ANN", "+4791234567", "NO", ""), "Benny": ("BENNY", "+4791234567", "NO", "")}
    scores = dict(
        ContactFieldValue.objects.filter(field=score).values_list("contact__first_name", "value_number")
    )
    assert scores == {"Ann": 3, "Benny": 5}
    events = Event.objects.filter(kind="contact.updated")
    assert {(e.origin, e.flow_id) for e in events} == {("flow", flow.pk)}
    assert sorted(e.contact_id for e in events) == sorted(c.pk for c in people)


@pytest.mark.parametrize(
    ("updates", "words"),
    [
        ('{"contact.email": "no address"}', "is not an email address"),
        ('{"contact.mobile": "12"}', "is not a phone number"),
        ('{"contact.nothing": "x"}', "does not exist"),
        ('{"contact.category": 1}', "cannot be written by a script"),
        ('{"contact.our_contact": 1}', "cannot be written by a script"),
        ('{"contact.deleted_at": "2026-01-01"}', "does not exist"),
        ('{"company.website": "https://example.com"}', "has no company"),
        ('{"contact.date_of_birth": "tomorrow"}', "is not a date"),
        ('{"contact.country": "Narnia"}', "in the list"),
        ('{"contact.job_title": "x" * 500}', "at most 160"),
    ],
)
def test_a_value_that_its_field_does_not_take_is_an_error_and_none_is_set(
    world: World, updates: str, words: str
) -> None:
    made = script(world, f'updates = {updates}\nupdates["contact.last_name"] = "Changed"')
    ann, ben = world.contact("Ann"), world.contact("Ben")
    flow = world.flow(step(made), wait(1))
    world.suggest(flow, ann, ben)
    world.advance(flow)
    assert words in seen(world, ann)["script_error"]
    names = set(Contact.objects.values_list("last_name", flat=True))
    assert names == {""} or "has no company" in words
    assert {p.status for p in Participant.objects.all()} == {"active"}


def test_whose_turn_does_not_come_waits_a_moment_and_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run_script

    def two_at_a_time(source: str, items: Any, **more: Any) -> Any:
        return real(source, items[:2], **more)

    monkeypatch.setattr(step_kind, "run_script", two_at_a_time)
    people = [world.contact(f"P{number}") for number in range(5)]
    flow = world.flow(step(script(world, "result = 1")), wait(1))
    world.suggest(flow, *people)
    world.advance(flow)
    held = Participant.objects.filter(held_reason__startswith="Waits for its turn")
    assert held.count() == 3
    world.advance(flow, days=1 / 86_400 * 2)
    assert held.count() == 1
    world.advance(flow, days=1 / 86_400 * 2)
    assert held.count() == 0
    assert [seen(world, one)["script_result"] for one in people] == [1] * 5


def test_a_script_is_one_process_and_a_bounded_number_of_queries_for_any_cohort(
    world: World, django_assert_max_num_queries: Any
) -> None:
    CustomField.objects.create(on="contact", key="score", name="Score", type="number")
    source = """
name = contact["first_name"]
updates = {"contact.custom.score": len(name), "contact.last_name": name}
"""
    flow = world.flow(step(script(world, source)), wait(1))
    world.suggest(flow, *[world.contact(f"P{number}") for number in range(60)])
    with django_assert_max_num_queries(60):
        world.advance(flow)
    assert Contact.objects.exclude(last_name="").count() == 60


def test_a_deleted_script_holds_the_step_and_fails_nobody(world: World) -> None:
    made = script(world, "result = 1")
    flow = world.flow(step(made), wait(1))
    Script.objects.filter(pk=made.pk).update(deleted_at=NOW)
    ann = world.contact("Ann")
    world.suggest(flow, ann)
    world.advance(flow)
    one = world.one(flow, ann)
    assert (one.status, "not there any more" in one.held_reason) == ("active", True)
