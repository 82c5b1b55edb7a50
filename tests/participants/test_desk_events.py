"""Reopening, changing and deleting what hangs on a contact wakes waits and success at once, without the day's turn."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership, Role
from crm.operations.follow_ups import FollowUpValues, complete_follow_up, create_follow_up, delete_follow_up
from flows.document import SuccessCriterion
from participants.intake import take_events
from tests.participants.conftest import World, wait, when


def test_a_deleted_follow_up_is_a_success_of_having_none_open(world: World) -> None:
    role = Role.objects.create(name="Any")
    Membership.objects.create(user=world.user, role=role)
    anna = world.contact("Anna")
    values = FollowUpValues(kind="task", title="Call", assignee_id=world.user.pk, day=dt.date(2026, 12, 1))
    made = [
        create_follow_up(values=values, contact_id=anna.pk, now=world.now, actor=world.user) for _ in range(2)
    ]
    none_open = SuccessCriterion(kind="criteria", criteria=when("follow_up.open", "fewer", 1))
    flow = world.flow(wait(9), success=(none_open,))
    world.suggest(flow, anna)
    world.advance(flow)

    complete_follow_up(follow_up_id=made[0].pk, now=world.now, actor=world.user)
    while take_events(tenant_id=world.tenant.pk, now=world.now).taken:
        pass
    assert world.one(flow, anna).success_at is None
    delete_follow_up(follow_up_id=made[1].pk, now=world.now, actor=world.user)
    while take_events(tenant_id=world.tenant.pk, now=world.now).taken:
        pass
    assert world.one(flow, anna).success_at == world.now
