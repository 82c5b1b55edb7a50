"""Emails in several languages: who gets which, what is saved together, what is locked, what was sent."""

from __future__ import annotations

from typing import Any

import pytest

from content.languages import variant_for
from content.models import Email, EmailVariant, EmailVersion
from content.operations.emails import Draft, EmailChanged, EmailLocked, create_email, save_email, save_texts
from content.operations.locks import lock_emails
from content.operations.variants import (
    CannotAdd,
    add_variant,
    copy_email,
    remove_variant,
    set_language,
)
from content.queries import links_of_emails
from content.queries_sent import sent_message
from core.tenancy import tenant_scope
from delivery.operations.sending import send_batch
from tests.content.conftest import mail
from tests.delivery.conftest import NOW, House
from tests.delivery.conftest import house as house
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def source(words: str, link: str = "https://example.com/") -> str:
    return mail(f'<p>{words} {{{{ contact.first_name }}}}</p><p><a href="{link}">Go</a></p>')


def draft(words: str, link: str = "https://example.com/") -> Draft:
    return Draft("Welcome", words, source(words, link))


def translated(house: House, **words: str) -> Email:
    """Make an email in English with variants."""
    with house.scope():
        email = create_email(name="Welcome", actor=None, now=NOW)
        email = save_email(email_id=email.pk, draft=draft("Hello"), revision=0, actor=None, now=NOW).email
        for language, said in words.items():
            add_variant(email_id=email.pk, language=language, revision=email.revision, actor=None, now=NOW)
            email.refresh_from_db()
            link = f"https://example.com/{language}"
            save_email(
                email_id=email.pk, draft=draft(said, link), revision=email.revision, actor=None, now=NOW,
                language=language,
            )  # fmt: skip
            email.refresh_from_db()
    return email


@pytest.mark.parametrize(
    ("language", "gets"),
    [("de", "German"), ("pt-br", "Portuguese"), ("PT-BR", "Portuguese"), ("fr", "own"), ("", "own"), (None, "own"),
     ("en", "own"), ("zh-hans", "Simplified"), ("zh-hant", "own")],
)  # fmt: skip
def test_a_language_finds_its_variant_or_that_without_its_region(language: str | None, gets: str) -> None:
    variants = {"de": "German", "pt": "Portuguese", "zh-hans": "Simplified"}
    assert variant_for(language, variants, "own") == gets


def subjects(mailbox: Mailbox) -> dict[str, str]:
    """Return the subject that each address got."""
    return {one.recipients[0].partition("@")[0]: str(one.message["Subject"]) for one in mailbox.received}


def test_everybody_gets_the_email_in_their_language(house: House, mailbox: Mailbox) -> None:
    email = translated(house, de="Hallo", pt="Olá", ar="مرحبا 🌍")
    people = {"ada": "", "dora": "de", "paulo": "pt-br", "amal": "ar", "fanny": "fr", "eve": "en"}
    contacts = [house.contact(name, language=code) for name, code in people.items()]
    ids = house.queue(*contacts, email=email)
    assert house.send().handed == 6
    assert subjects(mailbox) == {
        "ada": "Hello", "dora": "Hallo", "paulo": "Olá", "amal": "مرحبا 🌍", "fanny": "Hello", "eve": "Hello"
    }  # fmt: skip
    for one in mailbox.received:
        said = str(one.message["Subject"])
        text, page = (part.get_content() for part in one.message.iter_parts())
        assert said in text
        assert said in page
    # Each message keeps the version that it had, and its link leads where that version says.
    with house.scope():
        shown = [sent_message(contact, number) for contact, number in zip(contacts, ids, strict=True)]
        assert [one.subject for one in shown if one] == [
            "Hello",
            "Hallo",
            "Olá",
            "مرحبا 🌍",
            "Hello",
            "Hello",
        ]
        assert [one.language for one in shown if one] == ["", "German", "Portuguese", "Arabic", "", ""]
        assert [url for url, _ in links_of_emails([email.pk])[email.pk]] == [
            "https://example.com/", "https://example.com/ar", "https://example.com/de", "https://example.com/pt"
        ]  # fmt: skip


def test_what_is_sent_stays_as_it_was_when_its_variant_changes_or_goes(
    house: House, mailbox: Mailbox
) -> None:
    email = translated(house, de="Hallo")
    first, second = house.contact("Dora", language="de"), house.contact("Dirk", language="de")
    [sent_id] = house.queue(first, email=email)
    house.send()
    [waiting] = house.queue(second, email=email)
    with house.scope():
        saved = save_email(
            email_id=email.pk,
            draft=draft("Moin"),
            revision=email.revision,
            actor=None,
            now=NOW,
            language="de",
        )
        assert saved.is_saved
        remove_variant(email_id=email.pk, language="de", revision=email.revision + 1, actor=None, now=NOW)
    house.send()
    assert subjects(mailbox) == {"dora": "Hallo", "dirk": "Hello"}
    with house.scope():
        old, new = sent_message(first, sent_id), sent_message(second, waiting)
        assert old is not None
        assert new is not None
        assert (old.subject, old.language, new.subject, new.language) == ("Hallo", "German", "Hello", "")
        assert "Hallo" in old.html


def test_languages_are_saved_together_or_not_at_all(house: House) -> None:
    email = translated(house, de="Hallo")
    with house.scope():
        common: dict[str, Any] = {"email_id": email.pk, "revision": email.revision, "actor": None, "now": NOW}
        bad = Draft("Welcome", "Hallo {{ contact.shoe }}", source("Hallo"))
        saved = save_texts(drafts={"": draft("Hi"), "de": bad}, **common)
        assert not saved["de"].is_saved
        assert "shoe" in str(saved["de"].problems[0])
        email.refresh_from_db()
        assert (email.subject, email.revision) == ("Hello", common["revision"])
        saved = save_texts(drafts={"": draft("Hi"), "de": draft("Moin")}, **common)
        assert all(one.is_saved for one in saved.values())
        email.refresh_from_db()
        versions = list(
            EmailVersion.objects.order_by("-number").values_list("number", "language", "subject")[:2]
        )
        assert versions == [(email.revision, "de", "Moin"), (email.revision - 1, "", "Hi")]
        with pytest.raises(EmailChanged):
            save_texts(drafts={"de": draft("Late")}, **common)


def test_all_languages_are_locked_together(house: House) -> None:
    email = translated(house, de="Hallo")
    with house.scope():
        lock_emails(email_ids=[email.pk], flow_id=7, flow_name="Autumn", url="/x")
        common: dict[str, Any] = {"email_id": email.pk, "revision": email.revision, "actor": None, "now": NOW}
        with pytest.raises(EmailLocked):
            save_email(draft=draft("Moin"), language="de", **common)
        with pytest.raises(EmailLocked):
            add_variant(language="fr", **common)
        with pytest.raises(EmailLocked):
            remove_variant(language="de", **common)
        with pytest.raises(EmailLocked):
            set_language(language="en", **common)
        assert EmailVariant.objects.get().subject == "Hallo"


def test_a_language_begins_as_a_copy_and_comes_once(house: House) -> None:
    with house.scope():
        email = create_email(name="New", actor=None, now=NOW)
        common: dict[str, Any] = {"email_id": email.pk, "actor": None, "now": NOW}
        with pytest.raises(CannotAdd, match="Save the email without problems first"):
            add_variant(language="de", revision=0, **common)
        save_email(draft=draft("Hello"), revision=0, **common)
        # Its mails say the language from now on: that is version 2.
        set_language(language="en", revision=1, **common)
        with pytest.raises(CannotAdd, match="English already"):
            add_variant(language="en", revision=2, **common)
        variant = add_variant(language="de", revision=2, **common)
        assert (variant.subject, variant.current.subject, variant.current.number) == ("Hello", "Hello", 3)
        with pytest.raises(CannotAdd, match="German already"):
            add_variant(language="de", revision=3, **common)
        with pytest.raises(CannotAdd, match="take that away first"):
            set_language(language="de", revision=3, **common)


def test_a_copy_has_all_languages_and_uses_count_in_each(house: House) -> None:
    email = translated(house, de="Hallo", fr="Bonjour")
    with house.scope():
        set_language(email_id=email.pk, language="en", revision=email.revision, actor=None, now=NOW)
        copy = copy_email(email_id=email.pk, actor=None, now=NOW)
        assert copy.language == "en"
        variants = EmailVariant.objects.filter(email=copy).order_by("language")
        assert list(variants.values_list("language", "subject")) == [("de", "Hallo"), ("fr", "Bonjour")]
        assert set(EmailVersion.objects.filter(email=copy).values_list("language", flat=True)) == {
            "",
            "de",
            "fr",
        }


def test_a_test_of_a_variant_is_in_its_language_whoever_it_is_filled_for(
    wendy: Person, mailbox: Mailbox, house: House
) -> None:
    email = translated(house, de="Hallo")
    ada = house.contact("Ada", language="fr")
    url = wendy.url(f"content/{email.pk}/test/")
    answer = wendy.client().post(f"{url}?language=de", {"addresses": "me@post.test", "contact": ada.pk})
    assert answer.status_code == 200
    send_batch(tenant_id=wendy.tenant.pk, now=LAST_MONDAY)
    house.send(now=NOW.replace(year=2027))
    assert [str(one.message["Subject"]) for one in mailbox.received] == ["[Test] Hallo"]


def fields(email: Email, **changes: str) -> dict[str, Any]:
    """Return what the page of languages sends, unchanged but for these."""
    return {"revision": email.revision, "own-subject": "Hello", "own-preheader": "", "de-subject": "Hallo",
            "de-preheader": "", **changes}  # fmt: skip


def test_the_page_shows_the_texts_side_by_side_and_saves_them(wendy: Person, house: House) -> None:
    email = translated(house, de="Hallo")
    url = wendy.url(f"content/{email.pk}/languages/")
    page = wendy.client().get(url).content.decode()
    for words in (
        "Subject, German",
        "Subject, Default",
        "Text, German",
        "Hallo {{ contact.first_name }}",
    ):
        assert words in page
    changed = "<p>Guten Tag {{ contact.first_name }}</p>"
    data = fields(email, **{"de-subject": "Guten Tag", "de-0-0-0--text-words": changed})
    assert wendy.client().post(url, data).status_code == 302
    with house.scope():
        variant = EmailVariant.objects.select_related("current").get()
        email.refresh_from_db()
        assert (email.subject, variant.subject) == ("Hello", "Guten Tag")
        assert changed in variant.mjml
        assert "Guten Tag" in variant.current.html
    refused = wendy.client().post(url, data)
    assert refused.status_code == 409
    assert "Somebody else saved" in refused.content.decode()
    broken = fields(email, **{"de-subject": "{{ contact.shoe }}", "own-subject": "Changed"})
    refused = wendy.client().post(url, broken)
    assert refused.status_code == 422
    assert "Not saved, in no language." in refused.content.decode()
    with house.scope():
        assert Email.objects.get(pk=email.pk).subject == "Hello"


def test_the_editor_writes_one_variant(wendy: Person, house: House) -> None:
    email = translated(house, de="Hallo")
    url = wendy.url(f"content/{email.pk}/")
    page = wendy.client().get(f"{url}?language=de").content.decode()
    assert 'value="Hallo"' in page
    assert 'aria-current="page">German</a>' in page
    data = {"name": "Welcome", "subject": "Moin", "preheader": "", "mjml": source("Moin"), "text": "",
            "revision": email.revision}  # fmt: skip
    answer = wendy.client().post(f"{url}?language=de", data)
    assert answer.status_code == 302
    assert "language=de" in answer["Location"]
    preview = wendy.client().post(f"{url}preview/?language=de", data).content.decode()
    assert "Moin" in preview
    with house.scope():
        email.refresh_from_db()
        assert (email.subject, EmailVariant.objects.get().subject) == ("Hello", "Moin")
    assert wendy.client().get(f"{url}?language=fr").status_code == 404
    frame = wendy.client().get(f"{url}languages/de/")
    assert "Moin" in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]


def test_strangers_and_those_without_the_right_change_nothing(
    charlie: Person, rory: Person, wendy: Person, house: House
) -> None:
    email = translated(house, de="Hallo")
    pages = [
        f"content/{email.pk}/languages/",
        f"content/{email.pk}/?language=de",
        f"content/{email.pk}/languages/de/",
    ]
    for person, status in ((charlie, 404), (rory, 404)):
        for page in pages:
            assert person.client().get(person.url(page)).status_code == status, (person, page)
        data = {"do": "remove", "language": "de", "revision": email.revision}
        assert (
            person.client().post(person.url(f"content/{email.pk}/languages/change/"), data).status_code
            == status
        )
    with house.scope():
        assert EmailVariant.objects.count() == 1
    with tenant_scope(charlie.tenant.pk):
        assert EmailVariant.objects.count() == 0
    client = wendy.client()
    url = wendy.url(f"content/{email.pk}/languages/change/")
    assert (
        client.post(url, {"do": "add", "language": "klingon", "revision": email.revision}).status_code == 404
    )
    assert client.post(url, {"do": "remove", "language": "de", "revision": email.revision}).status_code == 302
    with house.scope():
        assert EmailVariant.objects.count() == 0
