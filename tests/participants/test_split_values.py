"""A split keeps, with the branch taken, what all its branches looked at; the story shows it."""

from __future__ import annotations

from crm.criteria.schema import Criteria, Group, Line
from crm.models import Contact
from flows.document import Branch, StepNode
from flows.models import Flow
from participants.models import Visit
from participants.queries_story import story_of
from tests.participants.conftest import World, when
from tests.support.statements import statements


def branches_seen(world: World, flow: Flow, contact: Contact) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return the branches of the first visit as the story tells them."""
    visit = story_of(flow=flow, participant=world.one(flow, contact), now=world.now).visits[-1]
    return [(branch.name, branch.result, list(branch.seen)) for branch in visit.branches]


def test_every_branch_keeps_the_values_it_looked_at_whichever_was_taken(world: World) -> None:
    club = world.selection("Club 🎿")
    chef = world.contact("Chef", job_title="Head chef", country="NO")
    clerk = world.contact("Clerk", country="SE")
    chefs = Line(field="contact.job_title", operator="contains", values=("chef",))
    nordic = Line(field="contact.country", operator="one_of", values=("NO",))
    opened = Line(field="event.opened", operator="at_least", values=(2,), days=30)
    member = Line(field="contact.selections", operator="one_of", values=(club.pk,))
    flow = world.flow(
        StepNode(
            kind="split",
            title="Split",
            branches=(
                Branch(name="Chefs", criteria=Criteria(groups=(Group(lines=(chefs, nordic)),))),
                Branch(
                    name="Keen", criteria=Criteria(groups=(Group(lines=(opened,)), Group(lines=(member,))))
                ),
                Branch(name="Swedes", criteria=when("contact.country", "one_of", "SE")),
                Branch(name="Everyone else"),
            ),
        )
    )
    world.suggest(flow, chef, clerk)

    world.advance(flow)

    kept = {row.participant_id: row.values or {} for row in Visit.objects.all()}
    assert kept[world.one(flow, chef).pk]["looked_at"] == {
        "contact.job_title": "Head chef",
        "contact.country": "NO",
        "event.opened||30": "0",
        "contact.selections": None,
    }
    assert kept[world.one(flow, clerk).pk]["branch"] == "Swedes"
    assert branches_seen(world, flow, clerk) == [
        ("Chefs", "did not hold", [("Job title", "empty"), ("Country", "SE")]),
        ("Keen", "did not hold", [("Opened an email", "0"), ("Selection", "empty")]),
        ("Swedes", "taken", [("Country", "SE")]),
        ("Everyone else", "not asked", []),
    ]


def test_values_do_not_make_a_statement_each_and_equal_ones_are_written_once(world: World) -> None:
    many = [world.contact(f"P{number}", job_title=f"Chef {number}") for number in range(40)]
    branches = (
        Branch(name="Chefs", criteria=when("contact.job_title", "contains", "chef")),
        Branch(name="Else"),
    )
    flow = world.flow(StepNode(kind="split", title="Split", branches=branches))
    world.suggest(flow, *many[:2])
    with statements() as few:
        world.advance(flow)
    world.suggest(flow, *many[2:])
    with statements() as lots:
        world.advance(flow)
    assert len(lots) == len(few)
    assert branches_seen(world, flow, many[17])[0] == ("Chefs", "taken", [("Job title", "Chef 17")])
