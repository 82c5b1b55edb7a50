"""The library and the editor: who may, what is saved, what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from content.models import Email, EmailVersion, MessageLink
from content.operations.emails import Draft, create_email, save_email
from content.operations.locks import lock_emails, unlock_emails
from content.operations.test_sends import SentTests
from content.queries import email_choices, sendable_version
from core.tenancy import tenant_scope
from core.text import norm, norm_email
from crm.models import Contact, SearchWord, Usage
from delivery.models import BlockedAddress, Message
from delivery.operations.sending import send_batch
from flows.models import Flow
from flows.operations.create import create_flow
from tests.content.conftest import mail
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.smtp import Mailbox

GOOD = mail('Hello {{ contact.first_name|default("there") }} <a href="https://example.com/">Go</a>')


def scope(person: Person) -> Any:
    return tenant_scope(person.tenant.pk)


@pytest.fixture
def email(wendy: Person) -> Email:
    """An email of Acme that can be sent."""
    with scope(wendy):
        made = create_email(name="Welcome", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Welcome", "Hi {{ contact.first_name }}", GOOD)
        return save_email(email_id=made.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY).email


@pytest.fixture
def ada(wendy: Person) -> Contact:
    """A contact that can be found by name."""
    with scope(wendy):
        contact = Contact.objects.create(
            first_name="Ada", last_name="Æsøp", name_norm=norm("Ada Æsøp"), email="ada@post.test",
            email_norm=norm_email("ada@post.test"), origin="user", created_at=LAST_MONDAY, updated_at=LAST_MONDAY,
        )  # fmt: skip
        SearchWord.objects.create(word="ada", kind="contact", object_id=contact.pk)
        return contact


def fields(**changes: Any) -> dict[str, Any]:
    base = {"name": "Welcome", "subject": "Hi", "preheader": "", "mjml": GOOD, "text": "", "revision": 1}
    return {**base, **changes}


def fresh(person: Person, email: Email) -> Email:
    with scope(person):
        return Email.objects.select_related("current").get(pk=email.pk)


def test_a_writer_begins_an_email_with_a_starter(wendy: Person) -> None:
    client = wendy.client()
    response = client.post(wendy.url("content/new/"), {"name": "Autumn", "starter": "news"})
    with scope(wendy):
        email = Email.objects.get()
    assert response.status_code == 302
    assert response["Location"] == wendy.url(f"content/{email.pk}/")
    assert (email.name, email.subject, email.current_id) == ("Autumn", "{{ tenant.name }} news", None)
    assert client.get(response["Location"]).status_code == 200
    with scope(wendy):
        assert sendable_version(email.pk) is None


def test_an_email_may_begin_in_a_flow_that_one_may_see(wendy: Person, charlie: Person) -> None:
    with scope(wendy):
        flow = create_flow(name="Autumn flow", owner=wendy.user, now=LAST_MONDAY)
    url = f"content/new/?flow={flow.pk}"
    assert f'value="{flow.pk}"' in wendy.client().get(wendy.url(url)).content.decode()
    data = {"name": "In flow", "starter": "letter", "flow": flow.pk}
    page = wendy.client().post(wendy.url("content/new/"), data, follow=True).content.decode()
    assert "Autumn flow" in page
    with scope(wendy):
        assert Email.objects.get().flow_id == flow.pk
        assert [choice.name for choice in email_choices(flow.pk)] == ["In flow"]
        assert email_choices(flow.pk + 1) == []
    assert charlie.client().post(charlie.url("content/new/"), data).status_code == 404
    with scope(charlie):
        assert not Email.objects.exists()


def test_content_of_a_flow_that_one_may_not_see_does_not_exist(wendy: Person, bob: Person) -> None:
    with scope(bob):
        flow = create_flow(name="Secret flow", owner=bob.user, now=LAST_MONDAY)
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.OWNER)
        email = create_email(name="Secret email", actor=bob.user, now=LAST_MONDAY, flow_id=flow.pk)
        shared = create_email(name="Shared email", actor=bob.user, now=LAST_MONDAY)
        Usage.objects.create(
            used_kind="email",
            used_id=shared.pk,
            user_kind="flow",
            user_id=flow.pk,
            user_name="Secret flow",
            url="/x",
        )
    page = wendy.client().get(wendy.url("content/")).content.decode()
    assert "Shared email" in page
    assert "Secret" not in page
    assert wendy.client().get(wendy.url(f"content/{email.pk}/")).status_code == 404
    assert "Secret" not in wendy.client().get(wendy.url(f"content/{shared.pk}/")).content.decode()
    assert "Secret email" in bob.client().get(bob.url("content/")).content.decode()
    assert bob.client().get(bob.url(f"content/{email.pk}/")).status_code == 200


def test_saving_makes_a_version_that_never_changes(wendy: Person, email: Email) -> None:
    first = email.current_id
    response = wendy.client().post(wendy.url(f"content/{email.pk}/"), fields(subject="Newer"))
    assert response.status_code == 302
    after = fresh(wendy, email)
    assert after.revision == 2
    with scope(wendy):
        old, new = EmailVersion.objects.order_by("number")
        assert (old.pk, old.subject, new.subject) == (first, "Hi {{ contact.first_name }}", "Newer")
        assert sendable_version(email.pk) == new.pk
        assert list(MessageLink.objects.filter(version=new).values_list("number", "url", "label")) == [
            (1, "https://example.com/", "Go")
        ]
        assert AuditEntry.objects.filter(action="email.saved").count() == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"mjml": mail("{{ contact.frist_name }}")}, "There is no merge tag “contact.frist_name”"),
        ({"mjml": mail('<a href="javascript:alert(1)">x</a>')}, "A link cannot begin with “javascript:”"),
        ({"mjml": "<mjml><mj-body>"}, "is opened here but never closed"),
        ({"subject": ""}, "Write a subject"),
    ],
)
def test_with_a_problem_nothing_is_saved_and_the_text_stays(
    wendy: Person, email: Email, change: dict[str, Any], problem: str
) -> None:
    response = wendy.client().post(wendy.url(f"content/{email.pk}/"), fields(name="Renamed", **change))
    page = response.content.decode()
    assert response.status_code == 422
    assert problem in page
    assert 'value="Renamed"' in page
    after = fresh(wendy, email)
    assert (after.revision, after.current_id, after.name) == (1, email.current_id, "Welcome")


def test_the_second_of_two_writers_is_told(wendy: Person, bob: Person, email: Email) -> None:
    wendy.client().post(wendy.url(f"content/{email.pk}/"), fields(subject="Wendy's"))
    response = bob.client().post(bob.url(f"content/{email.pk}/"), fields(subject="Bob's"))
    assert response.status_code == 409
    assert "Somebody else saved this email" in response.content.decode()
    assert "Bob&#x27;s" in response.content.decode()
    assert fresh(wendy, email).subject == "Wendy's"


def test_an_email_of_a_running_flow_is_locked(wendy: Person, bob: Person, email: Email) -> None:
    with scope(wendy):
        lock_emails(flow_id=7, flow_name="Autumn", email_ids=[email.pk, 999_999], url="/t/acme/flows/7/")
    page = wendy.client().get(wendy.url(f"content/{email.pk}/")).content.decode()
    assert "locked while" in page
    assert ">Save<" not in page
    # What a browser sends of a form whose fields are switched off.
    seen = wendy.client().post(wendy.url(f"content/{email.pk}/preview/"), {"contact": ""}).content.decode()
    assert "This field is required" not in seen
    assert "<iframe" in seen
    assert wendy.client().post(wendy.url(f"content/{email.pk}/"), fields(subject="X")).status_code == 409
    bob.client().post(bob.url(f"content/{email.pk}/delete/"))
    after = fresh(wendy, email)
    assert (after.revision, after.deleted_at) == (1, None)
    with scope(wendy):
        unlock_emails(flow_id=7)
    assert wendy.client().post(wendy.url(f"content/{email.pk}/"), fields(subject="X")).status_code == 302


def test_only_a_flow_administrator_deletes_and_only_what_nothing_uses(
    wendy: Person, bob: Person, email: Email
) -> None:
    assert wendy.client().post(wendy.url(f"content/{email.pk}/delete/")).status_code == 404
    assert "Delete" not in wendy.client().get(wendy.url("content/")).content.decode()
    with scope(wendy):
        use = Usage.objects.create(
            used_kind="email",
            used_id=email.pk,
            user_kind="flow",
            user_id=7,
            user_name="Autumn",
            url="/t/acme/flows/7/",
        )
    bob.client().post(bob.url(f"content/{email.pk}/delete/"))
    assert fresh(bob, email).deleted_at is None
    assert "Autumn" in bob.client().get(bob.url("content/")).content.decode()
    with scope(wendy):
        use.delete()
    bob.client().post(bob.url(f"content/{email.pk}/delete/"))
    assert fresh(bob, email).deleted_at is not None
    assert bob.client().get(bob.url(f"content/{email.pk}/")).status_code == 404
    with scope(wendy):
        assert EmailVersion.objects.filter(email=email).exists()
        assert email_choices() == []


def test_a_copy_of_what_can_be_sent_can_be_sent(wendy: Person, email: Email) -> None:
    wendy.client().post(wendy.url(f"content/{email.pk}/copy/"))
    with scope(wendy):
        copy = Email.objects.exclude(pk=email.pk).get()
        assert copy.name == "Welcome (copy)"
        assert copy.current_id not in {None, email.current_id}


def test_the_library_is_searched_by_name_and_subject(wendy: Person, email: Email) -> None:
    client = wendy.client()
    assert "Welcome" in client.get(wendy.url("content/"), {"q": "WELC"}).content.decode()
    assert "Welcome" in client.get(wendy.url("content/"), {"q": "first_name"}).content.decode()
    assert "No email matches" in client.get(wendy.url("content/"), {"q": "zzz"}).content.decode()


# --- preview and test ---------------------------------------------------------------------------------------------


def test_a_preview_shows_the_draft_as_a_contact_and_saves_nothing(
    wendy: Person, email: Email, ada: Contact
) -> None:
    client = wendy.client()
    draft = fields(subject="Draft for {{ contact.name }}", contact=ada.pk)
    page = client.post(wendy.url(f"content/{email.pk}/preview/"), draft).content.decode()
    assert "Draft for Ada Æsøp" in page
    assert "of 102" in page
    assert "Go: https://example.com/" in page
    [address] = re.findall(r'src="([^"]+)"', page)
    framed = client.get(address)
    assert "Hello Ada" in framed.content.decode()
    assert "default-src 'none'" in framed["Content-Security-Policy"]
    assert framed["Content-Security-Policy"].endswith("frame-ancestors 'self'; sandbox")
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    assert fresh(wendy, email).subject == "Hi {{ contact.first_name }}"


def test_a_preview_belongs_to_who_made_it(wendy: Person, bob: Person, charlie: Person, email: Email) -> None:
    page = wendy.client().post(wendy.url(f"content/{email.pk}/preview/"), fields()).content.decode()
    [address] = re.findall(r'src="([^"]+)"', page)
    assert bob.client().get(address).status_code == 404
    assert charlie.client().get(address).status_code == 404


def test_a_preview_of_a_broken_draft_lists_its_problems(wendy: Person, email: Email) -> None:
    page = wendy.client().post(
        wendy.url(f"content/{email.pk}/preview/"), fields(mjml=mail("{{ nope }}"), subject="{{ x }}")
    )
    assert page.status_code == 200
    assert "2 to mend" in page.content.decode()
    assert 'data-line="2"' in page.content.decode()


def test_contacts_to_preview_as_are_found_by_name(wendy: Person, ada: Contact) -> None:
    client = wendy.client()
    assert "Ada Æsøp" in client.get(wendy.url("content/people/"), {"who": "ad"}).content.decode()
    assert "No contact found" in client.get(wendy.url("content/people/"), {"who": "zz"}).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_test_goes_the_same_way_out_and_counts_nowhere(
    wendy: Person, email: Email, ada: Contact, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr("content.views.editor.wake_delivery", woken.append)
    client = wendy.client()
    url = wendy.url(f"content/{email.pk}/test/")
    assert client.post(url, {"addresses": "wendy@post.test, not an address"}).status_code == 422
    assert woken == []
    response = client.post(url, {"addresses": "wendy@post.test; b@post.test", "contact": ada.pk})
    assert response.status_code == 200
    assert woken == [wendy.tenant.pk]
    asks_again = f'hx-get="{wendy.url(f"content/{email.pk}/tests/")}"'
    assert asks_again in response.content.decode()
    send_batch(tenant_id=wendy.tenant.pk)
    assert [received.recipients for received in mailbox.received] == [["wendy@post.test"], ["b@post.test"]]
    message = mailbox.received[0].message
    assert message["Subject"] == "[Test] Hi Ada"
    click = re.findall(r"/m/c/[\w-]+/1", mailbox.received[0].raw.decode() + _html(message))[0]
    assert Client().get(click, headers={"user-agent": "Mozilla/5.0 (X11; Linux)"}).status_code == 302
    with scope(wendy):
        row = Message.objects.order_by("id").first()
        assert row is not None
        assert (row.is_test, row.status, row.first_clicked_at) == (True, "sent", None)
    page = client.get(wendy.url(f"content/{email.pk}/tests/")).content.decode()
    assert "Sent" in page
    assert asks_again not in page


@pytest.mark.parametrize(
    ("states", "under_way"), [("sent queued", True), ("sending", True), ("sent failed", False)]
)
def test_the_list_of_tests_asks_again_while_any_of_them_is_under_way(states: str, under_way: bool) -> None:
    # Newest first: of several addresses, the last may be served before the others.
    assert SentTests(Message(status=status) for status in states.split()).are_under_way is under_way


def _html(message: Any) -> str:
    return str(message.get_body(("html",)).get_content())


# --- strangers ----------------------------------------------------------------------------------------------------

PATHS = ["", "new/", "people/", "{}/", "blocked-addresses/"]
POSTS = ["new/", "{}/", "{}/preview/", "{}/test/", "{}/copy/", "{}/delete/"]


def test_a_rep_finds_no_content(rory: Person, email: Email) -> None:
    client = rory.client()
    for path in PATHS:
        assert client.get(rory.url("content/" + path.format(email.pk))).status_code == 404
    for path in POSTS:
        response = client.post(rory.url("content/" + path.format(email.pk)), fields(subject="Rory's"))
        assert response.status_code == 404
    after = fresh(rory, email)
    assert (after.revision, after.deleted_at) == (1, None)


def test_another_tenants_email_does_not_exist(charlie: Person, wendy: Person, email: Email) -> None:
    client = charlie.client()
    for path in POSTS[1:]:
        assert client.post(charlie.url("content/" + path.format(email.pk)), fields()).status_code == 404
        assert client.post(wendy.url("content/" + path.format(email.pk)), fields()).status_code == 404
    assert client.get(charlie.url(f"content/{email.pk}/")).status_code == 404
    assert "Welcome" not in client.get(charlie.url("content/")).content.decode()
    assert fresh(wendy, email).revision == 1


def test_a_contact_of_another_tenant_cannot_be_previewed_as(charlie: Person, ada: Contact) -> None:
    with scope(charlie):
        own = create_email(name="Own", actor=charlie.user, now=LAST_MONDAY)
    page = charlie.client().post(
        charlie.url(f"content/{own.pk}/preview/"), fields(subject="For [{{ contact.name }}]", contact=ada.pk)
    )
    assert "For []" in page.content.decode()


# --- blocked addresses --------------------------------------------------------------------------------------------


def test_an_address_is_blocked_and_unblocked_by_hand(bob: Person, wendy: Person) -> None:
    client = bob.client()
    page = bob.url("content/blocked-addresses/")
    assert client.post(page + "block/", {"address": "Angry@Post.test", "note": "rang us"}).status_code == 302
    assert client.post(page + "block/", {"address": "angry@post.test"}).status_code == 422
    assert client.post(page + "block/", {"address": "no address"}).status_code == 422
    with scope(bob):
        blocked = BlockedAddress.objects.get()
    assert (blocked.address_norm, blocked.reason, blocked.detail) == ("angry@post.test", "by_user", "rang us")
    assert "angry@post.test" in wendy.client().get(page).content.decode()
    assert wendy.client().post(f"{page}{blocked.pk}/unblock/").status_code == 404
    assert client.post(f"{page}{blocked.pk}/unblock/").status_code == 302
    assert client.post(f"{page}{blocked.pk}/unblock/").status_code == 404
    with scope(bob):
        assert not BlockedAddress.objects.exists()
        actions = (
            AuditEntry.objects.filter(object_kind="address").order_by("id").values_list("action", flat=True)
        )
        assert list(actions) == ["address.blocked", "address.unblocked"]


def test_the_export_runs_no_formula(alice: Person) -> None:
    with scope(alice):
        BlockedAddress.objects.create(
            address_norm="a@post.test", reason="hard_bounce", detail="=cmd|' /C calc'!A0", at=LAST_MONDAY
        )
    response = alice.client().get(alice.url("content/blocked-addresses/export/"))
    text = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=cmd" in text


def test_each_starter_is_shown_in_the_tenants_brand(wendy: Person, rory: Person) -> None:
    page = wendy.client().get(wendy.url("content/new/")).content.decode()
    assert f'src="{wendy.url("content/new/offer/")}"' in page
    answer = wendy.client().get(wendy.url("content/new/offer/"))
    assert answer.status_code == 200
    assert "Twenty per cent off until Sunday" in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert wendy.client().get(wendy.url("content/new/nothing/")).status_code == 404
    assert rory.client().get(rory.url("content/new/offer/")).status_code == 404
