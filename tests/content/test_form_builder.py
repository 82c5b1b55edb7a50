"""The form builder: what each operation makes of the form, what is refused, and pages of a public form."""

from __future__ import annotations

import re

import pytest

from content.forms.document import KINDS, FieldKind, FormDocument
from content.forms.editing import IllegalEdit, add_field, copy_field, place_field
from content.models import Form
from content.operations.forms import document_of
from crm.models import Usage
from tests.content.forms import Booth, Visitor, bound, field
from tests.content.test_images import drawn, keep
from tests.content.test_public_forms import booth as booth
from tests.content.test_public_forms import clock as clock
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"hx-request": "true"}


def keys(booth: Booth) -> list[str]:
    with booth.scope():
        return [one.key for one in document_of(Form.objects.get()).fields]


def test_fields_go_to_their_place_and_copies_behind_their_original() -> None:
    document = FormDocument(fields=(field("a"), field("b"), field("c")))

    def after(key: str, at: int | None) -> list[str]:
        return [one.key for one in place_field(document, key=key, at=at).fields]

    assert after("a", 1) == ["b", "a", "c"]
    assert after("c", 0) == ["c", "a", "b"]
    assert after("a", 99) == after("a", None) == ["b", "c", "a"]
    copied, key = copy_field(document, key="b")
    assert ([one.key for one in copied.fields], key) == (["a", "b", "b_2", "c"], "b_2")
    made, key = add_field(document, kind="date", at=1)
    assert ([one.key for one in made.fields], key) == (["a", "date", "b", "c"], "date")
    with pytest.raises(IllegalEdit):
        copy_field(FormDocument(fields=(bound("email", "contact.email"),)), key="email")


def test_each_operation_answers_with_the_builder_and_is_saved(booth: Booth, wendy: Person) -> None:
    form = booth.form(fields=booth.fields()[:2])
    url, client = wendy.url(f"content/forms/{form.pk}/"), wendy.client()
    answer = client.post(url, {"do": "add", "kind": "dropdown", "at": "1", "revision": 0}, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Replace-Url"] == f"{url}fields/dropdown/"
    assert "<html" not in answer.content.decode()
    assert keys(booth) == ["email", "dropdown", "first_name"]
    client.post(url, {"do": "place", "key": "dropdown", "at": "0", "revision": 1}, headers=HTMX)
    client.post(url, {"do": "copy", "key": "dropdown", "revision": 2}, headers=HTMX)
    assert keys(booth) == ["dropdown", "dropdown_2", "email", "first_name"]
    client.post(url, {"do": "add", "bound": "contact.job_title", "revision": 3}, headers=HTMX)
    assert keys(booth)[-1] == "job_title"
    late = client.post(url, {"do": "remove", "key": "job_title", "revision": 1}, headers=HTMX)
    assert late.status_code == 422
    assert keys(booth)[-1] == "job_title"
    # The form is open: its address cannot go.
    refused = client.post(url, {"do": "remove", "key": "email", "revision": 4}, headers=HTMX)
    assert refused.status_code == 422
    assert "Email address" in refused.content.decode()
    assert "email" in keys(booth)


def test_what_is_typed_is_shown_before_it_is_saved(booth: Booth, wendy: Person) -> None:
    form = booth.form()
    url = wendy.url(f"content/forms/{form.pk}/fields/topic/")
    data = {"label": "Which <mill>?", "options": "Wind\nWater", "preview": "1", "revision": 0}
    shown = wendy.client().post(url, data, headers=HTMX).content.decode()
    assert "Which &lt;mill&gt;?" in shown
    assert "Water" in shown
    with booth.scope():
        assert document_of(Form.objects.get()).field("topic") == field(
            "topic", "dropdown", options=("Mills", "Races")
        )


def test_strangers_build_nothing(booth: Booth, charlie: Person, rory: Person) -> None:
    form = booth.form()
    for person in (charlie, rory):
        url = person.url(f"content/forms/{form.pk}/")
        assert person.client().post(url, {"do": "copy", "key": "topic"}, headers=HTMX).status_code == 404
        assert person.client().post(f"{url}fields/topic/", {"label": "x", "preview": "1"}).status_code == 404
    assert len(keys(booth)) == 6


def test_a_picture_of_the_library_stands_in_the_form_and_counts_as_used(booth: Booth, wendy: Person) -> None:
    image = keep(wendy, drawn((60, 30)), "Mill.png")
    form = booth.form(field("shown", "image", label="A mill", image=image.pk))
    page = Visitor(booth.path(form), None).page.content.decode()
    assert re.search(r'<img class="form-picture" src="/i/[^"]+\.png" alt="A mill">', page)
    with booth.scope():
        assert Usage.objects.filter(used_kind="image", used_id=image.pk, user_kind="form").exists()
    refused = wendy.client().post(
        wendy.url(f"content/forms/{form.pk}/fields/shown/"), {"label": "", "image": "999"}
    )
    assert refused.status_code == 422


def test_pages_are_parts_of_one_form(booth: Booth, clock: object) -> None:
    email, name, *_ = booth.fields()
    form = booth.form(fields=(email, field("more", "page", label="About you"), name))
    visitor = Visitor(booth.path(form), clock)
    page = visitor.page.content.decode()
    assert page.count("data-page") == 2
    assert "Page 2 of 2" in page
    assert "About you" in page
    assert visitor.send(email="ada@post.test", first_name="Ada").status_code == 302
    [sent] = booth.submissions()
    assert sent.answers == {"email": "ada@post.test", "first_name": "Ada"}


def test_an_image_is_added_to_an_open_form_where_there_is_one(booth: Booth, wendy: Person) -> None:
    form = booth.form(fields=booth.fields()[:1])
    url, client = wendy.url(f"content/forms/{form.pk}/"), wendy.client()
    add = {"do": "add", "kind": "image", "revision": 0}
    refused = client.post(url, add, headers=HTMX)
    assert refused.status_code == 422
    assert "The library has no image yet." in refused.content.decode()
    keep(wendy, name="old.png")
    newest = keep(wendy, drawn((50, 20)), name="new.png")
    assert client.post(url, add, headers=HTMX).status_code == 200
    with booth.scope():
        document = document_of(Form.objects.get())
    assert [(one.kind, one.image) for one in document.fields][-1] == ("image", newest.pk)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_added_filled_saved_and_comes_back_as_it_was(
    booth: Booth, wendy: Person, kind: FieldKind
) -> None:
    """Every setting of every kind, with signs that a page, a form or a line break could spoil."""
    form = booth.form(fields=booth.fields()[:1])
    url, client = wendy.url(f"content/forms/{form.pk}/"), wendy.client()
    picture = keep(wendy)
    new = {"bound": "contact.interests"} if kind == "crm" else {"kind": kind}
    client.post(url, {"do": "add", **new, "revision": 0}, headers=HTMX)
    key = keys(booth)[-1]
    page = f"{url}fields/{key}/"
    settings = {
        "label": "Größe & <b>„Tür“</b> 😀 مرحبا", "help": "Two lines\nof 'help' & more", "required": "on",
        "overwrite": "on", "options": "Ä & B\n<c>\n😀", "value": "a=1&b=2", "purpose": str(booth.consent.pk),
        "subscription": str(booth.news.pk), "most_mb": "7", "image": str(picture.pk),
    }  # fmt: skip
    asked = client.get(page, headers=HTMX).context["editing"].fields
    filled = {name: settings[name] for name in asked}
    assert filled.keys() == asked.keys()
    assert client.post(page, {**filled, "revision": 1}, headers=HTMX).status_code == 200
    again = client.get(page, headers=HTMX).context["editing"]
    shown = {
        name: "on" if again[name].value() is True else str(again[name].value()).replace("\r\n", "\n")
        for name in again.fields
    }
    assert shown == filled
    with booth.scope():
        kept = document_of(Form.objects.get()).field(key)
    assert kept is not None
    assert kept.kind == kind
    plain = {name: value for name, value in kept.model_dump(mode="json").items() if name in filled}
    typed: dict[str, object] = {"required": True, "overwrite": True, "options": ["Ä & B", "<c>", "😀"]}
    numbers = {"purpose", "subscription", "most_mb", "image"}
    assert plain == {
        name: int(value) if name in numbers else typed.get(name, value) for name, value in filled.items()
    }
