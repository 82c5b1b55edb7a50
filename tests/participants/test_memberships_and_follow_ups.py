"""In the whole engine: membership of a project as trigger and success, a follow-up as success and as a step."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership, Role
from crm.models import FollowUp, Project, ProjectMember
from crm.operations.clubs import change_members
from crm.operations.follow_ups import FollowUpValues, create_follow_up
from flows.document import StepNode, SuccessCriterion, Trigger
from tests.participants.conftest import World, wait
from tests.participants.test_intake import take


def project(world: World) -> Project:
    return Project.objects.create(name="Fair", created_at=world.now)


def join(world: World, club: Project, *contacts: int) -> None:
    change_members(model=Project, club_id=club.pk, add=contacts, actor=world.user, now=world.now)


def test_who_becomes_a_member_of_the_project_enters_the_flow(world: World) -> None:
    fair, anna = project(world), world.contact("Anna")
    flow = world.flow(wait(1), triggers=(Trigger(kind="added_to_project", settings={"project": fair.pk}),))
    join(world, fair, anna.pk)
    take(world)
    assert world.one(flow, anna).source == "trigger"


def test_membership_is_a_state_that_counts_at_enrolment_and_when_it_comes(world: World) -> None:
    fair, anna, ben, cid = project(world), *(world.contact(name) for name in ("Anna", "Ben", "Cid"))
    ProjectMember.objects.create(project=fair, contact=anna, added_at=world.now)
    flow = world.flow(
        wait(5), success=(SuccessCriterion(kind="added_to_project", settings={"project": fair.pk}),)
    )
    world.suggest(flow, anna, ben, cid)
    world.advance(flow)
    assert world.one(flow, anna).success_at == world.now
    world.now += dt.timedelta(hours=1)
    join(world, fair, ben.pk)
    take(world)
    assert world.one(flow, ben).success_at == world.now
    assert world.one(flow, cid).success_at is None


def test_a_follow_up_after_enrolment_is_a_success_one_before_is_not(world: World) -> None:
    Membership.objects.create(user=world.user, role=Role.objects.create(name="Rep"))
    anna, ben = world.contact("Anna"), world.contact("Ben")
    values = FollowUpValues(kind="task", title="Call", assignee_id=world.user.pk, day=world.now.date())
    create_follow_up(values=values, contact_id=ben.pk, now=world.now, actor=world.user)
    take(world)
    flow = world.flow(wait(5), success=(SuccessCriterion(kind="follow_up_created"),))
    world.now += dt.timedelta(hours=1)
    world.suggest(flow, anna, ben)
    world.advance(flow)
    world.now += dt.timedelta(hours=1)
    create_follow_up(values=values, contact_id=anna.pk, now=world.now, actor=world.user)
    take(world)
    assert world.one(flow, anna).success_at == world.now
    assert world.one(flow, ben).success_at is None


def test_a_flow_books_meetings_and_its_own_follow_up_is_a_success_of_it(world: World) -> None:
    anna, ben = world.contact("Anna"), world.contact("Ben")
    node = StepNode(
        kind="create_follow_up", title="Meet", settings={"what": "meeting", "subject": "Demo", "minutes": 60}
    )
    flow = world.flow(node, wait(5), success=(SuccessCriterion(kind="follow_up_created"),))
    world.suggest(flow, anna, ben)
    world.advance(flow)
    take(world)
    starts = FollowUp.objects.order_by("id").values_list("starts_at", flat=True)
    assert list(starts) == [world.now, world.now + dt.timedelta(hours=1)]
    assert world.path(world.one(flow, anna)) == [("Meet", "went_on", ""), ("Wait", "", "")]
    assert world.one(flow, anna).success_at == world.now
