"""Sales and requests that a flow makes: by the engine for many, shared out evenly, and never into the flow again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Group as AuthGroup

from accounts.models import Group, Licence, Membership, Role, RoleDataRight, User
from accounts.queries import active_membership
from crm.bulk import NewRequest, NewSale
from crm.models import (
    Company,
    Contact,
    Event,
    Request,
    RequestCategory,
    RequestPriority,
    RequestType,
    Sale,
    SaleType,
)
from crm.operations import requests as request_operations
from crm.operations import sales as sale_operations
from crm.operations.setup_desk import set_up_desk
from flows.document import StepNode, SuccessCriterion, Trigger
from flows.steps.base import Later, StepContext
from participants.engine.batch import _do_later
from participants.intake import take_events
from participants.models import HeldStep, Participant
from participants.queries_made import made_at_visits
from tests.participants.conftest import NOW, World, wait
from tests.support.statements import statements


@pytest.fixture
def desk(world: World) -> list[int]:
    """See desk_of."""
    return desk_of(world)


def desk_of(world: World) -> list[int]:
    """Lay lists, licences, and categories whose requests go to the same three people in turn; return their ids."""
    set_up_desk(tenant_id=world.tenant.pk, now=NOW)
    Licence.objects.create(code=Licence.Code.SALES)
    Licence.objects.create(code=Licence.Code.SERVICE)
    group = Group.objects.create(name="Support", auth_group=AuthGroup.objects.create(name="opaque"))
    role = Role.objects.create(name="Rep")
    people = [User.objects.create_user(email=f"{name}@acme.test") for name in ("ann", "ben", "cid")]
    for person in people:
        Membership.objects.create(user=person, role=role, group=group)
    Membership.objects.create(user=world.user, role=role)
    RequestCategory.objects.update(rule="group", group=group)
    return [person.pk for person in people]


def sale_step(**more: Any) -> StepNode:
    kind = SaleType.objects.get(name="Renewal").pk
    values = {"sale_title": "Renew {{ contact.first_name }}", "sale_type": kind, "currency": "NOK", **more}
    return StepNode(kind="create_sale", title="Renewal", settings=values)


def request_step(category: str) -> StepNode:
    values = {
        "request_title": "Call {{ contact.first_name }}",
        "request_type": RequestType.objects.earliest("rank").pk,
        "category": RequestCategory.objects.get(name=category).pk,
        "priority": RequestPriority.objects.earliest("rank").pk,
    }
    return StepNode(kind="create_request", title=f"Ask {category}", settings=values)


def test_two_thousand_get_a_sale_and_requests_in_as_many_statements_as_twenty(
    world: World, desk: list[int]
) -> None:
    def run(count: int, name: str) -> int:
        flow = world.flow(sale_step(), request_step("Invoice"), request_step("Delivery"), name=name)
        people = [world.contact(f"{name}{number}", consent=None) for number in range(count)]
        world.suggest(flow, *people)
        with statements() as seen:
            result = world.advance(flow, limit=5_000)
        assert result.claimed == count
        return len(seen)

    few, many = run(21, "Few"), run(1_998, "Many")
    assert few == many
    assert Sale.objects.count() == 2_019
    shares = {user: Request.objects.filter(owner=user).count() for user in desk}
    assert shares == dict.fromkeys(desk, 2_019 * 2 // 3)
    assert Sale.objects.filter(title="Renew Few0", owner=world.user).count() == 1
    assert Event.objects.filter(kind="sale.created", origin="flow").count() == 2_019


def test_an_event_of_the_flows_own_step_does_not_suggest_the_contact_for_it_again(
    world: World, desk: list[int]
) -> None:
    trigger = Trigger(kind="sale_created", settings={})
    own = world.flow(sale_step(), name="Own", triggers=(trigger,), settings={"once_only": False})
    other = world.flow(sale_step(), name="Other", triggers=(trigger,), status="paused")
    world.suggest(own, world.contact("Ann"))
    world.advance(own)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    entered = Participant.objects.values_list("flow_id", flat=True).order_by("id")
    assert list(entered) == [own.pk, other.pk]


def test_a_lapsed_licence_holds_everyone_and_they_go_on_when_it_is_back(
    world: World, desk: list[int]
) -> None:
    flow = world.flow(sale_step())
    world.suggest(flow, world.contact("Ann"))
    Licence.objects.filter(code="sales").update(expires_on=dt.date(2026, 11, 1))
    world.advance(flow)
    assert HeldStep.objects.get().cause == "The licence Sales is not in force."
    Licence.objects.filter(code="sales").update(expires_on=None)
    world.advance(flow, days=1)
    assert Sale.objects.count() == 1
    assert not HeldStep.objects.exists()


def test_a_few_whom_a_lapsed_licence_stops_stay_however_many_passed_before(
    world: World, desk: list[int]
) -> None:
    flow = world.flow(sale_step())
    world.suggest(flow, world.contact("Ann"))
    world.advance(flow)
    Licence.objects.filter(code="sales").update(expires_on=dt.date(2026, 11, 1))
    late = world.contact("Late")
    world.suggest(flow, late)
    for _ in range(8):
        world.advance(flow, days=1)
    assert HeldStep.objects.get().attempts == 8
    assert world.one(flow, late).status == "active"
    Licence.objects.filter(code="sales").update(expires_on=None)
    world.advance(flow, days=1)
    assert Sale.objects.count() == 2


def test_what_steps_leave_for_the_end_is_done_once_a_kind_of_work_in_one_order() -> None:
    done: list[tuple[str, list[int]]] = []

    def b_second(ctx: StepContext, items: list[int]) -> None:
        done.append(("b", items))

    def a_first(ctx: StepContext, items: list[int]) -> None:
        done.append(("a", items))

    ctx: Any = type(
        "Ctx", (), {"later": [Later(b_second, (1,)), Later(a_first, (2, 3)), Later(b_second, (4,))]}
    )()
    _do_later(ctx)
    assert done == [("a", [2, 3]), ("b", [1, 4])]


def test_a_sale_made_by_hand_enrols_through_its_trigger_with_its_data(world: World, desk: list[int]) -> None:
    renewal = SaleType.objects.get(name="Renewal")
    new = SaleType.objects.get(name="New business")
    flow = world.flow(
        sale_step(sale_title="After {{ event.sale.title }}"),
        triggers=(Trigger(kind="sale_created", settings={"sale_types": [renewal.pk]}),),
    )
    for kind, name in ((renewal, "Ann"), (new, "Ben")):
        row = NewSale(world.contact(name).pk, f"Sale of {name}", kind.pk, world.user.pk, "NOK")
        sale_operations.create_sale(sale=row, now=world.now, today=world.now.date(), actor_id=world.user.pk)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    world.advance(flow)
    assert list(Sale.objects.order_by("id").values_list("title", flat=True)) == [
        "Sale of Ann",
        "Sale of Ben",
        "After Sale of Ann",
    ]


def made(world: World, contact: Contact, kind: SaleType | None = None) -> int:
    """Make a sale by hand and return its id."""
    chosen = kind or SaleType.objects.get(name="Renewal")
    row = NewSale(contact.pk, "Sale", chosen.pk, world.user.pk, "NOK")
    sale = sale_operations.create_sale(sale=row, now=world.now, today=world.now.date(), actor_id=None)
    return sale.pk


def asked(world: World, contact: Contact, **more: Any) -> None:
    """Register a request by hand."""
    row = NewRequest(contact.pk, "Request", **more)
    request_operations.register_request(request=row, now=world.now, actor_id=None)


def take(world: World) -> None:
    """Take everything in the inbox."""
    take_events(tenant_id=world.tenant.pk, now=world.now)


@pytest.mark.parametrize(("trigger", "verb"), [("sale_sold", "sell"), ("sale_lost", "lose")])
def test_sale_sold_and_sale_lost_trigger_once_for_the_types_chosen(
    world: World, desk: list[int], trigger: str, verb: str
) -> None:
    renewal, new = SaleType.objects.get(name="Renewal"), SaleType.objects.get(name="New business")
    flow = world.flow(wait(1), triggers=(Trigger(kind=trigger, settings={"sale_types": [renewal.pk]}),))
    ann, ben = world.contact("Ann"), world.contact("Ben")
    for number in (made(world, ann, renewal), made(world, ben, new)):
        for _ in range(2):
            getattr(sale_operations, verb)(sale_id=number, now=world.now, actor_id=None)
    take(world)
    person = Participant.objects.get(flow_id=flow.pk)
    assert (person.contact_id, person.source) == (ann.pk, "trigger")


def test_request_created_triggers_where_type_category_and_priority_all_fit(
    world: World, desk: list[int]
) -> None:
    category = RequestCategory.objects.get(name="Invoice").pk
    urgent, low = (RequestPriority.objects.get(name=name).pk for name in ("Urgent", "Low"))
    settings = {"categories": [category], "priorities": [urgent]}
    flow = world.flow(wait(1), triggers=(Trigger(kind="request_created", settings=settings),))
    ann, ben, cid = (world.contact(name) for name in ("Ann", "Ben", "Cid"))
    asked(world, ann, category_id=category, priority_id=urgent)
    asked(world, ben, category_id=category, priority_id=low)
    asked(world, cid, priority_id=urgent)
    take(world)
    assert Participant.objects.get(flow_id=flow.pk).contact_id == ann.pk


def test_a_sale_after_enrolment_is_a_success_and_one_before_or_of_another_type_is_none(
    world: World, desk: list[int]
) -> None:
    renewal, new = SaleType.objects.get(name="Renewal"), SaleType.objects.get(name="New business")
    criterion = SuccessCriterion(kind="sale_created", settings={"sale_types": [renewal.pk]})
    flow = world.flow(wait(5), success=(criterion,))
    ann, ben = world.contact("Ann"), world.contact("Ben")
    made(world, ann)
    take(world)
    world.now += dt.timedelta(minutes=1)
    world.suggest(flow, ann, ben)
    world.now += dt.timedelta(minutes=1)
    made(world, ann, new)
    take(world)
    assert world.one(flow, ann).success_at is None
    made(world, ann)
    take(world)
    assert world.one(flow, ann).success_at == world.now
    assert world.one(flow, ben).success_at is None


def test_a_colleagues_sale_counts_only_where_the_criterion_is_of_the_company(
    world: World, desk: list[int]
) -> None:
    mill = Company.objects.create(name="Mill", name_norm="mill", created_at=NOW, updated_at=NOW)
    ann, ben = world.contact("Ann", company=mill), world.contact("Ben", company=mill)
    alone = world.contact("Cid")
    own = world.flow(wait(5), name="Own", success=(SuccessCriterion(kind="sale_created"),))
    company = world.flow(wait(5), name="Co", success=(SuccessCriterion(kind="sale_created_on_company"),))
    for flow in (own, company):
        world.suggest(flow, ann, alone)
    world.now += dt.timedelta(minutes=1)
    made(world, ben)
    take(world)
    assert world.one(own, ann).success_at is None
    assert world.one(company, ann).success_at == world.now
    assert world.one(company, alone).success_at is None
    made(world, alone)
    take(world)
    assert world.one(company, alone).success_at == world.now


def test_a_sale_won_and_a_request_registered_are_successes_that_move_to_finish(
    world: World, desk: list[int]
) -> None:
    kinds = (SuccessCriterion(kind="sale_sold"), SuccessCriterion(kind="request_created"))
    flow = world.flow(wait(5), success=kinds, settings={"move_to_finish": True})
    ann, ben = world.contact("Ann"), world.contact("Ben")
    sale = made(world, ann)
    world.suggest(flow, ann, ben)
    world.advance(flow)
    world.now += dt.timedelta(minutes=1)
    sale_operations.sell(sale_id=sale, now=world.now, actor_id=None)
    asked(world, ben)
    take(world)
    world.advance(flow)
    assert {world.one(flow, one).status for one in (ann, ben)} == {"success"}


def test_a_sale_that_the_flow_itself_makes_is_its_success(world: World, desk: list[int]) -> None:
    flow = world.flow(sale_step(), wait(1), success=(SuccessCriterion(kind="sale_created"),))
    ann = world.contact("Ann")
    world.suggest(flow, ann)
    world.now += dt.timedelta(minutes=1)
    world.advance(flow)
    take(world)
    assert world.one(flow, ann).success_at == world.now


def test_a_visit_links_what_its_step_made_for_those_who_may_see_it(world: World, desk: list[int]) -> None:
    flow = world.flow(sale_step(), request_step("Invoice"), wait(1))
    ann = world.contact("Ann")
    world.suggest(flow, ann)
    world.advance(flow)
    member = Membership.objects.get(user=world.user)
    person = world.one(flow, ann)

    def shown() -> dict[int, list[tuple[str, str, str]]]:
        fresh = active_membership(world.user)
        assert fresh is not None
        found = made_at_visits(member=fresh, participant=person)
        return {number: [(m.word, m.title, m.url) for m in made] for number, made in found.items()}

    assert shown() == {}
    RoleDataRight.objects.create(role=member.role, object="sale", read="all")
    RoleDataRight.objects.create(role=member.role, object="request", read="own")
    sale = Sale.objects.get()
    assert shown() == {1: [("Sale", "Renew Ann", f"/t/acme/sales/{sale.pk}/")]}
    RoleDataRight.objects.filter(object="request").update(read="all")
    asked_for = Request.objects.get()
    assert shown()[2] == [("Request", "Call Ann", f"/t/acme/requests/{asked_for.pk}/")]
    Licence.objects.filter(code="sales").delete()
    assert list(shown()) == [2]
