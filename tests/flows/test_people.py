"""Users named by steps: our contact, service contact, one user; fallback and owner where there is nobody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Membership
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.models import Company
from flows.checking import check_context
from flows.document import FlowDocument
from flows.models import Flow
from flows.searched import CHOOSABLE
from flows.steps.base import CheckContext, Cohort, StepContext
from flows.steps.people import chosen_users, user_problems, users_of, who_text
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact
from tests.support.statements import statements


@pytest.fixture(autouse=True)
def scope(alice: Person, charlie: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def ask(flow: Flow, function: Any, group: Cohort, *args: Any, **more: Any) -> list[int]:
    """Ask for the users of a cohort, in its order."""
    with raw_cursor() as cursor:
        ctx = StepContext(
            tenant_id=flow.stream.tenant_id or 0,
            flow_id=flow.pk,
            stream_id=flow.stream_id,
            revision=1,
            document=FlowDocument.model_validate(flow.draft),
            now=NOW,
            holidays=frozenset(),
            cursor=cursor,
            owner_id=flow.owner_id,
        )
        found = function(ctx, group, *args, **more)
    return [found[one] for one in group.ids]


def test_our_contact_is_the_companys_and_without_a_company_the_contacts_own(
    flow: Flow, alice: Person, bob: Person, rory: Person
) -> None:
    mill = Company.objects.create(
        name="Mill", name_norm="mill", our_contact=bob.user, created_at=NOW, updated_at=NOW
    )
    none = Company.objects.create(name="None", name_norm="none", created_at=NOW, updated_at=NOW)
    people = [
        contact("Ann", company=mill, our_contact=rory.user),
        contact("Ben", our_contact=rory.user),
        contact("Cid", company=none, our_contact=rory.user),
        contact("Dee"),
    ]
    group = cohort(step("update_contact"), *people)
    b, r, a = bob.user.pk, rory.user.pk, alice.user.pk
    assert ask(flow, users_of, group, "our_contact", None) == [b, r, a, a], "the owner where there is nobody"
    assert ask(flow, users_of, group, "our_contact", r) == [b, r, r, r], "the fallback where there is one"


def test_an_inactive_user_gives_way_to_the_fallback_and_that_one_to_the_owner(
    flow: Flow, alice: Person, bob: Person, rory: Person
) -> None:
    ann, ben = contact("Ann", service_contact=bob.user), contact("Ben", service_contact=rory.user)
    group = cohort(step("update_contact"), ann, ben)
    a, b, r = alice.user.pk, bob.user.pk, rory.user.pk
    assert ask(flow, users_of, group, "service_contact", r) == [b, r]
    Membership.objects.filter(user=bob.user).update(is_active=False)
    assert ask(flow, users_of, group, "service_contact", r) == [r, r]
    assert ask(flow, users_of, group, "service_contact", b) == [a, r]
    assert ask(flow, chosen_users, group, who="named", user=b, fallback=None) == [a, a]
    assert ask(flow, chosen_users, group, who="named", user=b, fallback=r) == [r, r]
    assert ask(flow, chosen_users, group, who="named", user=r, fallback=None) == [r, r]
    assert ask(flow, chosen_users, group, who="service_contact", user=r, fallback=None) == [a, r]


def test_the_successor_of_a_user_whom_the_step_names_takes_their_place(
    flow: Flow, alice: Person, bob: Person, rory: Person
) -> None:
    a, b, r = alice.user.pk, bob.user.pk, rory.user.pk
    Membership.objects.filter(user=rory.user).update(is_active=False, successor=bob.user)
    group = cohort(step("update_contact"), contact("Ann", our_contact=rory.user))
    assert ask(flow, chosen_users, group, who="named", user=r, fallback=None) == [b]
    assert ask(flow, users_of, group, "our_contact", r) == [b], "as the fallback"
    assert ask(flow, users_of, group, "our_contact", None) == [a], "our contact himself is nobody now"
    node = step("create_follow_up", subject="Call", who="named", user=r)
    ctx = check_context(FlowDocument(steps=(node,)))
    assert ctx.name("user", r) == "Bob Larsen (for Rory Silva)"


def test_a_user_of_another_tenant_is_nobody_here(flow: Flow, alice: Person, charlie: Person) -> None:
    group = cohort(step("update_contact"), contact("Ann"))
    stranger = charlie.user.pk
    assert ask(flow, users_of, group, "our_contact", stranger) == [alice.user.pk]
    assert ask(flow, chosen_users, group, who="named", user=stranger, fallback=stranger) == [alice.user.pk]
    assert CHOOSABLE["user"].labels(flow.pk, [str(stranger)]) == {}
    assert str(stranger) not in {str(user) for user, _ in CHOOSABLE["user"].first(flow.pk)[0]}
    assert check_context(FlowDocument()).name("user", stranger) is None


def test_a_whole_cohort_is_one_statement(flow: Flow, bob: Person) -> None:
    group = cohort(step("update_contact"), *[contact(f"P{number}") for number in range(30)])
    kept = Flow.objects.select_related("stream").get(pk=flow.pk)
    with statements() as seen:
        ask(kept, users_of, group, "our_contact", bob.user.pk)
    assert len(seen) == 1
    with statements() as seen:
        ask(kept, chosen_users, group, who="named", user=bob.user.pk, fallback=None)
    assert len(seen) == 1


def test_problems_name_a_missing_user_and_warn_of_a_fallback_that_left(
    flow: Flow, alice: Person, bob: Person
) -> None:
    ctx = CheckContext(FlowDocument(), {"user": {bob.user.pk: "Bob Larsen"}}, frozenset())
    gone = alice.user.pk
    say = [
        [(p.message, p.is_warning) for p in user_problems(ctx, who=who, user=user, fallback=fallback)]
        for who, user, fallback in [
            ("our_contact", None, None),
            ("named", None, None),
            ("named", gone, None),
            ("named", bob.user.pk, gone),
        ]
    ]
    assert say == [
        [],
        [("Choose a user", False)],
        [("The user is not active any more: choose another", False)],
        [("The fallback user is not active any more: the flow's owner is used", True)],
    ]
    assert who_text(ctx, who="our_contact", user=None) == "our contact"
    assert who_text(ctx, who="named", user=bob.user.pk) == "Bob Larsen"
