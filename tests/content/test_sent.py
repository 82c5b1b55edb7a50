"""A message as it was sent: its own version and the values of then, for who may see the contact."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import mrml
import pytest
from django.conf import settings

from content.kept_values import KEY, kept, restored
from content.models import Email
from content.operations.emails import Draft, save_email
from crm.models import Contact
from crm.operations.erase import erase_contact
from delivery.channels.base import Envelope, HandOver, Outcome
from delivery.models import Message
from delivery.operations.sending import send_batch
from tests.delivery.conftest import House
from tests.delivery.conftest import house as house
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)

MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Born {{ contact.date_of_birth|date('j F Y') }}, "
    "{{ contact.first_name }} at {{ company.name|default('home') }}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
BIRTH = dt.date(1815, 12, 10)


@pytest.fixture
def sent(house: House, mailbox: Mailbox) -> tuple[Contact, int]:
    """A mail to Ada that went out; since then she, the email and its version have changed."""
    email = house.write(mjml=MJML, subject="Hello {{ contact.first_name }}")
    contact = house.contact("Ada", date_of_birth=BIRTH, job_title="Countess")
    [message_id] = house.queue(contact, email=email)
    house.send()
    part = mailbox.received[0].message.get_body(("html",))
    assert part is not None
    assert "Born 10 December 1815, Ada at home" in part.get_content()
    with house.scope():
        Contact.objects.filter(pk=contact.pk).update(first_name="Augusta", date_of_birth=None)
        draft = Draft(name="Renamed", subject="New subject", mjml=MJML.replace("Born", "Changed"))
        assert save_email(email_id=email.pk, draft=draft, revision=1, actor=None, now=house.now).is_saved
    return contact, message_id


def pages(person: Person, contact: Contact, message_id: int) -> tuple[int, str, str]:
    """Return the page's status and text, and the mail in its frame."""
    url = person.url(f"content/messages/{contact.pk}/{message_id}/")
    page, frame = person.client().get(url), person.client().get(f"{url}mail/")
    return page.status_code, page.content.decode(), frame.content.decode()


def test_it_is_shown_with_the_version_and_the_values_of_then(
    sent: tuple[Contact, int], alice: Person, rory: Person
) -> None:
    for person in (alice, rory):
        status, page, mail = pages(person, *sent)
        assert status == 200
        assert "Hello Ada" in page
        assert "version 1" in page
        assert "ada@post.test" in page
        assert "The values of that day" not in page
        assert "Born 10 December 1815, Ada at home" in mail


def test_it_runs_nothing_and_leads_nowhere(sent: tuple[Contact, int], alice: Person) -> None:
    answer = alice.client().get(alice.url(f"content/messages/{sent[0].pk}/{sent[1]}/mail/"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    body = answer.content.decode()
    assert "/m/c/" not in body
    assert "/m/u/" not in body
    with_page = alice.client().get(alice.url(f"content/messages/{sent[0].pk}/{sent[1]}/")).content.decode()
    assert re.search(r"<iframe[^>]* sandbox ", with_page)


def test_only_what_the_email_names_is_kept(sent: tuple[Contact, int], house: House) -> None:
    with house.scope():
        values = Message.objects.get(pk=sent[1]).values[KEY]
    assert values["contact"] == {"first_name": "Ada", "date_of_birth": {"$date": "1815-12-10"}}
    assert "Countess" not in str(values)


def test_what_has_not_gone_is_shown_as_it_would_look_now(
    house: House, alice: Person, mailbox: Mailbox
) -> None:
    contact = house.contact("Ada")
    [message_id] = house.queue(contact)
    status, page, mail = pages(alice, contact, message_id)
    assert (status, "It has not gone out" in page, "Hello Ada" in mail) == (200, True, True)


def test_another_contacts_message_and_tests_are_not_found(
    house: House, alice: Person, charlie: Person, mailbox: Mailbox
) -> None:
    ada, bo = house.contact("Ada"), house.contact("Bo")
    [message_id] = house.queue(ada)
    [test_id] = house.queue(ada, is_test=True)
    assert pages(alice, bo, message_id)[0] == 404
    assert pages(alice, ada, test_id)[0] == 404
    assert pages(alice, ada, 10**12)[0] == 404
    assert charlie.client().get(charlie.url(f"content/messages/{ada.pk}/{message_id}/")).status_code == 404
    assert pages(alice, ada, message_id)[0] == 200


def test_the_timeline_leads_to_it(sent: tuple[Contact, int], alice: Person) -> None:
    page = alice.client().get(alice.url(f"contacts/{sent[0].pk}/timeline/")).content.decode()
    assert f"content/messages/{sent[0].pk}/{sent[1]}/" in page


def test_a_person_erased_while_the_message_is_in_the_air_leaves_no_trace(house: House, alice: Person) -> None:
    contact = house.contact("Ada")
    [message_id] = house.queue(contact)

    class Erasing:
        """A channel during whose hand-over the person is erased."""

        def hand_over(self, envelope: Envelope) -> HandOver:
            with house.scope():
                erase_contact(contact_id=contact.pk, actor=alice.user, now=house.now)
            return HandOver(Outcome.SENT, "250 ok ada@post.test")

        def close(self) -> None:
            """Nothing is open."""

    send_batch(tenant_id=house.tenant.pk, channel=Erasing(), now=house.now)
    message = house.message(message_id)
    assert (message.status, message.to_address, message.values, message.error) == ("sent", "", {}, "")
    with house.scope():
        from crm.models import Event

        assert "Ada" not in str(
            list(Event.objects.filter(contact_id=contact.pk).values_list("data", flat=True))
        )


def test_kept_values_come_back_as_they_were() -> None:
    context = {
        "contact": {
            "born": BIRTH,
            "custom": {"size": Decimal("4.50")},
            "interests": ["A", "B"],
            "empty": None,
        },
        "event": {"secret": 1},
    }
    paths = [
        "contact.born",
        "contact.custom.size",
        "contact.interests",
        "contact.empty",
        "contact.gone.deeper",
    ]
    assert restored(kept(context, paths)) == {
        "contact": {"born": BIRTH, "custom": {"size": Decimal("4.50")}, "interests": ["A", "B"]}
    }


NETWORKS = (
    "facebook", "twitter", "x", "google", "pinterest", "linkedin", "instagram", "web", "snapchat", "youtube", "tumblr",
    "github", "xing", "vimeo", "medium", "soundcloud", "dribbble",
)  # fmt: skip


def test_every_icon_of_mj_social_is_a_file_of_ours(house: House) -> None:
    elements = "".join(
        f'<mj-social-element name="{name}-noshare" href="https://x.test/">X</mj-social-element>'
        for name in NETWORKS
    )
    column = f"<mj-column><mj-social>{elements}</mj-social></mj-column>"
    body = f"<mjml><mj-body><mj-section>{column}</mj-section></mj-body></mjml>"
    html = mrml.to_html(body, mrml.ParserOptions(), mrml.RenderOptions(social_icon_origin="ours/")).content
    files = re.findall(r'src="ours/([\w-]+\.png)"', html)
    assert len(files) == len(NETWORKS)
    for name in files:
        icon = settings.BASE_DIR / "build" / "mail" / name
        assert icon.read_bytes().startswith(b"\x89PNG"), name
    email: Email = house.write(mjml=body)
    with house.scope():
        version = Email.objects.select_related("current").get(pk=email.pk).current
        assert version is not None
        assert f"{settings.PUBLIC_URL}/static/mail/facebook.png" in version.html
