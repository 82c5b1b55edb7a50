"""Forms on other sites, their look, and their proof of work: headers, limits, what is refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from content.forms.document import FormDocument, FormStyle
from content.forms.proof import BITS, find_proof, is_proven
from content.models import Form
from tests.content.forms import PHONE, Booth, Visitor
from tests.content.test_public_forms import booth as booth
from tests.content.test_public_forms import clock as clock
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_proof_is_of_its_page_alone_and_one_hash_to_check() -> None:
    proof = find_proof("page-one")
    assert is_proven("page-one", proof)
    assert not is_proven("page-two", proof)
    for wrong in ("", "-1", "1.0", "٣", "9" * 13, "x", proof + " "):
        assert not is_proven("page-one", wrong)
    assert BITS >= 15


def test_who_brings_no_proof_still_gets_through_but_only_so_often(
    booth: Booth, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("content.views.public_forms.UNPROVEN_OF_ONE", (2, 600))
    path = booth.path(booth.form())

    def unproven(number: int) -> int:
        visitor = Visitor(path, clock)
        clock.shift(dt.timedelta(seconds=5))
        data = {"page": visitor.token, "f_email": f"c{number}@b.test", "proof": "1"}
        return visitor.client.post(path, data, headers=PHONE).status_code

    assert [unproven(number) for number in range(4)] == [302, 302, 429, 429]
    assert Visitor(path, clock).send(email="last@b.test").status_code == 302


def test_only_the_page_made_for_frames_may_stand_in_one(booth: Booth, clock: Any) -> None:
    path = booth.path(booth.form())
    alone, framed = Client().get(path), Client().get(f"{path}?embed=1")
    assert alone["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in alone["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "is-embedded" in framed.content.decode()
    assert "Set-Cookie" not in framed.headers


def test_the_script_and_the_sheet_are_for_every_site_and_for_real_forms_alone(booth: Booth) -> None:
    form = booth.form(style=FormStyle(look="own", accent="#8a1c1c", radius=12))
    path = booth.path(form)
    for name, kind in (("embed.js", "text/javascript"), ("style.css", "text/css")):
        answer = Client().get(f"{path}{name}")
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith(kind)
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "public, max-age=300"
        again = Client().get(f"{path}{name}", headers={"if-none-match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert Client().get(f"/f/forged/{name}").status_code == 404
    sheet = Client().get(f"{path}style.css").content.decode()
    assert "--accent: #8a1c1c" in sheet
    assert "--radius: 12px" in sheet
    with booth.scope():
        Form.objects.update(deleted_at=form.created_at)
    assert Client().get(f"{path}embed.js").status_code == 404


def test_in_a_frame_the_way_stays_in_the_frame_until_the_site_leads_on(booth: Booth, clock: Any) -> None:
    form = booth.form(redirect_url="https://example.com/done")
    visitor = Visitor(booth.path(form), clock, query="?embed=1")
    visitor.path += "?embed=1"
    answer = visitor.send(email="ada@post.test")
    assert answer["Location"] == f"{booth.path(form)}thanks/?embed=1"
    page = visitor.client.get(answer["Location"])
    assert 'data-lead-to="https://example.com/done"' in page.content.decode()
    assert "frame-ancestors *" in page["Content-Security-Policy"]
    assert len(booth.submissions()) == 1


def test_a_form_saved_before_styles_has_the_brands() -> None:
    assert FormDocument.model_validate({"heading": "Old"}).style.look == "brand"
    with pytest.raises(ValueError, match="pattern"):
        FormStyle(accent="red;}body{display:none")


def test_a_writer_sets_a_look_that_can_be_read_and_copies_a_way(
    wendy: Person, charlie: Person, rory: Person, booth: Booth
) -> None:
    form = booth.form(name='Sign "up" <b>')
    url = wendy.url(f"content/forms/{form.pk}/")
    good = {"look": "own", "accent": "#8A1C1C", "background": "#ffffff", "surface": "#fffdf8", "ink": "#222222",
            "font": "verdana", "radius": "12", "revision": form.revision}  # fmt: skip
    refused = wendy.client().post(f"{url}style/", {**good, "ink": "#eeeeee"})
    assert refused.status_code == 422
    assert "This cannot be read on the sheet." in refused.content.decode()
    assert wendy.client().post(f"{url}style/", good).status_code == 302
    with booth.scope():
        style = FormDocument.model_validate(Form.objects.get().document).style
    assert (style.look, style.accent, style.radius) == ("own", "#8a1c1c", 12)
    page = wendy.client().get(f"{url}publish/").content.decode()
    path = booth.path(form)
    assert f"{path}embed.js" in page
    for show in ("inline", "popup", "tab"):
        assert f"data-show=&quot;{show}&quot;" in page
    # The name is escaped for the page and, before that, for the snippet.
    assert "Sign &amp;quot;up&amp;quot; &amp;lt;b&amp;gt;" in page
    shown = wendy.client().get(f"{url}page/")
    assert "frame-ancestors 'self'" in shown["Content-Security-Policy"]
    assert re.search(r"<fieldset class=\"form\" disabled>", shown.content.decode())
    for person in (charlie, rory):
        for part in ("style/", "publish/", "page/"):
            assert person.client().get(person.url(f"content/forms/{form.pk}/{part}")).status_code == 404
