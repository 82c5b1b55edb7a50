"""Pages of the CRM: who sees what, constant queries, forms that say what is wrong, changes that happen or do not."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.db.cursors import raw_cursor
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from crm import search
from crm.bulk import Change
from crm.models import (
    Company,
    Consent,
    ConsentPurpose,
    Contact,
    CustomField,
    Event,
    ListItem,
    Project,
    Selection,
    SubscriptionOptOut,
    SubscriptionType,
    Usage,
)
from crm.operations.contacts import create_contact
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import Person

READ_PAGES = (
    "contacts/",
    "contacts/?q=ek&sort=-created",
    "contacts/?f.g0.l0.field=contact.job_title&f.g0.l0.operator=contains&f.g0.l0.v0=chef",
    "contacts/{contact}/",
    "contacts/{contact}/timeline/",
    "contacts/{contact}/consent/",
    "companies/",
    "companies/{company}/",
    "selections/",
    "selections/{selection}/",
    "projects/",
    "projects/{project}/",
)
MARKETER_PAGES = (
    "contacts/new/",
    "companies/new/",
    "imports/",
    "settings/lists/",
    "settings/lists/interest/",
    "settings/custom-fields/",
    "settings/subscription-types/",
)


@pytest.fixture
def world(alice: Person, rory: Person) -> dict[str, int]:
    """A company of Rory's with a contact in a selection and a project; ids by name."""
    with tenant_scope(alice.tenant.pk):
        company = make_company("Ek AS", our_contact=rory.user)
        with raw_cursor() as cursor:
            words = {company.pk: search.words_of_company(name="Ek AS")}
            search.write_words(cursor, tenant_id=alice.tenant.pk, kind="company", words=words)
        contact = create_contact(
            changes=[
                Change("contact.first_name", "set", ("Åse",)),
                Change("contact.last_name", "set", ("Nørgård",)),
                Change("contact.email", "set", ("ase@x.test",)),
                Change("contact.job_title", "set", ("Head chef",)),
            ],
            company_name="Ek AS",
            now=NOW,
            actor_id=alice.user.pk,
        )
        selection = Selection.objects.create(name="VIP", created_at=NOW, owner=alice.user)
        project = Project.objects.create(name="Fair", created_at=NOW, owner=alice.user)
        selection.members.create(contact=contact, added_at=NOW)
        project.members.create(contact=contact, added_at=NOW)
        other = make_contact(first_name="Solo", last_name="Alone")
        return {
            "contact": contact.pk,
            "company": company.pk,
            "selection": selection.pk,
            "project": project.pk,
            "other": other.pk,
        }


@pytest.mark.parametrize("path", [*READ_PAGES, *MARKETER_PAGES])
def test_every_page_opens_for_the_administrator_and_for_no_stranger(
    world: dict[str, int], alice: Person, charlie: Person, path: str
) -> None:
    url = alice.url(path.format(**world))
    assert alice.client().get(url).status_code == 200
    assert charlie.client().get(url).status_code == 404
    own = charlie.url(path.format(**world))
    assert charlie.client().get(own).status_code == (404 if "{" in path else 200)


def test_queries_stay_the_same_however_many_rows(world: dict[str, int], alice: Person) -> None:
    client = alice.client()
    urls = [alice.url(path.format(**world)) for path in READ_PAGES]

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert client.get(url).status_code == 200
            found.append(len(captured))
        return found

    before = counts()
    with tenant_scope(alice.tenant.pk):
        for n in range(30):
            company = make_company(f"Ek {n}", our_contact=alice.user)
            contact = make_contact(first_name="Ek", last_name=str(n), job_title="chef", company=company)
            for group in (Selection.objects.get(), Project.objects.get()):
                group.members.create(contact=contact, added_at=NOW)
            colleague = make_contact(first_name="Ek", last_name=f"c{n}", company_id=world["company"])
            with raw_cursor() as cursor:
                for one in (contact, colleague):
                    words = {one.pk: {"ek", one.last_name}}
                    search.write_words(cursor, tenant_id=alice.tenant.pk, kind="contact", words=words)
    assert counts() == before
    assert max(before) <= 24, dict(zip(urls, before, strict=True))


def test_the_list_finds_by_prefix_company_mail_and_the_end_of_a_phone(
    world: dict[str, int], alice: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        create_contact(
            changes=[
                Change("contact.last_name", "set", ("Berg",)),
                Change("contact.mobile", "set", ("+47 912 34 567",)),
            ],
            now=NOW,
        )

    def names(words: str) -> set[str]:
        page = alice.client().get(alice.url("contacts/"), {"q": words}).content.decode()
        return set(re.findall(r"data-row-main[^>]*><bdi>([^<]*)<", page))

    assert names("nør") == names("åse nør") == names("ase@x") == names("ek") == {"Åse Nørgård"}
    assert names("7654") == names("4791234") == {"Berg"}
    assert names("zzz") == set()


def test_a_rep_with_group_reach_sees_only_what_is_theirs(world: dict[str, int], rory: Person) -> None:
    with tenant_scope(rory.tenant.pk):
        line = rory.member.role.data_rights.get(object="contact")
        line.read = "own"
        line.save()
    page = rory.client().get(rory.url("contacts/")).content.decode()
    assert "Åse" in page
    assert "Solo" not in page
    assert rory.client().get(rory.url(f"contacts/{world['contact']}/")).status_code == 200
    for path in ("", "timeline/", "consent/"):
        assert rory.client().get(rory.url(f"contacts/{world['other']}/{path}")).status_code == 404


def test_a_rep_may_not_change_what_is_not_theirs_nor_import_export_or_edit_lists(
    world: dict[str, int], rory: Person
) -> None:
    client = rory.client()
    other = rory.url(f"contacts/{world['other']}/")
    assert client.get(other).status_code == 200
    assert client.post(other, {"contact_last_name": "Evil"}).status_code == 404
    for path in ("imports/", "contacts/export/", "settings/lists/", "settings/custom-fields/"):
        assert client.get(rory.url(path)).status_code == 404
    consent = f"contacts/{world['contact']}/consent/1/"
    assert client.post(rory.url(consent), {"given": "yes"}).status_code == 404
    with tenant_scope(rory.tenant.pk):
        assert Contact.objects.get(pk=world["other"]).last_name == "Alone"
        assert not Consent.objects.exists()


def test_a_contact_is_made_edited_and_told(world: dict[str, int], alice: Person) -> None:
    client = alice.client()
    with tenant_scope(alice.tenant.pk):
        interest = ListItem.objects.filter(list="interest").first()
        assert interest is not None
    data = {
        "contact_first_name": "Bo",
        "contact_last_name": "Ny",
        "contact_email": "bo@x.test",
        "contact_mobile": "912 34 567",
        "contact_country": "NO",
        "company": "Brand new AS",
        "contact_interests": [str(interest.pk)],
        "contact_custom_annual_revenue": "12 000,50",
    }
    made = client.post(alice.url("contacts/new/"), data)
    assert made.status_code == 302
    with tenant_scope(alice.tenant.pk):
        contact = Contact.objects.get(email="bo@x.test")
        assert (contact.mobile, str(contact.company)) == ("+4791234567", "Brand new AS")
        assert [e.kind for e in Event.objects.filter(contact_id=contact.pk)] == ["contact.created"]
        assert str(contact.field_values.get().value_number) == "12000.5000"
    changed = client.post(
        alice.url(f"contacts/{contact.pk}/"), {**data, "contact_last_name": "Nyere", "company": ""}
    )
    assert changed.status_code == 302
    with tenant_scope(alice.tenant.pk):
        contact.refresh_from_db()
        assert (contact.last_name, contact.company) == ("Nyere", None)
        assert Event.objects.filter(contact_id=contact.pk, kind="contact.updated").count() == 2
    timeline = client.get(alice.url(f"contacts/{contact.pk}/timeline/")).content.decode()
    assert "Last name: Ny → Nyere" in timeline
    assert "Company: Brand new AS → empty" in timeline


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("contact_email", "a@b@c", "is not an email address"),
        ("contact_email", "a@x.test\nBcc: evil@x.test", "is not an email address"),
        ("contact_mobile", "call me", "is not a phone number"),
        ("contact_date_of_birth", "1980-02-31", "is not a date"),
        ("contact_custom_annual_revenue", "lots", "is not a number"),
        ("contact_category", "999999", "Select a valid choice"),
    ],
)
def test_a_form_says_at_the_field_what_is_wrong_and_changes_nothing(
    world: dict[str, int], alice: Person, field: str, value: str, message: str
) -> None:
    answer = alice.client().post(
        alice.url(f"contacts/{world['contact']}/"), {"contact_last_name": "Evil", field: value}
    )
    assert answer.status_code == 422
    assert message in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Contact.objects.get(pk=world["contact"]).last_name == "Nørgård"


def test_another_tenants_ids_are_refused_in_every_form(
    world: dict[str, int], alice: Person, charlie: Person
) -> None:
    with tenant_scope(charlie.tenant.pk):
        theirs = ListItem.objects.filter(list="category").first()
        their_selection = Selection.objects.create(name="Theirs", created_at=NOW)
        their_contact = make_contact(last_name="Theirs")
        assert theirs is not None
    client = alice.client()
    answer = client.post(
        alice.url(f"contacts/{world['contact']}/"),
        {"contact_last_name": "x", "contact_category": str(theirs.pk)},
    )
    assert answer.status_code == 422
    client.post(
        alice.url("contacts/add-to-selection/"), {"ids": [world["contact"]], "selection": their_selection.pk}
    )
    client.post(
        alice.url(f"selections/{world['selection']}/members/"), {"ids": [their_contact.pk], "do": "add"}
    )
    assert (
        client.post(alice.url(f"selections/{their_selection.pk}/members/"), {"ids": [1]}).status_code == 404
    )
    with tenant_scope(charlie.tenant.pk):
        assert not their_selection.members.exists()
    with tenant_scope(alice.tenant.pk):
        assert Selection.objects.get().members.count() == 1


def test_consent_and_subscriptions_are_recorded_with_basis_and_source(
    world: dict[str, int], alice: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        news = SubscriptionType.objects.get(name="Newsletter")
        purpose = ConsentPurpose.objects.get()
    base = f"contacts/{world['contact']}/"
    client = alice.client()
    good = {"given": "yes", "legal_basis": "Contract", "source": "Phone call"}
    assert client.post(alice.url(f"{base}consent/{purpose.pk}/"), {"given": "yes"}).status_code == 422
    assert client.post(alice.url(f"{base}consent/{purpose.pk}/"), good).status_code == 302
    assert client.post(alice.url(f"{base}subscriptions/{news.pk}/"), {"subscribe": "no"}).status_code == 302
    with tenant_scope(alice.tenant.pk):
        kept = Consent.objects.get()
        assert (kept.given, kept.legal_basis, kept.source) == (True, "Contract", "Phone call")
        assert SubscriptionOptOut.objects.get().type == news
    page = client.get(alice.url(f"{base}consent/")).content.decode()
    assert "Consent given" in page
    assert "Alice Wong on the contact" in page


def test_everyone_who_matches_is_added_by_a_job_within_reach(world: dict[str, int], alice: Person) -> None:
    query = "f.g0.l0.field=contact.job_title&f.g0.l0.operator=contains&f.g0.l0.v0=chef"
    answer = alice.client().post(
        alice.url("contacts/add-to-selection/"), {"every": "on", "query": query, "new_name": "Chefs"}
    )
    assert answer.status_code == 302
    with tenant_scope(alice.tenant.pk):
        job = Job.objects.get()
    assert run_slice(tenant_id=alice.tenant.pk, job_id=job.pk, now=NOW) is False
    with tenant_scope(alice.tenant.pk):
        chefs = Selection.objects.get(name="Chefs")
        assert list(chefs.members.values_list("contact_id", flat=True)) == [world["contact"]]
        assert Event.objects.filter(kind="selection.added", object_id=chefs.pk).get().origin == "user"


def test_what_a_flow_uses_cannot_be_deleted_and_its_place_is_shown(
    world: dict[str, int], alice: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        item = ListItem.objects.get(list="category", name="Prospect")
        field = CustomField.objects.get(key="customer-since")
        for kind, used in (
            ("selection", world["selection"]),
            ("list_item", item.pk),
            ("custom_field", field.pk),
        ):
            Usage.objects.create(
                used_kind=kind,
                used_id=used,
                user_kind="flow",
                user_id=7,
                user_name="Welcome",
                place="Filter",
                url="/t/acme/flows/7/",
            )
    client = alice.client()
    for path in (
        f"selections/{world['selection']}/delete/",
        f"settings/lists/category/{item.pk}/",
        f"settings/custom-fields/{field.pk}/",
    ):
        answer = client.post(alice.url(path), {"do": "delete"}, follow=True)
        assert "cannot be deleted" in answer.content.decode()
        assert "/t/acme/flows/7/" in answer.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert Selection.objects.filter(pk=world["selection"]).exists()
        assert ListItem.objects.filter(pk=item.pk).exists()
        assert CustomField.objects.filter(pk=field.pk).exists()


def test_list_values_are_added_renamed_moved_retired_and_deleted(alice: Person) -> None:
    client = alice.client()
    base = "settings/lists/business/"
    client.post(alice.url(base), {"name": "Mining"})
    assert client.post(alice.url(base), {"name": " MINING "}).status_code == 422
    with tenant_scope(alice.tenant.pk):
        mining = ListItem.objects.get(name="Mining")
        first = ListItem.objects.filter(list="business").order_by("rank").first()
        assert first is not None
    for data in ({"do": "rename", "name": "Mines"}, {"do": "up"}, {"do": "retire"}):
        client.post(alice.url(f"{base}{mining.pk}/"), data)
    client.post(alice.url(f"{base}{first.pk}/"), {"do": "down"})
    client.post(alice.url(f"{base}{first.pk}/"), {"do": "delete"})
    with tenant_scope(alice.tenant.pk):
        mining.refresh_from_db()
        assert (mining.name, mining.retired) == ("Mines", True)
        assert not ListItem.objects.filter(pk=first.pk).exists()


def test_an_export_makes_formulas_harmless_and_keeps_to_the_filter(
    world: dict[str, int], alice: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        Contact.objects.filter(pk=world["contact"]).update(job_title="=cmd|' /C calc'!A0")
    url = alice.url(
        "contacts/export/?f.g0.l0.field=contact.job_title&f.g0.l0.operator=contains&f.g0.l0.v0=cmd"
    )
    lines = b"".join(alice.client().get(url)).decode().splitlines()
    assert len(lines) == 2
    assert ",'=cmd|' /C calc'!A0," in lines[1]


def test_a_company_is_made_renamed_and_its_contacts_told(world: dict[str, int], alice: Person) -> None:
    client = alice.client()
    taken = client.post(alice.url("companies/new/"), {"name": "Ek AS"})
    assert taken.status_code == 422
    with tenant_scope(alice.tenant.pk):
        customer = ListItem.objects.get(list="category", name="Customer")
    saved = client.post(
        alice.url(f"companies/{world['company']}/"),
        {"name": "Ek Holding AS", "contact_category": str(customer.pk), "company_website": "ek.test"},
    )
    assert saved.status_code == 302
    with tenant_scope(alice.tenant.pk):
        company = Company.objects.get(pk=world["company"])
        assert (company.name, company.website, company.category) == (
            "Ek Holding AS",
            "https://ek.test",
            customer,
        )
        event = Event.objects.get(contact_id=world["contact"], kind="contact.updated")
        assert {"field": "contact.category", "old": None, "new": customer.pk, "company": True} in event.data[
            "changes"
        ]
