"""Merging two contacts: what moves, what counts when both have it, what of two participations goes on, and that it all
happens once, whoever else is at work."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.audit import first_break
from accounts.models import AuditEntry, Tenant, User
from core.jobs import start_job
from core.merging import rooms
from core.models import Job
from core.tenancy import tenant_scope
from crm.events import NewEvent, Origin, record_events
from crm.models import (
    Consent,
    ConsentChange,
    Contact,
    ContactInterest,
    Event,
    EventInbox,
    ListItem,
    MergedContact,
    SelectionMember,
    SubscriptionOptOut,
)
from crm.operations.consent import opt_out, record_consent
from crm.operations.contacts import company_named
from crm.operations.erase import erase_contact, erased_among
from crm.operations.merge import (
    AlreadyMerged,
    CannotMerge,
    ChangedMeanwhile,
    merge_contacts,
)
from crm.queries.merging import merge_view, seen_mark
from delivery.models import BlockedAddress, Message, SmsOptOut
from flows.document import SuccessCriterion, Trigger
from participants.intake import take_events
from participants.models import Participant, Suggestion
from tests.participants.conftest import DAY, NOW, World, send, update, wait
from tests.participants.test_concurrency import at_once
from tests.participants.test_interleavings import arranged, meanwhile
from tests.support.database_facts import rows, tables, tenant_tables


def merge(world: World, kept: Contact, gone: Contact, *from_gone: str, **more: Any) -> None:
    """Merge `gone` into `kept` now."""
    merge_contacts(
        kept_id=kept.pk, gone_id=gone.pk, from_gone=from_gone, actor=world.user, now=world.now, **more
    )


# --- the registry -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_column_that_names_a_contact_is_declared_once() -> None:
    own = set(tenant_tables()) & set(tables())
    found = {
        (str(table), str(column))
        for table, column in rows(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND column_name = 'contact_id'"
        )
        if table in own
    }
    declared = [(one.table, one.column) for room in rooms() for one in room.moves]
    assert len(declared) == len(set(declared))
    assert set(declared) == found, "Declare it in the app's merging.py (docs/how-to/merge-contacts.md)."


# --- values -------------------------------------------------------------------------------------------------------


def test_the_kept_contact_has_the_chosen_values_and_the_other_is_an_empty_tombstone(world: World) -> None:
    offers = ListItem.objects.create(list="interest", name="Offers", name_norm="offers")
    fairs = ListItem.objects.create(list="interest", name="Fairs", name_norm="fairs")
    anna = world.contact("Anna", job_title="Buyer", category=None)
    ann = world.contact("Ann", job_title="Chief buyer 👩‍💼", mobile="+4791918273", category=None)
    ContactInterest.objects.create(contact=anna, item=offers)
    ContactInterest.objects.create(contact=ann, item=offers)
    ContactInterest.objects.create(contact=ann, item=fairs)
    world.now += DAY

    merge(world, anna, ann, "contact.job_title", "contact.mobile")

    kept, stone = Contact.objects.get(pk=anna.pk), Contact.objects.get(pk=ann.pk)
    assert (kept.first_name, kept.job_title, kept.mobile, kept.email) == (
        "Anna", "Chief buyer 👩‍💼", "+4791918273", "anna@post.test",
    )  # fmt: skip
    assert set(kept.interests.values_list("item__name", flat=True)) == {"Offers", "Fairs"}
    assert (str(stone), stone.deleted_at, stone.email_norm, stone.interests.count()) == (
        "Erased contact", world.now, "", 0,
    )  # fmt: skip
    changes = Event.objects.get(contact_id=anna.pk, kind="contact.updated")
    assert (changes.origin, sorted(line["field"] for line in changes.data["changes"])) == (
        "merge", ["contact.interests", "contact.job_title", "contact.mobile"],
    )  # fmt: skip
    told = Event.objects.get(kind="contact.merged")
    assert (told.contact_id, told.data) == (anna.pk, {"name": "Ann", "merged": ann.pk})
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.object_id, entry.payload) == (
        "contact.merged",
        str(anna.pk),
        {"merged": ann.pk, "name": "Ann", "from_merged": ["contact.job_title", "contact.mobile"]},
    )
    assert first_break() is None


def test_category_follows_the_company_and_is_taken_where_neither_has_one(world: World) -> None:
    mill = company_named(name="Mill", now=world.now)
    mill.category = world.customer
    mill.save(update_fields=["category"])
    anna, ann = world.contact("Anna"), world.contact("Ann", company=mill)
    merge(world, anna, ann, "company", "contact.category")
    kept = Contact.objects.get(pk=anna.pk)
    assert (kept.company_id, kept.category) == (mill.pk, world.prospect)
    mill.refresh_from_db()
    assert mill.category == world.customer

    alone, other = world.contact("Alone"), world.contact("Other", category=world.customer)
    merge(world, alone, other, "contact.category")
    assert Contact.objects.get(pk=alone.pk).category == world.customer


def test_leaving_the_company_for_none_takes_what_the_other_has_of_its_own(world: World) -> None:
    mill = company_named(name="Mill", now=world.now)
    anna, ann = world.contact("Anna", company=mill), world.contact("Ann", category=world.customer)
    merge(world, anna, ann, "company")
    kept = Contact.objects.get(pk=anna.pk)
    assert (kept.company_id, kept.category) == (None, world.customer)


# --- consent, opt-outs, blocks ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "gone", "counts"),
    [
        ((True, 0), (False, 1), False),
        ((False, 1), (True, 0), False),
        ((True, 1), (False, 0), True),
        ((False, 0), (True, 1), True),
        ((True, 0), (False, 0), False),
        ((False, 0), (True, 0), False),
        (None, (True, 0), True),
        (None, (False, 0), False),
        ((False, 0), None, False),
    ],
)
def test_of_two_consents_the_newest_counts_and_at_one_moment_the_withdrawal(
    world: World, kept: tuple[bool, int] | None, gone: tuple[bool, int] | None, counts: bool
) -> None:
    anna, ann = world.contact("Anna", consent=None), world.contact("Ann", consent=None)
    for contact, said in ((anna, kept), (ann, gone)):
        if said is not None:
            record_consent(contact_id=contact.pk, given=said[0], at=NOW + said[1] * DAY)
    merge(world, anna, ann)
    assert [row.given for row in Consent.objects.filter(contact=anna)] == [counts]
    assert Consent.objects.count() == 1
    assert ConsentChange.objects.filter(contact=anna).count() == (kept is not None) + (gone is not None)


def test_an_opt_out_on_either_side_stays(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    both = world.news
    theirs = type(both).objects.create(name="Offers")
    opt_out(contact_id=anna.pk, type_id=both.pk, at=NOW)
    opt_out(contact_id=ann.pk, type_id=both.pk, at=NOW)
    opt_out(contact_id=ann.pk, type_id=theirs.pk, at=NOW)
    merge(world, anna, ann)
    out = SubscriptionOptOut.objects.filter(contact=anna).order_by("type_id")
    assert [row.type_id for row in out] == [both.pk, theirs.pk]
    assert SubscriptionOptOut.objects.count() == 2


@pytest.mark.parametrize(
    ("reason", "blocked"),
    [
        ("complaint", {"ann@post.test", "anna@post.test"}),
        ("by_user", {"ann@post.test", "anna@post.test"}),
        ("hard_bounce", {"ann@post.test"}),
        ("repeated_bounces", {"ann@post.test"}),
    ],
)
def test_what_a_person_said_blocks_the_kept_address_too_but_a_bounce_is_of_its_address(
    world: World, reason: str, blocked: set[str]
) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    BlockedAddress.objects.create(address_norm="ann@post.test", reason=reason, at=NOW)
    merge(world, anna, ann)
    assert set(BlockedAddress.objects.values_list("address_norm", flat=True)) == blocked


def test_a_stop_holds_for_the_number_that_is_kept(world: World) -> None:
    anna, ann = world.contact("Anna", mobile="+4791000001"), world.contact("Ann", mobile="+4791000002")
    SmsOptOut.objects.create(number="+4791000002", source="reply", word="STOP", at=NOW)
    view = merge_view(anna, ann, world.now)
    assert "+4791000002 replied STOP: whichever mobile is kept gets no SMS then." in view.losses
    merge(world, anna, ann)
    assert set(SmsOptOut.objects.values_list("number", flat=True)) == {"+4791000001", "+4791000002"}


# --- flows --------------------------------------------------------------------------------------------------------


def test_both_in_one_flow_the_first_enrolled_stays_though_it_was_the_others(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    flow = world.flow(send(world.email()), wait(5))
    world.suggest(flow, ann)
    world.advance(flow)
    world.now += DAY
    world.suggest(flow, anna)
    world.advance(flow)
    first = Participant.objects.get(contact_id=ann.pk)
    view = merge_view(anna, ann, world.now)
    assert view.losses == ["Both are in the flow “Flow”: the first enrolled stays, the other drops out."]
    assert (view.moves["participation in a flow"], view.moves["message"]) == (1, 1)

    merge(world, anna, ann)

    people = Participant.objects.filter(contact_id=anna.pk).order_by("enrolled_at")
    assert [(one.pk == first.pk, one.status, one.drop_reason) for one in people] == [
        (True, "active", ""),
        (False, "dropped", "merged"),
    ]
    assert people[1].drop_values == {"first_enrolled_at": NOW.isoformat()}
    assert not Participant.objects.filter(contact_id=ann.pk).exists()
    assert sorted(Message.objects.values_list("contact_id", "status")) == [
        (anna.pk, "cancelled"), (anna.pk, "queued"),
    ]  # fmt: skip
    world.advance(flow, days=5)
    assert Participant.objects.get(pk=first.pk).status == "finished"


def test_participations_suggestions_and_history_move_and_may_only_once_stands(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    flow = world.flow(update("contact.job_title", "set", "x"), settings={"once_only": True})
    world.suggest(flow, ann)
    world.advance(flow)
    merge(world, anna, ann)
    assert Participant.objects.get().contact_id == Suggestion.objects.get().contact_id == anna.pk
    assert world.suggest(flow, anna).enrolled == 0
    kinds = list(
        Event.objects.filter(contact_id=anna.pk, kind__startswith="flow").values_list("kind", flat=True)
    )
    assert sorted(kinds) == ["flow.enrolled", "flow.finished"]
    assert Event.objects.filter(contact_id=ann.pk).count() == 0


def test_merging_starts_no_flow_but_a_state_that_came_along_is_a_success(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann", job_title="Chief")
    vip = world.selection("VIP", ann)
    starts = world.flow(
        wait(1),
        name="Starts",
        triggers=(
            Trigger(kind="added_to_selection", settings={"selection": vip.pk}),
            Trigger(kind="contact_updated"),
        ),
    )
    waits = world.flow(
        wait(9),
        name="Waits",
        success=(SuccessCriterion(kind="added_to_selection", settings={"selection": vip.pk}),),
    )
    world.suggest(waits, anna)
    world.advance(waits)
    take_events(tenant_id=world.tenant.pk, now=world.now)

    merge(world, anna, ann, "contact.job_title")
    while take_events(tenant_id=world.tenant.pk, now=world.now).taken:
        pass

    assert not Participant.objects.filter(flow_id=starts.pk).exists()
    assert Participant.objects.get(flow_id=waits.pk).success_at == world.now
    assert list(SelectionMember.objects.values_list("contact_id", flat=True)) == [anna.pk]


def test_events_that_intake_has_not_taken_and_jobs_that_wait_are_the_kept_contacts(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    flow = world.flow(wait(1), triggers=(Trigger(kind="contact_created"),))
    record_events([NewEvent("contact.created", ann.pk, world.now, Origin.API)])
    job = start_job(
        kind="link_actions", now=world.now, arguments={"contact": ann.pk, "actions": {}, "contacts": [1, ann.pk]}
    )  # fmt: skip
    merge(world, anna, ann)
    assert set(EventInbox.objects.values_list("contact_id", flat=True)) == {anna.pk}
    assert Job.objects.get(pk=job.pk).arguments == {
        "contact": anna.pk, "actions": {}, "contacts": [1, anna.pk],
    }  # fmt: skip
    while take_events(tenant_id=world.tenant.pk, now=world.now).taken:
        pass
    assert Participant.objects.get(flow_id=flow.pk).contact_id == anna.pk


# --- refusals, and the rest of a life ---------------------------------------------------------------------------


def test_refusals_change_nothing(world: World) -> None:
    anna, ann = world.contact("Anna"), world.contact("Ann")
    seen = seen_mark(anna, ann)
    with pytest.raises(CannotMerge, match="itself"):
        merge(world, anna, anna)
    Contact.objects.filter(pk=ann.pk).update(updated_at=NOW + DAY)
    with pytest.raises(ChangedMeanwhile):
        merge(world, anna, ann, seen=seen)
    assert not MergedContact.objects.exists()
    merge(world, anna, ann)
    with pytest.raises(AlreadyMerged):
        merge(world, anna, ann)
    with pytest.raises(CannotMerge, match="does not exist"):
        merge(world, ann, world.contact("Third"))
    assert MergedContact.objects.count() == 1


def test_a_chain_of_merges_ends_at_the_last_and_erasing_it_forgets_all_addresses(world: World) -> None:
    anna, ann, an = (world.contact(name) for name in ("Anna", "Ann", "An"))
    merge(world, ann, an)
    merge(world, anna, ann)
    found = MergedContact.objects.order_by("merged_id").values_list("merged_id", "contact_id", "email")
    assert list(found) == [(ann.pk, anna.pk, "ann@post.test"), (an.pk, anna.pk, "an@post.test")]
    erase_contact(contact_id=anna.pk, actor=world.user, now=world.now)
    everyone = ["anna@post.test", "ann@post.test", "an@post.test"]
    assert erased_among([*everyone, "other@post.test"]) == set(everyone)
    assert not MergedContact.objects.exists()
    with connection.cursor() as cursor:
        for table in tables():
            cursor.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s', ["%ann@post.test%"])
            assert cursor.fetchone() == (0,), table


# --- at once ------------------------------------------------------------------------------------------------------


@pytest.fixture
def committed(transactional_db: None) -> Tenant:
    """A tenant in a database where commits are real."""
    return Tenant.objects.create(slug="acme", name="Acme")


@pytest.mark.django_db(transaction=True)
def test_a_merge_waits_for_the_batch_that_holds_the_contact(
    committed: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, flow, anna = arranged(committed, wait(1))
    with tenant_scope(committed.pk):
        ann = world.contact("Ann")
    meanwhile(monkeypatch, world, flow, lambda: merge(world, ann, anna), waits=True)
    with tenant_scope(committed.pk):
        person = world.one(flow, ann)
        assert (person.status, world.path(person)) == ("active", [("First", "went_on", ""), ("Wait", "", "")])
        assert Contact.objects.get(pk=anna.pk).job_title == ""
        world.advance(flow, days=1)
        assert world.one(flow, ann).status == "finished"


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_merge_once_and_both_ways_at_once_leave_one(committed: Tenant) -> None:
    with tenant_scope(committed.pk):
        world = World(committed, User.objects.create_user(email="bob@acme.test"))
        anna, ann = world.contact("Anna"), world.contact("Ann")

    def click(kept: Contact, gone: Contact) -> str:
        with tenant_scope(committed.pk):
            try:
                merge(world, kept, gone)
            except CannotMerge as refusal:
                return type(refusal).__name__
        return "merged"

    assert sorted(at_once(lambda: click(anna, ann), lambda: click(anna, ann))) == ["AlreadyMerged", "merged"]
    with tenant_scope(committed.pk):
        one, two = world.contact("One"), world.contact("Two")
    assert sorted(at_once(lambda: click(one, two), lambda: click(two, one))) == ["CannotMerge", "merged"]
    with tenant_scope(committed.pk):
        assert Contact.objects.filter(deleted_at=None).count() == 2
        assert AuditEntry.objects.filter(action="contact.merged").count() == 2
