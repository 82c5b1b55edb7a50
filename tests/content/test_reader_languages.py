"""What recipients see is in their language: preferences, unsubscribing, forms, confirmations, footers."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from time_machine import Traveller

from accounts.models import Tenant
from content.compile import Source, compile_email
from content.direction import mirrored
from content.forms.document import FormDocument
from content.forms.page import make_prefill
from content.forms.words import kept_words, words_in
from content.models import EmailVariant
from content.operations.variants import add_variant, set_language
from content.tree import tag_tree
from delivery.rendering import message_links
from delivery.tokens import MessageRef
from tests.content.forms import LATER, NOW, PHONE, Booth, Visitor, bound, field
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

LINK = "http://127.0.0.1:8000"
WHERE = re.compile(r'<html lang="([^"]*)" dir="([^"]*)"')


@pytest.fixture
def booth(acme: Tenant) -> Booth:
    """Acme's booth."""
    return Booth(acme)


@pytest.fixture
def clock() -> Iterator[Traveller]:
    """Let the real clock say what the tests pass elsewhere."""
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


def said(response: Any) -> tuple[str, str, str]:
    """Return language and direction of a page, and all of it."""
    page = response.content.decode()
    found = WHERE.search(page)
    assert found is not None
    return found[1], found[2], page


def links_of(booth: Booth, **contact: Any) -> Any:
    """Send a mail to somebody and return its links."""
    [message_id] = booth.queue(booth.contact(**contact))
    booth.send()
    return message_links(MessageRef(booth.tenant.pk, NOW.date(), message_id), NOW.date())


@pytest.mark.parametrize(
    ("language", "spoken", "direction", "heading", "stop"),
    [
        ("de", "de", "ltr", "Was möchten Sie bekommen?", "Alle Werbe-E-Mails abbestellen"),
        ("no", "nb", "ltr", "Hva vil du gjerne få?", "Stopp all reklame på e-post"),
        ("ar", "ar", "rtl", "ما الذي تودّ استلامه؟", "إيقاف جميع الرسائل التسويقية"),
        ("fi", "en", "ltr", "What would you like to get?", "Stop all marketing email"),
    ],
)
def test_preferences_and_unsubscribing_speak_the_contacts_language(
    booth: Booth, mailbox: Mailbox, clock: Traveller, language: str, spoken: str, direction: str, heading: str,
    stop: str,
) -> None:  # fmt: skip
    links = links_of(booth, language=language)
    code, side, page = said(Client().get(links.preferences.removeprefix(LINK)))
    assert (code, side) == (spoken, direction)
    assert heading in page
    assert stop in page
    code, side, page = said(Client().get(links.unsubscribe.removeprefix(LINK)))
    assert (code, side) == (spoken, direction)
    assert stop in page


def test_without_a_language_of_the_contact_the_tenants_counts_and_then_the_browsers(
    booth: Booth, mailbox: Mailbox, clock: Traveller
) -> None:
    address = links_of(booth).preferences.removeprefix(LINK)
    swedish = {"accept-language": "sv,en;q=0.5"}
    assert said(Client().get(address, headers=swedish))[0] == "en"
    Tenant.objects.filter(pk=booth.tenant.pk).update(language="fr")
    assert said(Client().get(address, headers=swedish))[0] == "fr"
    Tenant.objects.filter(pk=booth.tenant.pk).update(language="fi")
    assert said(Client().get(address, headers=swedish))[0] == "sv"
    code, _, page = said(Client().get("/m/p/forged", headers=swedish))
    assert (code, "Sidan hittades inte" in page) == ("sv", True)


def test_a_form_speaks_its_own_language_with_errors_choices_and_what_nobody_rewrote(
    booth: Booth, clock: Traveller
) -> None:
    more = bound("country", "contact.country"), field("cv", "file"), field("later", "page"), field("note")
    form = booth.form(*more, language="de", heading="Anmeldung")
    visitor = Visitor(booth.path(form), clock, query="?in=fr")
    code, _, page = said(visitor.page)
    assert code == "de"
    for words in (
        ">Senden</button>", 'data-next="Weiter"', 'data-close="Schließen"', "(freiwillig)", ">Österreich<",
        "Seite 1 von 2", "höchstens 5 MB",
    ):  # fmt: skip
        assert words in page, words
    code, _, page = said(visitor.send(email="niemand"))
    assert code == "de"
    assert "Etwas fehlt oder stimmt nicht." in page
    assert "Das ist keine E-Mail-Adresse." in page
    assert visitor.send(email="ada@post.test")["Location"] == f"{visitor.path}thanks/"
    thanks = said(Client().get(f"{visitor.path}thanks/"))[2]
    assert "<h1>Vielen Dank</h1>" in thanks
    assert "Wir haben Ihre Antworten erhalten." in thanks


def test_what_the_writer_wrote_stays_and_a_language_without_our_texts_is_marked(
    booth: Booth, clock: Traveller
) -> None:
    form = booth.form(language="fi", button="Lähetä", thanks_heading="Kiitos", thanks_text="")
    visitor = Visitor(booth.path(form), clock)
    code, side, page = said(visitor.send(email=""))
    assert (code, side) == ("fi", "ltr")
    assert 'role="alert" lang="en" dir="auto">Something is missing' in page
    assert ">Lähetä</button>" in page
    thanks = said(Client().get(f"{visitor.path}thanks/"))[2]
    assert "<h1>Kiitos</h1>" in thanks
    assert "We have got your answers" not in thanks


def test_a_form_without_a_language_follows_whom_a_message_led_there_to_the_end(
    booth: Booth, mailbox: Mailbox, clock: Traveller
) -> None:
    form = booth.form()
    ada = booth.contact(language="nl")
    [message_id] = booth.queue(ada)
    with booth.scope():
        token = make_prefill(form.pk, MessageRef(booth.tenant.pk, NOW.date(), message_id))
    visitor = Visitor(booth.path(form), clock, query=f"?p={token}")
    assert said(visitor.page)[0] == "nl"
    assert "Dit is geen e-mailadres." in said(visitor.send(email="niemand"))[2]
    onward = visitor.send(email="ada@post.test")["Location"]
    assert onward == f"{visitor.path}thanks/?in=nl"
    code, _, page = said(Client().get(onward))
    assert (code, "<h1>Bedankt</h1>" in page) == ("nl", True)
    assert said(Client().get(visitor.path, headers=PHONE))[0] == "en"
    assert said(Client().get(f"{visitor.path}thanks/?in=<script>"))[0] == "en"


def test_the_mail_and_the_page_of_a_double_opt_in_speak_the_forms_language(
    booth: Booth, mailbox: Mailbox, clock: Traveller
) -> None:
    form = booth.form(language="ar", double_opt_in=True)
    visitor = Visitor(booth.path(form), clock)
    code, side, page = said(Client().get(visitor.send(email="ada@post.test")["Location"]))
    assert (code, side) == ("ar", "rtl")
    assert "خلال 30 دقيقة" in page
    booth.send(now=LATER + dt.timedelta(minutes=1))
    mail = mailbox.received[-1].message
    assert mail["Subject"] == "يُرجى التأكيد"
    html = mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert 'dir="rtl"' in html
    assert "تأكيد" in html
    [address] = set(re.findall(rf"{LINK}(/f/confirm/[^\"]+)", html))
    code, side, page = said(Client().get(address))
    assert (code, side) == ("ar", "rtl")
    assert '<button class="btn btn-primary">تأكيد</button>' in page


def test_the_settings_show_our_words_in_the_forms_language_and_keep_them_ours() -> None:
    document = FormDocument(language="de", inactive_text="Zu.")
    words = words_in(document, tenant_language="en")
    assert (words.button, words.inactive_text) == ("Senden", "Zu.")
    shown = {"button": "Senden", "thanks_heading": "Danke!", "inactive_text": "Zu.", "language": "fr"}
    kept = kept_words(shown, document, tenant_language="en")
    assert kept == {"button": "Send", "thanks_heading": "Danke!", "inactive_text": "Zu.", "language": "fr"}
    assert words_in(FormDocument(**kept), tenant_language="en").button == "Envoyer"


FOOTER = '<mj-text><a href="{{{{ links.unsubscribe }}}}">{word}</a></mj-text>'


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("sv", "Unsubscribe", "Avregistrera dig"),
        ("sv", "Hej då", "Hej då"),
        ("", "Unsubscribe", "Unsubscribe"),
    ],
)
def test_a_footer_that_nobody_rewrote_speaks_the_language_of_the_mail(
    language: str, word: str, expected: str
) -> None:
    body = f"<mj-section><mj-column>{FOOTER.format(word=word)}</mj-column></mj-section>"
    source = Source("Nytt", f"<mjml><mj-body>{body}</mj-body></mjml>", language=language)
    compiled = compile_email(source, tree=tag_tree([])).compiled
    assert compiled is not None
    assert f">{expected}</a>" in compiled.html


def test_our_own_footer_is_read_from_either_side_line_by_line() -> None:
    mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>مرحبا</mj-text></mj-column></mj-section></mj-body></mjml>"
    source = Source("خبر", mjml, own_text="مرحبا", language="ar")
    compiled = compile_email(source, tree=tag_tree([])).compiled
    assert compiled is not None
    assert ">إلغاء الاشتراك</a>" in compiled.html
    assert re.search(
        r'<span dir="auto" style="white-space:\s*pre-line;\s*unicode-bidi:\s*plaintext"', compiled.html
    )
    assert "\nإلغاء الاشتراك: {{ links.unsubscribe }}" in compiled.text


def test_a_layout_turns_with_the_direction_of_its_language_and_back(booth: Booth, wendy: Person) -> None:
    mjml = (
        '<mjml><mj-body><mj-section><mj-column><mj-button align="left" href="https://a.test/">{{ contact.first_name }}'
        '</mj-button><mj-text align="center">align="left"</mj-text></mj-column></mj-section></mj-body></mjml>'
    )
    assert mirrored(mirrored(mjml)) == mjml
    email = booth.write(mjml=mjml, subject="x")
    with booth.scope():
        for language in ("ar", "de"):
            email.refresh_from_db()
            add_variant(email_id=email.pk, language=language, revision=email.revision, actor=None, now=LATER)
        turned = dict(EmailVariant.objects.filter(email=email).values_list("language", "mjml"))
        assert 'mj-button align="right"' in turned["ar"]
        assert 'mj-text align="center">align="left"<' in turned["ar"]
        assert turned["de"] == email.mjml
        email.refresh_from_db()
        set_language(email_id=email.pk, language="he", revision=email.revision, actor=None, now=LATER)
        email.refresh_from_db()
        assert 'mj-button align="right"' in email.mjml
        set_language(
            email_id=email.pk,
            language="en",
            revision=email.revision,
            actor=None,
            now=LATER + dt.timedelta(hours=1),
        )
        email.refresh_from_db()
        assert 'mj-button align="left"' in email.mjml
