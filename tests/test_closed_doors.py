"""Every page of a tenant, knocked at by those who may not enter: the answer is "not found", and nothing happens.

Pages are found by the resolver, so a new one is covered as soon as it has a URL. Who adds an object whose id stands
in URLs adds it to `known_ids`, so that the refusal is not for want of an object.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import Group, Role, Tenant
from accounts.operations import invite, save_role
from accounts.operations.api_keys import create_api_key
from content.models import FormSubmission, Image, ImageData
from content.operations.emails import create_email
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import save_script
from core.tenancy import tenant_scope
from crm.bulk import NewRequest, NewSale
from crm.models import ConsentPurpose, ListItem, Notification, SaleType, Selection, SubscriptionType
from crm.operations.clubs import create_club
from crm.operations.contacts import create_contact
from crm.operations.diaries import add_away
from crm.operations.follow_ups import FollowUpValues, create_follow_up
from crm.operations.lists import add_field
from crm.operations.requests import register_request
from crm.operations.sales import create_sale
from delivery.operations.webhook_secrets import keep_secret
from flows.operations.comments import write_comment
from flows.operations.create import create_flow
from flows.operations.folders import create_folder
from flows.operations.saved_views import save_view
from tests.fixtures.people import LAST_MONDAY, MakePerson, Person
from tests.support.database_facts import fingerprint
from tests.support.tenant_urls import TenantPage, tenant_pages

# Open to every member, whatever the role.
FOR_EVERY_MEMBER = {"accounts:home", "accounts:mobile", "crm:notifications", "crm:notifications_read"}
# A page that only takes POST may say so to anybody: that tells nothing about objects.
REFUSALS = {404, 405}


@pytest.fixture
def known_ids(acme: Tenant, alice: Person, bob: Person) -> dict[str, Any]:
    """Real objects of Acme, by the names that their ids have in URLs."""
    with tenant_scope(acme.pk):
        return {**_people(alice, bob), **_marketing(alice), **_crm(alice)}


def _people(alice: Person, bob: Person) -> dict[str, Any]:
    role = Role.objects.get(name="Sales rep")
    invitation = invite(email="new@acme.test", role=role, group=None, actor=alice.member, now=LAST_MONDAY)
    return {
        "membership_id": bob.member.pk,
        "role_id": role.pk,
        "group_id": Group.objects.get(name="Marketing").pk,
        "invitation_id": invitation.pk,
        "key_id": create_api_key(name="Shop", scopes=["events"], actor=alice.user, now=LAST_MONDAY)[0].pk,
        "secret_id": keep_secret(name="crm", value="x", actor=alice.user, now=LAST_MONDAY).pk,
    }


def _marketing(alice: Person) -> dict[str, Any]:
    flow = create_flow(name="Welcome", owner=alice.user, now=LAST_MONDAY)
    said = write_comment(
        flow=flow, step=None, text="Who?", author=alice.user, now=LAST_MONDAY, once=uuid.uuid4()
    )
    return {
        "flow_id": flow.pk,
        "comment_id": said.pk,
        "view_id": save_view(name="Mine", query="", shared=True, actor=alice.user, now=LAST_MONDAY).pk,
        "folder_id": create_folder(name="Newcomers", parent_id=None).pk,
        "script_id": save_script(
            script_id=None,
            name="Score",
            description="",
            source="result = 1",
            revision=0,
            actor=alice.user,
            now=LAST_MONDAY,
        ).pk,
        "email_id": create_email(name="Welcome", actor=alice.user, now=LAST_MONDAY).pk,
        **_form(alice),
        "image_id": _image(),
        "starter": "welcome",
        "link_id": create_link(
            draft=LinkDraft("Offer", url="https://a.test/"), actor=None, now=LAST_MONDAY
        ).pk,
    }


def _image() -> int:
    picture = Image.objects.create(
        name="Mill", format="png", width=1, height=1, size=1, digest="0", created_at=LAST_MONDAY
    )
    ImageData.objects.create(image=picture, data=b"x")
    return picture.pk


def _form(alice: Person) -> dict[str, Any]:
    form = create_form(name="Sign-up", actor=alice.user, now=LAST_MONDAY)
    submission = FormSubmission.objects.create(
        form=form, key=uuid.uuid4(), status="submitted", submitted_at=LAST_MONDAY
    )
    return {"form_id": form.pk, "field_key": "email", "submission_id": submission.pk}


def _crm(alice: Person) -> dict[str, Any]:
    contact = create_contact(changes=[], company_name="Globex", now=LAST_MONDAY, actor_id=alice.user.pk)
    selection = create_club(
        model=Selection, name="Newcomers", description="", actor=alice.user, now=LAST_MONDAY
    )
    return {
        "contact_id": contact.pk,
        "gone_id": contact.pk,
        "company_id": contact.company_id,
        "club_id": selection.pk,
        "field_id": add_field(on="contact", name="Shoe size", type_="number", actor=alice.user).pk,
        "type_id": SubscriptionType.objects.earliest("pk").pk,
        "purpose_id": ConsentPurpose.objects.earliest("pk").pk,
        "item_id": ListItem.objects.earliest("pk").pk,
        "list_name": "category",
        **_desk(alice, contact.pk),
        **_diary(alice, contact.pk),
    }


def _desk(alice: Person, contact_id: int) -> dict[str, Any]:
    kind = SaleType.objects.earliest("pk")
    row = NewSale(contact_id, "Kayaks", kind.pk, alice.user.pk, "NOK")
    sale = create_sale(sale=row, now=LAST_MONDAY, today=LAST_MONDAY.date(), actor_id=alice.user.pk)
    asked = register_request(request=NewRequest(contact_id, "Where?"), now=LAST_MONDAY, actor_id=None)
    return {
        "sale_id": sale.pk,
        "request_id": asked.pk,
        "choice_list": "sale-types",
        "choice_id": kind.pk,
        "sale_type_id": kind.pk,
    }


def _diary(alice: Person, contact_id: int) -> dict[str, Any]:
    day = LAST_MONDAY.date()
    values = FollowUpValues(kind="task", title="Call", assignee_id=alice.user.pk, day=day)
    line = Notification.objects.create(user_id=alice.user.pk, kind="test", text="Hello", at=LAST_MONDAY)
    return {
        "follow_up_id": create_follow_up(
            values=values, contact_id=contact_id, now=LAST_MONDAY, actor=alice.user
        ).pk,
        "away_id": add_away(user=alice.user, first_day=day, last_day=day).pk,
        "notification_id": line.pk,
    }


@pytest.fixture
def nobody(acme: Tenant, alice: Person, make_person: MakePerson) -> Person:
    """A member of Acme whose role has no right at all."""
    with tenant_scope(acme.pk):
        save_role(role_id=None, name="Guest", description="", rights=(), data_rights={}, actor=alice.member)
    return make_person(acme, "Nobody", "Guest", role="Guest")


def knock(client: Client, tenant: Tenant, known: dict[str, Any], pages: list[TenantPage]) -> list[str]:
    """Visit every page by GET and POST; return those that did more than refuse."""
    let_in = []
    for page in pages:
        path = page.path(tenant, known)
        for method in (client.get, client.post):
            answer = method(path)
            if answer.status_code not in REFUSALS:
                let_in.append(f"{method.__name__.upper()} {path} ({page.name}): {answer.status_code}")
    return let_in


def test_a_stranger_finds_no_page_of_another_tenant(
    acme: Tenant, globex: Tenant, charlie: Person, known_ids: dict[str, Any]
) -> None:
    client = charlie.client()
    before = fingerprint(acme.pk, globex.pk)
    assert knock(client, acme, known_ids, tenant_pages()) == []
    assert fingerprint(acme.pk, globex.pk) == before


def test_a_stranger_gets_nothing_with_another_tenants_ids_in_the_own_tenant(
    acme: Tenant, globex: Tenant, charlie: Person, known_ids: dict[str, Any]
) -> None:
    client = charlie.client()
    about_objects = [
        page for page in tenant_pages() if any(name.endswith("_id") for name, _ in page.parameters)
    ]
    assert about_objects
    before = fingerprint(acme.pk)
    assert knock(client, globex, known_ids, about_objects) == []
    assert fingerprint(acme.pk) == before


def test_a_member_without_rights_finds_only_the_home_page(
    acme: Tenant, nobody: Person, known_ids: dict[str, Any]
) -> None:
    client = nobody.client()
    closed = [page for page in tenant_pages() if page.name not in FOR_EVERY_MEMBER]
    before = fingerprint(acme.pk)
    assert knock(client, acme, known_ids, closed) == []
    assert fingerprint(acme.pk) == before


def test_somebody_who_is_not_signed_in_is_sent_to_sign_in_from_every_page(
    acme: Tenant, known_ids: dict[str, Any]
) -> None:
    client = Client()
    before = fingerprint(acme.pk)
    for page in tenant_pages():
        path = page.path(acme, known_ids)
        for method in (client.get, client.post):
            answer = method(path)
            assert answer.status_code == 302, path
            assert answer["Location"].startswith("/accounts/login/?next="), path
    assert fingerprint(acme.pk) == before


def test_a_former_member_finds_nothing(
    acme: Tenant, alice: Person, bob: Person, known_ids: dict[str, Any]
) -> None:
    client = bob.client()
    alice.client().post(alice.url(f"settings/users/{bob.member.pk}/active/"), {"active": "no"})
    assert knock(client, acme, known_ids, tenant_pages()) == []
