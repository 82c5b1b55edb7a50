"""Erasing a person: what is declared, what goes, what stays for the sums, and that they stay erased."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.audit import first_break, write_audit
from accounts.models import AuditEntry
from content.models import FormSubmission
from content.operations.forms import create_form
from content.operations.test_sends import send_test
from core.db.cursors import raw_cursor
from core.erasure import rooms
from core.jobs import run_slice
from core.tenancy import tenant_scope
from crm.bulk import add_to_selection
from crm.events import NewEvent, Origin, record_events
from crm.models import (
    Contact,
    ContactImport,
    ErasedAddress,
    ErasureKey,
    Event,
    FollowUp,
    ImportIssue,
    Notification,
    Request,
    RequestCategory,
    RequestMessage,
    RequestPriority,
    RequestType,
    Sale,
    SaleType,
)
from crm.operations.erase import erase_contact, erased_among
from crm.operations.imports import receive_upload, settle_import, start_import
from delivery.models import BlockedAddress, Message
from delivery.queue import NewMessage, queue_messages
from flows.document import FlowDocument, StepNode
from flows.operations.create import create_flow
from flows.operations.lifecycle import save_and_start
from participants.engine.batch import run_batch
from participants.models import Participant, Suggestion, Visit
from participants.operations.enrol import Source, suggest
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.conftest import world as world
from tests.support.database_facts import rows, tables, tenant_tables

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
# Nothing else in the database holds these.
NEEDLES = (
    "Zerlinda", "Quuxworth", "zerlinda@quux.test", "4791918273", "Chief Quux Officer", "1961-07-13",
    "quuxnote",
)  # fmt: skip
FILE = (
    "First name,Last name,E-mail,Mobile,Job title,Date of birth,Interests,Consent,Customer since,Annual revenue\n"
    "Zerlinda,Quuxworth,Zerlinda@QUUX.test,+4791918273,Chief Quux Officer,1961-07-13,Offers,yes,2020-02-02,1917\n"
    "Zerlinda,Quuxworth,broken@,,Chief Quux Officer,,,,,\n"
    "Other,Person,other@post.test,not a phone,Boss,,,,,\n"
)


# --- the registry -------------------------------------------------------------------------------------------------


def text_columns() -> set[tuple[str, str]]:
    """Return the columns of tenant tables that can hold anything a person is known by."""
    own = set(tenant_tables())
    found = rows(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'inet', 'bytea', 'character', 'ARRAY')"
    )
    return {(str(table), str(column)) for table, column in found if table in own and table in set(tables())}


@pytest.mark.django_db
def test_every_text_and_json_column_is_declared_once_and_exists() -> None:
    places = [place for room in rooms() for place in room.places]
    declared = [(place.table, column) for place in places for column in (*place.kept, *place.personal)]
    assert len(declared) == len(set(declared))
    exist = {
        (str(table), str(column))
        for table, column in rows("SELECT table_name, column_name FROM information_schema.columns")
    }
    undeclared = sorted(text_columns() - set(declared))
    assert not undeclared, f"Declare in the app's erasure.py (docs/how-to/erase-a-person.md): {undeclared}"
    assert set(declared) - exist == set()
    assert [place.table for place in places if place.personal and not place.where] == []


# --- a person with a history --------------------------------------------------------------------------------------


def take_in(alice: Person, text: str) -> ContactImport:
    """Import a file as Alice."""
    with tenant_scope(alice.tenant.pk):
        made = receive_upload(chunks=[text.encode()], file_name="fair.csv", user_id=alice.user.pk, now=NOW)
        settle_import(import_id=made.pk, mapping=made.mapping, legal_basis="Consent", source="Fair")
        job_id = start_import(import_id=made.pk, user_id=alice.user.pk, now=NOW).job_id
    assert job_id is not None
    while run_slice(tenant_id=alice.tenant.pk, job_id=job_id, now=NOW):
        pass
    with tenant_scope(alice.tenant.pk):
        return ContactImport.objects.get(pk=made.pk)


def running_flow(alice: Person, world: World) -> int:
    """Start a flow that sends the welcome email and waits two days; return its id."""
    document = FlowDocument(
        settings=world.settings(),
        steps=(
            StepNode(kind="send_email", title="Welcome", settings={"email": world.welcome.pk}),
            StepNode(kind="wait_for_time", title="Two days", settings={"amount": 2, "unit": "days"}),
        ),
    )
    flow = create_flow(name="Welcome", owner=alice.user, now=NOW, document=document)
    save_and_start(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
    return flow.pk


def desk_of(contact: Contact, alice: Person) -> None:
    """A sale, a request with a message, a follow-up and a notification about the person."""
    common = {"contact": contact, "title": "For Zerlinda", "created_at": NOW, "updated_at": NOW}
    desk = {**common, "owner": alice.user, "origin": "user"}
    Sale.objects.create(
        **desk, type=SaleType.objects.earliest("pk"), currency="NOK", amount=1917, date=NOW.date(),
        description="quuxnote", reason="quuxnote",
    )  # fmt: skip
    request = Request.objects.create(
        **desk, type=RequestType.objects.earliest("pk"), category=RequestCategory.objects.earliest("pk"),
        priority=RequestPriority.objects.earliest("pk"),
    )  # fmt: skip
    RequestMessage.objects.create(request=request, at=NOW, body="I am Zerlinda", origin="user")
    FollowUp.objects.create(**common, kind="task", assignee=alice.user, day=NOW.date(), agenda="Ask Zerlinda")
    Notification.objects.create(
        user_id=alice.user.pk, kind="x", text="Zerlinda", contact_id=contact.pk, at=NOW
    )


def sign_up(contact: Contact) -> None:
    """One submission that was processed, and one that still waits for a confirmation by its mail."""
    form = create_form(name="Sign-up", actor=None, now=NOW)
    told = {"email": "zerlinda@quux.test", "name": "Zerlinda", "about": "quuxnote"}
    common = {"form": form, "answers": told, "email_norm": "zerlinda@quux.test", "submitted_at": NOW}
    FormSubmission.objects.create(
        **common, key=uuid.uuid4(), status="processed", contact=contact, processed_at=NOW, error="quuxnote"
    )
    FormSubmission.objects.create(**common, key=uuid.uuid4(), status="awaiting", expires_at=NOW)
    row = NewMessage(
        enrolled_on=NOW.date(), content_version_id=1, to_address="Zerlinda@quux.test", is_marketing=False
    )
    with raw_cursor() as cursor:
        queue_messages(
            cursor, tenant_id=contact.tenant_id or 0, stream_id=form.stream_id, rows=[row], now=NOW
        )


@pytest.fixture
def known(world: World, alice: Person) -> Contact:
    """Zerlinda: imported, in a selection, enrolled, written to, in the audit log, rejected once, blocked."""
    taken = take_in(alice, FILE)
    tenant_id = alice.tenant.pk
    with tenant_scope(tenant_id):
        assert (taken.created, taken.rejected) == (2, 1)
        contact = Contact.objects.get(last_name="Quuxworth")
        flow_id = running_flow(alice, world)
        suggest(flow_id=flow_id, contact_ids=[contact.pk], source=Source("manual"), now=NOW)
    run_batch(tenant_id=tenant_id, flow_id=flow_id, now=NOW, limit=10)
    with tenant_scope(tenant_id):
        assert Message.objects.get().to_address == "Zerlinda@QUUX.test"
        Participant.objects.update(event_data={"who": "quuxnote"}, held_reason="quuxnote")
        Suggestion.objects.update(values={"name": "Zerlinda"})
        Visit.objects.update(values={"email": "zerlinda@quux.test"})
        send_test(
            email_id=world.welcome.pk, addresses=["zerlinda@quux.test"], contact_id=None, actor=alice.user, now=NOW
        )  # fmt: skip
        BlockedAddress.objects.create(
            address_norm="zerlinda@quux.test", reason="by_user", detail="quuxnote", at=NOW
        )
        desk_of(contact, alice)
        sign_up(contact)
        told = NewEvent("contact.updated", contact.pk, NOW, Origin.USER, data={"old": "quuxnote"})
        with raw_cursor() as cursor:
            add_to_selection(
                cursor, tenant_id=tenant_id, selection_id=world.selection.pk, contact_ids=[contact.pk], now=NOW,
                origin=Origin.USER,
            )  # fmt: skip
            record_events([told], cursor=cursor)
        write_audit(
            actor=alice.user, action="contact.exported", object_kind="contact", object_id="",
            payload={"query": "q=zerlinda%40quux.test"},
        )  # fmt: skip
    return contact


def found_in(person: Person) -> list[tuple[str, str]]:
    """Return where a needle is still found in the tenant's tables."""
    left = []
    with tenant_scope(person.tenant.pk):
        for table in tables():
            for needle in NEEDLES:
                sql = f'SELECT count(*) FROM "{table}" t WHERE t::text ILIKE %s'
                if rows(sql, [f"%{needle}%"])[0][0]:
                    left.append((table, needle))
    return left


def test_an_erased_person_is_nowhere_in_the_database(known: Contact, alice: Person) -> None:
    assert {table for table, _ in found_in(alice)} >= {
        "crm_contact", "crm_searchword", "crm_event", "crm_importissue", "delivery_message", "delivery_blockedaddress",
        "participants_participant", "participants_suggestion", "participants_visit", "accounts_auditentry",
        "crm_sale", "crm_request", "crm_requestmessage", "crm_followup", "crm_notification", "content_formsubmission",
    }  # fmt: skip
    with tenant_scope(alice.tenant.pk):
        before = (Visit.objects.count(), Message.objects.count(), Event.objects.count())
        assert erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
    assert found_in(alice) == []
    with tenant_scope(alice.tenant.pk):
        stone = Contact.objects.get(pk=known.pk)
        assert (str(stone), stone.deleted_at, stone.date_of_birth, stone.company_id) == (
            "Erased contact", NOW, None, None,
        )  # fmt: skip
        visits, messages, events = before
        assert (Visit.objects.count(), Message.objects.count()) == (visits, messages)
        assert Event.objects.count() == events + 2  # dropped out, and erased
        assert [(str(sale.amount), sale.title) for sale in Sale.objects.all()] == [("1917.00", "Erased")]
        assert first_break() is None
        assert AuditEntry.objects.latest("id").action == "contact.erased"


def test_participations_end_and_queued_messages_are_cancelled(known: Contact, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        assert Message.objects.get(contact_id=known.pk).status == "queued"
        erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
        person = Participant.objects.get(contact_id=known.pk)
        assert (person.status, person.drop_reason, person.ended_at) == ("dropped", "contact_deleted", NOW)
        assert Message.objects.get(contact_id=known.pk).status == "cancelled"
        assert Visit.objects.filter(participant_id=person.pk, ended="").count() == 0
        kinds = list(Event.objects.filter(contact_id=known.pk).order_by("id").values_list("kind", flat=True))
        assert kinds[-2:] == ["flow.dropped", "contact.deleted"]


def test_others_keep_everything(known: Contact, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
        other = Contact.objects.get(last_name="Person")
        assert (other.email, other.job_title, other.deleted_at) == ("other@post.test", "Boss", None)
        assert list(ImportIssue.objects.order_by("row").values_list("row", "value")) == [
            (3, ""), (4, "not a phone"),
        ]  # fmt: skip


def test_twice_is_once(known: Contact, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        assert erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
        assert not erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
        assert AuditEntry.objects.filter(action="contact.erased").count() == 1


# --- staying erased -----------------------------------------------------------------------------------------------


def test_an_import_does_not_bring_an_erased_person_back(known: Contact, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
    again = take_in(alice, FILE)
    assert (again.created, again.updated, again.rejected) == (0, 1, 2)
    with tenant_scope(alice.tenant.pk):
        issue = ImportIssue.objects.get(contact_import=again, row=2)
        assert (issue.reason, issue.rejected, issue.value, issue.cells) == (
            "Erased at the person's request", True, "", [],
        )  # fmt: skip


def test_who_signs_up_again_is_a_new_contact_and_imports_update_it(known: Contact, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
    answer = alice.client().post(alice.url("contacts/new/"), {"contact_email": "zerlinda@quux.test"})
    assert answer.status_code == 302
    again = take_in(alice, FILE)
    assert (again.created, again.updated) == (0, 2)
    with tenant_scope(alice.tenant.pk):
        assert Contact.objects.get(last_name="Quuxworth").pk != known.pk


def test_an_address_is_known_again_by_a_digest_with_the_tenants_own_key(
    known: Contact, alice: Person, charlie: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        erase_contact(contact_id=known.pk, actor=alice.user, now=NOW)
        assert erased_among(["zerlinda@quux.test", "other@post.test"]) == {"zerlinda@quux.test"}
        assert (ErasureKey.objects.count(), ErasedAddress.objects.count()) == (1, 1)
    with tenant_scope(charlie.tenant.pk):
        assert erased_among(["zerlinda@quux.test"]) == set()


# --- the page -----------------------------------------------------------------------------------------------------


def erase_page(person: Person, contact: Contact, **data: Any) -> Any:
    return person.client().post(person.url(f"contacts/{contact.pk}/erase/"), data)


def test_the_page_asks_and_needs_the_tick(known: Contact, alice: Person) -> None:
    page = alice.client().get(alice.url(f"contacts/{known.pk}/"))
    assert f"contacts/{known.pk}/erase/" in page.content.decode()
    assert "cannot be undone" in alice.client().get(alice.url(f"contacts/{known.pk}/erase/")).content.decode()
    answer = erase_page(alice, known)
    assert (answer.status_code, "Tick this to erase" in answer.content.decode()) == (422, True)
    with tenant_scope(alice.tenant.pk):
        assert Contact.objects.get(pk=known.pk).deleted_at is None
    assert erase_page(alice, known, sure="on").status_code == 302
    assert alice.client().get(alice.url(f"contacts/{known.pk}/")).status_code == 404
    assert erase_page(alice, known, sure="on").status_code == 404


def test_who_may_not_remove_contacts_finds_no_page(
    known: Contact, rory: Person, wendy: Person, charlie: Person
) -> None:
    for person in (rory, wendy, charlie):
        assert erase_page(person, known, sure="on").status_code == 404
    assert Client().post(f"/t/acme/contacts/{known.pk}/erase/", {"sure": "on"}).status_code == 302
    assert (
        f"contacts/{known.pk}/erase/"
        not in rory.client().get(rory.url(f"contacts/{known.pk}/")).content.decode()
    )
    with tenant_scope(rory.tenant.pk):
        assert Contact.objects.get(pk=known.pk).deleted_at is None
