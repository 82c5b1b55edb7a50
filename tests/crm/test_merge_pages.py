"""The pages that merge two contacts: from the list, from a contact; side by side; for those who may."""

from __future__ import annotations

from typing import Any

from accounts.models import AuditEntry, RoleDataRight
from core.tenancy import tenant_scope
from crm.bulk import Change
from crm.events import Origin
from crm.models import Contact, MergedContact
from crm.operations.contacts import edit_contact
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import MakePerson, Person
from tests.support.database_facts import fingerprint


def two(person: Person) -> tuple[Contact, Contact]:
    """Make two contacts of the person's tenant that are one."""
    with tenant_scope(person.tenant.pk):
        mill = make_company("Mill")
        one = make_contact(first_name="Anna", last_name="Berg", email="anna@post.test", company=mill)
        other = make_contact(
            first_name="Anna", last_name="Bergh", email="anna@home.test", mobile="+4791918273"
        )
    return one, other


def page(person: Person, path: str) -> Any:
    return person.client().get(person.url(path))


def test_two_chosen_in_the_list_lead_to_the_page_and_any_other_number_is_told(alice: Person) -> None:
    one, other = two(alice)
    client = alice.client()
    assert "Merge two" in client.get(alice.url("contacts/")).content.decode()
    answer = client.post(alice.url("contacts/merge/"), {"ids": [other.pk, one.pk]})
    assert answer["Location"] == alice.url(f"contacts/{one.pk}/merge/{other.pk}/")
    for ids, more in (([one.pk], {}), ([one.pk, other.pk], {"every": "on"}), (["x", "999999999999"], {})):
        told = client.post(alice.url("contacts/merge/"), {"ids": ids, **more}, follow=True).content.decode()
        assert "Choose exactly two contacts to merge." in told


def test_from_a_contact_one_searches_for_the_other(alice: Person) -> None:
    one, other = two(alice)
    assert f"contacts/{one.pk}/merge/" in page(alice, f"contacts/{one.pk}/").content.decode()
    with tenant_scope(alice.tenant.pk):
        edit_contact(contact_id=other.pk, changes=[Change("contact.last_name", "set", ("Berg",))], now=NOW)
        edit_contact(contact_id=one.pk, changes=[Change("contact.job_title", "set", ("Boss",))], now=NOW)
    found = page(alice, f"contacts/{one.pk}/merge/").content.decode()
    assert alice.url(f"contacts/{one.pk}/merge/{other.pk}/") in found
    assert "Nobody else found" in page(alice, f"contacts/{one.pk}/merge/?q=zzz").content.decode()


def test_the_page_shows_both_and_merges_what_was_chosen(alice: Person) -> None:
    one, other = two(alice)
    path = f"contacts/{one.pk}/merge/{other.pk}/"
    answer = page(alice, path)
    shown = answer.content.decode()
    pairs = {pair.key: (pair.kept, pair.gone, pair.from_gone) for pair in answer.context["view"].differing}
    assert pairs == {
        "company": ("Mill", "", False),
        "contact.last_name": ("Berg", "Bergh", False),
        "contact.email": ("anna@post.test", "anna@home.test", False),
        "contact.mobile": ("", "+4791918273", True),
    }
    assert answer.context["view"].alike == [("First name", "Anna"), ("Former employee", "no")]
    assert f"contacts/{other.pk}/merge/{one.pk}/" in shown
    data = {
        "seen": answer.context["seen"],
        "contact.email": "gone",
        "contact.mobile": "gone",
        "company": "kept",
    }
    client = alice.client()
    for _ in range(2):
        done = client.post(alice.url(path), data)
        assert (done.status_code, done["Location"]) == (302, alice.url(f"contacts/{one.pk}/"))
    with tenant_scope(alice.tenant.pk):
        kept = Contact.objects.get(pk=one.pk)
        assert (kept.last_name, kept.email_norm, kept.mobile, str(kept.company)) == (
            "Berg", "anna@home.test", "+4791918273", "Mill",
        )  # fmt: skip
        assert AuditEntry.objects.filter(action="contact.merged").count() == 1
    led = client.get(alice.url(f"contacts/{other.pk}/"))
    assert (led.status_code, led["Location"]) == (302, alice.url(f"contacts/{one.pk}/"))
    assert "Anna Bergh" in page(alice, f"contacts/{one.pk}/").content.decode()
    timeline = page(alice, f"contacts/{one.pk}/timeline/").content.decode()
    assert "Contact merged: Anna Bergh" in timeline
    assert "by merging contacts" in timeline


def test_a_page_that_is_out_of_date_merges_nothing_and_says_so(alice: Person) -> None:
    one, other = two(alice)
    path = f"contacts/{one.pk}/merge/{other.pk}/"
    told = alice.client().post(alice.url(path), {"seen": "yesterday"}, follow=True).content.decode()
    assert "was changed meanwhile" in told
    with tenant_scope(alice.tenant.pk):
        assert not MergedContact.objects.exists()


def test_who_may_not_change_the_one_and_remove_the_other_finds_no_page(
    alice: Person, rory: Person, charlie: Person, make_person: MakePerson
) -> None:
    one, other = two(alice)
    with tenant_scope(charlie.tenant.pk):
        theirs = make_contact(first_name="Theirs", origin=Origin.USER)
    paths = (f"contacts/{one.pk}/merge/", f"contacts/{one.pk}/merge/{other.pk}/")
    before = fingerprint()
    for person in (rory, charlie):
        for path in paths:
            assert page(person, path).status_code == 404
            assert person.client().post(person.url(path)).status_code in {404, 405}
    for mixed in (f"contacts/{one.pk}/merge/{theirs.pk}/", f"contacts/{theirs.pk}/merge/{one.pk}/"):
        assert page(alice, mixed).status_code == 404
        assert alice.client().post(alice.url(mixed)).status_code == 404
    assert fingerprint() == before
    assert "Merge two" not in page(rory, "contacts/").content.decode()
    with tenant_scope(alice.tenant.pk):
        RoleDataRight.objects.filter(role=alice.member.role, object="contact").update(remove="none")
    assert page(alice, paths[1]).status_code == 404
    assert "Merge with" not in page(alice, f"contacts/{one.pk}/").content.decode()


def test_a_contact_is_not_merged_with_itself(alice: Person) -> None:
    one, _ = two(alice)
    answer = alice.client().post(alice.url(f"contacts/{one.pk}/merge/{one.pk}/"), follow=True)
    assert "cannot be merged with itself" in answer.content.decode()
