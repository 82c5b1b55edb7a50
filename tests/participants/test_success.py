"""Success: seen before every action, in a pause and at enrolment, by states and by events."""

from __future__ import annotations

from core.db.cursors import raw_cursor
from crm.events import NewEvent, Origin, record_events
from crm.models import Company, Contact
from crm.operations.consent import NewConsent, purpose_named, write_consents
from flows.document import FlowSettings, SuccessCriterion, Trigger
from flows.models import Flow
from participants.models import CounterDelta, Suggestion, Visit
from tests.participants.conftest import DAY, NOW, World, send, wait, when
from tests.participants.test_desk import desk_of, sale_step
from tests.participants.test_waits import HOUR, happened, take


def paid() -> SuccessCriterion:
    return SuccessCriterion(kind="outside_event", settings={"name": "paid"})


def test_an_event_that_intake_has_not_taken_yet_is_seen_before_the_next_action(world: World) -> None:
    flow = world.flow(wait(1), send(world.email()), success=(paid(),), settings={"move_to_finish": True})
    anna, ben = world.contact("Anna"), world.contact("Ben")
    world.suggest(flow, anna, ben)
    world.advance(flow)
    world.now += HOUR
    happened(world, anna)

    world.advance(flow, days=1)

    person = world.one(flow, anna)
    assert (person.status, person.success_at) == ("success", NOW + HOUR)
    visit = Visit.objects.get(participant_id=person.pk, how="success")
    local = (NOW + HOUR).astimezone(FlowSettings().zone)
    assert visit.values == {
        "until": "2026-11-24T12:00+00:00",
        "success_at": local.isoformat(timespec="minutes"),
    }
    assert world.one(flow, ben).status == "finished"
    assert len(world.messages()) == 1, "Ben's"
    take(world)
    counted = CounterDelta.objects.filter(flow_id=flow.pk, measure="success_met")
    assert sum(counted.values_list("amount", flat=True)) == 1, "counted once, whoever saw it first"


def test_the_event_that_enrolled_and_those_before_are_not_seen_either(world: World) -> None:
    trigger = Trigger(kind="outside_event", settings={"name": "paid"})
    flow = world.flow(send(world.email()), triggers=(trigger,), success=(paid(),))
    anna = world.contact("Anna")
    happened(world, anna, at=NOW - HOUR / 2, object_key="other")
    happened(world, anna)
    take(world)
    world.advance(flow)
    person = world.one(flow, anna)
    assert (person.status, person.success_at) == ("finished", None)


def test_what_a_step_of_the_same_batch_did_is_success_before_the_next_action(world: World) -> None:
    desk_of(world)
    for kind, step in (("sale_created", sale_step()), ("outside_event", wait(0))):
        success = SuccessCriterion(kind=kind, settings={} if kind == "sale_created" else {"name": "paid"})
        settings = {"move_to_finish": True}
        flow = world.flow(step, send(world.email(kind)), name=kind, success=(success,), settings=settings)
        anna = world.contact(f"Anna {kind}")
        world.suggest(flow, anna)
        world.advance(flow)
        ends = {"sale_created": "success", "outside_event": "finished"}
        assert world.one(flow, anna).status == ends[kind]
    assert len(world.messages()) == 1, "the one whose sale was made got none"


def test_a_colleagues_sale_counts_before_intake_where_the_criterion_is_about_the_company(
    world: World,
) -> None:
    firm = Company.objects.create(name="Firm", name_norm="firm", created_at=NOW, updated_at=NOW)
    anna, ben = (world.contact(name, company=firm, category=None) for name in ("Anna", "Ben"))
    cid = world.contact("Cid")
    flow = world.flow(wait(1), wait(1), success=(SuccessCriterion(kind="sale_created_on_company"),))
    world.suggest(flow, anna, cid)
    world.advance(flow)
    event = NewEvent("sale.created", ben.pk, world.now, Origin.USER, company_id=firm.pk, object_id=1)
    record_events([event])
    world.advance(flow, days=1)
    assert (world.one(flow, anna).success_at, world.one(flow, cid).success_at) == (NOW, None)


def test_a_state_that_holds_at_enrolment_in_a_pause_is_marked_then(world: World) -> None:
    state = SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", world.customer.pk))
    flow = world.flow(wait(5), status="paused", success=(state,), settings={"move_to_finish": True})
    anna, ben = world.contact("Anna", category=world.customer), world.contact("Ben")
    world.suggest(flow, anna, ben)
    assert [world.one(flow, one).success_at for one in (anna, ben)] == [NOW, None]

    # By the resume it holds no longer; the mark stays.
    Contact.objects.filter(pk=anna.pk).update(category=world.prospect)
    Flow.objects.filter(pk=flow.pk).update(status="running")
    world.advance(flow, days=1)
    person = world.one(flow, anna)
    assert (person.status, person.success_at) == ("success", NOW)


def test_a_consent_of_an_older_form_triggers_and_is_judged_when_it_becomes_known(world: World) -> None:
    trigger = Trigger(kind="contact_updated", settings={"fields": []})
    agreed = SuccessCriterion(kind="criteria", criteria=when("consent.e-marketing", "yes"))
    fresh = world.flow(wait(5), name="Fresh", triggers=(trigger,))
    inside = world.flow(wait(5), name="Inside", success=(agreed,))
    anna = world.contact("Anna", consent=None)
    world.suggest(inside, anna)
    world.advance(inside)
    with raw_cursor() as cursor:
        write_consents(
            cursor,
            rows=[NewConsent(anna.pk, True, NOW - 9 * DAY, world.now)],
            purpose=purpose_named("e-marketing"),
            legal_basis="Consent",
            source="Form",
            origin=Origin.FORM,
        )

    take(world)

    assert list(Suggestion.objects.filter(flow_id=fresh.pk).values_list("verdict", flat=True)) == ["enrolled"]
    assert world.one(inside, anna).success_at == NOW
