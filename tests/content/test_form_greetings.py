"""A form that is opened from a message: whom it greets, and whom it does not."""

from __future__ import annotations

import datetime as dt
import re

import time_machine
from django.test import Client

from accounts.models import Tenant
from content.forms.page import form_url, make_prefill
from content.models import Form
from content.operations.links import LinkDraft, create_link
from crm.models import Contact
from delivery.models import Message
from delivery.tokens import MessageRef
from tests.content.forms import NOW, PHONE, Booth, Visitor, bound
from tests.content.test_public_forms import booth as booth
from tests.content.test_public_forms import clock as clock
from tests.support.smtp import Mailbox

Traveller = time_machine.Traveller


def _mailed(booth: Booth, mailbox: Mailbox, form: Form, contact: Contact) -> str:
    """Send a mail with a registered link to the form; return the path of the click."""
    with booth.scope():
        create_link(draft=LinkDraft(name="Form", url=form_url(form)), actor=None, now=NOW)
    mjml = (
        "<mjml><mj-body><mj-section><mj-column><mj-button href='{{ links.form }}'>Go</mj-button>"
        "</mj-column></mj-section></mj-body></mjml>"
    )
    booth.queue(contact, email=booth.write(mjml=mjml))
    booth.send()
    html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    return str(re.findall(r"http://127.0.0.1:8000(/m/c/[^\"]+/1)\"", html)[0])


def test_a_form_opened_from_a_message_knows_whom_it_greets(
    booth: Booth, clock: Traveller, mailbox: Mailbox
) -> None:
    form = booth.form(bound("job", "contact.job_title"))
    ada = booth.contact("Ada", job_title="Miller <b>", last_name="Secret")
    click = _mailed(booth, mailbox, form, ada)
    location = Client().get(click, headers=PHONE)["Location"]
    assert location.startswith("http://127.0.0.1:8000/f/")
    path, query = location.removeprefix("http://127.0.0.1:8000").split("?")
    visitor = Visitor(path, clock, query=f"?{query}")
    page = visitor.page.content.decode()
    assert 'value="ada@post.test"' in page
    assert 'value="Miller &lt;b&gt;"' in page
    assert "Secret" not in page
    visitor.send(email="ada@post.test", first_name="Ada")
    [sent] = booth.submissions()
    with booth.scope():
        message = Message.objects.get()
    assert (sent.message_id, sent.message_day, sent.contact_id) == (message.pk, message.enrolled_on, ada.pk)
    # The bare address, as anyone may have it, knows nobody.
    assert "ada@post.test" not in Client().get(path).content.decode()
    clock.shift(dt.timedelta(hours=2))
    assert "ada@post.test" not in Client().get(f"{path}?{query}").content.decode()


def test_a_machine_is_not_greeted(booth: Booth, mailbox: Mailbox) -> None:
    click = _mailed(booth, mailbox, booth.form(), booth.contact("Ada"))
    assert "?" not in Client().get(click, headers={"user-agent": "scanner"})["Location"]


def test_a_greeting_of_another_form_or_tenant_is_ignored(
    booth: Booth, globex: Tenant, mailbox: Mailbox
) -> None:
    form = booth.form()
    ada = booth.contact("Ada")
    [message_id] = booth.queue(ada)
    ref = MessageRef(booth.tenant.pk, NOW.date(), message_id)
    other = MessageRef(globex.pk, NOW.date(), message_id)
    for token in (make_prefill(form.pk + 1, ref), make_prefill(form.pk, other), "forged", "%00"):
        assert "ada@post.test" not in Client().get(f"{booth.path(form)}?p={token}").content.decode()
    assert (
        "ada@post.test" in Client().get(f"{booth.path(form)}?p={make_prefill(form.pk, ref)}").content.decode()
    )


def test_a_form_may_say_that_it_greets_nobody(booth: Booth) -> None:
    form = booth.form(prefill=False)
    [message_id] = booth.queue(booth.contact("Ada"))
    token = make_prefill(form.pk, MessageRef(booth.tenant.pk, NOW.date(), message_id))
    assert "ada@post.test" not in Client().get(f"{booth.path(form)}?p={token}").content.decode()
