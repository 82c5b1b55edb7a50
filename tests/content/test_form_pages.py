"""The editor of forms: who may, what is saved, what keeps a form from being open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import AuditEntry, Group, Licence, Tenant
from content.forms.document import FormDocument
from content.forms.page import form_url
from content.models import Email, Form, TrackedLink
from content.operations.forms import FormChanged, create_form, document_of, save_form
from content.operations.links import LinkDraft, create_link
from content.operations.processing import process_soon
from content.queries import email_choices
from content.queries_form import form_choices, form_fields
from crm.models import CustomField, Notification, Request, Selection, Usage
from crm.operations.clubs import delete_club
from crm.operations.usage import InUse
from tests.content.forms import LATER, NOW, Booth, bound, field
from tests.content.test_form_processing import send
from tests.fixtures.people import Person


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def booth(acme: Tenant, alice: Person) -> Booth:
    return Booth(acme)


def settings(form: Form, **changes: Any) -> dict[str, Any]:
    data = {
        key: value for key, value in document_of(form).model_dump().items() if isinstance(value, (str, int))
    }
    data = {key: value for key, value in data.items() if value is not False}
    return {**data, "name": form.name, "revision": form.revision, **changes}


def fresh(booth: Booth, form: Form) -> Form:
    with booth.scope():
        return Form.objects.get(pk=form.pk)


def test_a_writer_makes_a_form_and_opens_it(booth: Booth, wendy: Person) -> None:
    client = wendy.client()
    response = client.post(wendy.url("content/forms/new/"), {"name": " Spring  fair "})
    with booth.scope():
        form = Form.objects.get()
        assert response["Location"] == wendy.url(f"content/forms/{form.pk}/")
        assert (form.name, form.is_open, form.managed_by) == (
            "Spring fair",
            False,
            Group.objects.get(name="Marketing"),
        )
    assert Client().get(booth.path(form)).status_code == 410
    client.post(f"{response['Location']}open/", {"open": "yes"})
    assert Client().get(booth.path(form)).status_code == 200
    assert booth.path(form) in client.get(response["Location"]).content.decode()
    client.post(f"{response['Location']}open/", {"open": "no"})
    assert Client().get(booth.path(form)).status_code == 410
    with booth.scope():
        actions = (
            AuditEntry.objects.filter(object_kind="form").order_by("id").values_list("action", flat=True)
        )
        assert list(actions) == ["form.created", "form.opened", "form.closed"]


def test_fields_are_added_changed_moved_and_removed(booth: Booth, wendy: Person) -> None:
    client = wendy.client()
    client.post(wendy.url("content/forms/new/"), {"name": "Fair"})
    with booth.scope():
        form = Form.objects.get()
    url = wendy.url(f"content/forms/{form.pk}/")
    response = client.post(url, {"do": "add", "kind": "dropdown", "label": "Which day?"})
    assert response["Location"] == f"{url}fields/which_day/"
    data = {"label": "Which day?", "required": "on", "options": "Monday\n\n Tuesday \nMonday", "revision": 1}
    client.post(response["Location"], data)
    client.post(url, {"do": "add", "kind": "crm", "target": "company.name"})
    client.post(url, {"do": "add", "kind": "consent", "label": "Write to me"})
    client.post(url, {"do": "up", "key": "name"})
    client.post(url, {"do": "remove", "key": "last_name"})
    document = document_of(fresh(booth, form))
    assert [one.key for one in document.fields] == ["email", "first_name", "name", "which_day", "write_to_me"]
    day = document.field("which_day")
    assert day is not None
    assert (day.options, day.required) == (("Monday", "Tuesday"), True)
    consent = document.field("write_to_me")
    assert consent is not None
    assert consent.purpose == booth.consent.pk
    assert f'src="{url}page/"' in client.get(f"{url}preview/").content.decode()
    assert "Tuesday" in client.get(f"{url}page/").content.decode()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"kind": "crm"}, "Choose the field"),
        ({"kind": "crm", "target": "contact.email"}, "has this field already"),
        ({"kind": "crm", "target": "contact.our_contact"}, "Select a valid choice"),
        ({"kind": "crm", "target": "contact.former_employee"}, "Select a valid choice"),
        ({"kind": "text"}, "Give it a label"),
        ({"kind": "script", "label": "x"}, "Select a valid choice"),
    ],
)
def test_a_field_that_cannot_be_is_not_added(
    booth: Booth, wendy: Person, data: dict[str, str], problem: str
) -> None:
    form = booth.form()
    response = wendy.client().post(wendy.url(f"content/forms/{form.pk}/"), {"do": "add", **data})
    assert response.status_code == 422
    assert problem in response.content.decode()
    assert fresh(booth, form).revision == 0


def test_an_open_form_cannot_become_unready_and_a_closed_one_cannot_open_so(
    booth: Booth, wendy: Person
) -> None:
    form = booth.form()
    url = wendy.url(f"content/forms/{form.pk}/")
    client = wendy.client()
    page = client.post(url, {"do": "remove", "key": "email"}, follow=True).content.decode()
    assert "Email address" in page
    assert document_of(fresh(booth, form)).email_field is not None
    client.post(f"{url}open/", {"open": "no"})
    client.post(url, {"do": "remove", "key": "email"})
    assert document_of(fresh(booth, form)).email_field is None
    assert "To open the form, mend this" in client.get(url).content.decode()
    client.post(f"{url}open/", {"open": "yes"})
    assert fresh(booth, form).is_open is False


def test_settings_are_saved_with_the_clock_of_the_tenant(booth: Booth, wendy: Person) -> None:
    form = booth.form()
    data = settings(
        form, name="Renamed", closes_at="2026-12-24T18:00", closes_after="5", double_opt_in="on",
        confirm_minutes="45", redirect_url="https://shop.test/", processing="manual",
    )  # fmt: skip
    response = wendy.client().post(wendy.url(f"content/forms/{form.pk}/settings/"), data)
    assert response.status_code == 302, response.content.decode()
    after = fresh(booth, form)
    document = document_of(after)
    assert (after.name, after.closes_after, after.managed_by_id) == ("Renamed", 5, None)
    assert after.closes_at is not None
    assert after.closes_at.isoformat() == "2026-12-24T17:00:00+00:00"
    assert (document.double_opt_in, document.confirm_minutes, document.processing) == (True, 45, "manual")
    with booth.scope():
        mail = Email.objects.get(pk=after.confirmation_id or 0)
        assert mail.is_internal
        assert "links.confirm" in mail.mjml
        assert mail.pk not in {choice.id for choice in email_choices()}
    assert wendy.client().get(wendy.url(f"content/{mail.pk}/")).status_code == 404


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.test/", "shop.test", "ftp://shop.test/", "https://"]
)
def test_a_form_leads_on_only_to_a_whole_web_address(booth: Booth, wendy: Person, address: str) -> None:
    form = booth.form()
    url = wendy.url(f"content/forms/{form.pk}/settings/")
    response = wendy.client().post(url, settings(form, redirect_url=address))
    assert response.status_code == 422
    assert "Write a whole address" in response.content.decode()
    assert document_of(fresh(booth, form)).redirect_url == ""


def test_the_second_of_two_writers_is_told_and_nothing_is_overwritten(booth: Booth, wendy: Person) -> None:
    form = booth.form()
    client, url = wendy.client(), wendy.url(f"content/forms/{form.pk}/settings/")
    assert client.post(url, settings(form, heading="Wendy's")).status_code == 302
    response = client.post(url, settings(form, heading="Bob's", name="Other"))
    assert response.status_code == 422
    assert "Somebody else saved this form" in response.content.decode()
    after = fresh(booth, form)
    assert (after.name, document_of(after).heading) == ("Sign-up", "Wendy's")
    with booth.scope(), pytest.raises(FormChanged):
        save_form(form_id=form.pk, document=FormDocument(), revision=0, actor=None, now=NOW)


def test_actions_are_saved_and_what_they_use_cannot_be_deleted(booth: Booth, alice: Person) -> None:
    with booth.scope():
        Licence.objects.get_or_create(code="service")
        size = CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    form = booth.form(bound("size", f"contact.custom.{size.key}"))
    data = {
        "add_to_selections": [booth.fans.pk], "respond_email": booth.email.pk, "new_category": booth.category.pk,
        "request": "on", "request_title": "Call them", "revision": 0,
        "line-0-field": "contact.job_title", "line-0-action": "set", "line-0-value-0": "Visitor",
    }  # fmt: skip
    response = alice.client().post(alice.url(f"content/forms/{form.pk}/actions/"), data)
    assert response.status_code == 302, response.content.decode()
    actions = document_of(fresh(booth, form)).actions
    assert (actions.add_to_selections, actions.respond_email) == ((booth.fans.pk,), booth.email.pk)
    with booth.scope():
        used = set(Usage.objects.filter(user_kind="form").values_list("used_kind", flat=True))
        assert used == {"selection", "email", "list_item", "custom_field", "subscription_type"}
        with pytest.raises(InUse):
            delete_club(model=Selection, club_id=booth.fans.pk, actor=alice.user)
    one = send(booth, form, topic="Mills")
    with booth.scope():
        assert one.contact is not None
        assert one.contact.job_title == "Visitor"
        request = Request.objects.get()
        assert (request.title, request.contact_id, request.origin) == ("Call them", one.contact.pk, "form")
        message = request.messages.get()
        assert "Topic: Mills" in message.body


def test_a_request_needs_the_licence(booth: Booth, wendy: Person) -> None:
    with booth.scope():
        Licence.objects.filter(code="service").delete()
    form = booth.form(actions={"request": True, "request_title": "Call"})
    page = wendy.client().get(wendy.url(f"content/forms/{form.pk}/actions/")).content.decode()
    assert "Register a request" not in page
    assert send(booth, form).status == "processed"
    with booth.scope():
        assert not Request.objects.exists()


def test_the_managing_group_hears_once_of_what_waits(booth: Booth, rory: Person, bob: Person) -> None:
    form = booth.form(processing="manual")
    with booth.scope():
        Form.objects.filter(pk=form.pk).update(managed_by=Group.objects.get(name="Sales"))
    for name in ("a", "b"):
        send(booth, form, email=f"{name}@b.test")
    with booth.scope():
        told = Notification.objects.get()
        assert (told.user_id, told.text) == (rory.user.pk, "A submission waits to be processed: Sign-up")
        assert told.path == f"content/submissions/?form={form.pk}"
        Notification.objects.update(read_at=NOW)
    send(booth, form, email="c@b.test")
    with booth.scope():
        assert Notification.objects.count() == 2
        process_soon(submission_id=booth.submissions()[0].pk, now=LATER)
        assert Notification.objects.count() == 2


def test_what_a_flow_uses_is_not_deleted_and_only_an_administrator_of_flows_deletes(
    booth: Booth, wendy: Person, bob: Person
) -> None:
    form = booth.form()
    url = f"content/forms/{form.pk}/delete/"
    with booth.scope():
        use = Usage.objects.create(
            used_kind="form", used_id=form.pk, user_kind="flow", user_id=7, user_name="Autumn", url="/x"
        )
    assert wendy.client().post(wendy.url(url)).status_code == 404
    bob.client().post(bob.url(url))
    assert fresh(booth, form).deleted_at is None
    with booth.scope():
        use.delete()
    bob.client().post(bob.url(url))
    assert fresh(booth, form).deleted_at is not None
    assert Client().get(booth.path(form)).status_code == 404
    with booth.scope():
        assert form_choices() == []
        assert not Usage.objects.filter(user_kind="form").exists()


def test_a_form_that_an_email_or_a_link_leads_to_is_in_use(booth: Booth, bob: Person) -> None:
    form = booth.form()
    with booth.scope():
        address = form_url(form)
        link = create_link(draft=LinkDraft(name="Form", url=address), actor=None, now=NOW)
    body = f"<mj-button href='{address}'>Go</mj-button>"
    email = booth.write(
        mjml=f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    )
    with booth.scope():
        uses = Usage.objects.filter(used_kind="form").values_list("user_kind", "user_id")
        assert set(uses) == {("link", link.pk), ("email", email.pk)}
    bob.client().post(bob.url(f"content/forms/{form.pk}/delete/"))
    assert fresh(booth, form).deleted_at is None


def test_a_copy_is_closed_and_empty(booth: Booth, wendy: Person) -> None:
    form = booth.form()
    send(booth, form)
    wendy.client().post(wendy.url(f"content/forms/{form.pk}/copy/"))
    wendy.client().post(wendy.url(f"content/forms/{form.pk}/copy/"))
    with booth.scope():
        copies = list(Form.objects.exclude(pk=form.pk).order_by("pk"))
        assert [(copy.name, copy.is_open) for copy in copies] == [
            ("Sign-up (copy)", False),
            ("Sign-up (copy 2)", False),
        ]
        assert not copies[0].submissions.exists()
        assert document_of(copies[0]) == document_of(form)


def test_flows_read_a_forms_fields_with_their_choices(booth: Booth) -> None:
    form = booth.form(bound("kind", "contact.category"), field("age", "number"), field("words", "paragraph"))
    with booth.scope():
        found = {one.key: one for one in form_fields(form.pk)}
        assert form_fields(999_999) == form_fields(None) == []
    assert list(found) == ["email", "first_name", "company", "topic", "consent", "news", "kind", "age"]
    assert [one.type for one in found.values()] == [
        "text",
        "text",
        "text",
        "choice",
        "bool",
        "bool",
        "choice",
        "number",
    ]
    assert found["topic"].choices == (("Mills", "Mills"), ("Races", "Races"))
    assert (str(booth.category.pk), booth.category.name) in found["kind"].choices


def test_a_rep_finds_no_forms_and_a_stranger_none_of_ours(
    booth: Booth, rory: Person, charlie: Person
) -> None:
    form = booth.form()
    for path in (
        "",
        "new/",
        f"{form.pk}/",
        f"{form.pk}/settings/",
        f"{form.pk}/actions/",
        f"{form.pk}/preview/",
    ):
        assert rory.client().get(rory.url(f"content/forms/{path}")).status_code == 404
    for path in (f"{form.pk}/", f"{form.pk}/fields/email/"):
        assert charlie.client().get(charlie.url(f"content/forms/{path}")).status_code == 404
    data = {"do": "remove", "key": "email"}
    assert charlie.client().post(charlie.url(f"content/forms/{form.pk}/"), data).status_code == 404
    assert fresh(booth, form).revision == 0


def test_another_tenants_selection_cannot_be_named(booth: Booth, globex: Tenant, wendy: Person) -> None:
    foreign = Booth(globex).fans
    form = booth.form()
    response = wendy.client().post(
        wendy.url(f"content/forms/{form.pk}/actions/"), {"add_to_selections": [foreign.pk], "revision": 0}
    )
    assert response.status_code == 422


def test_a_name_is_taken_once(booth: Booth, wendy: Person) -> None:
    booth.form()
    response = wendy.client().post(wendy.url("content/forms/new/"), {"name": "Sign-up"})
    assert response.status_code == 422
    with booth.scope():
        assert Form.objects.count() == 1
        assert not TrackedLink.objects.exists()
        create_form(name="Other", actor=None, now=NOW)
