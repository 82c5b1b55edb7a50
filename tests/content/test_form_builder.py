"""The form builder: what each operation makes of the form, what is refused, and pages of a public form."""

from __future__ import annotations

import re

import pytest

from content.forms.document import FormDocument
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
