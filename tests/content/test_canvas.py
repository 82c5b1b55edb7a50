"""The source on the drag-and-drop canvas: what comes back is what was opened, to the letter where the canvas cannot."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from content.blocks.canvas import for_canvas, from_canvas, plain_eyes, shown_as_source
from content.blocks.tokens import with_tokens, without_tokens
from content.blocks.tree import read_document, write_document
from content.brand import DEFAULT
from content.compile import Source, compile_email
from content.image_urls import sites_in
from content.models import Email
from content.operations.emails import Draft, create_email, save_email
from content.operations.locks import lock_emails
from content.starters import STARTERS
from content.tree import tag_tree
from core.tenancy import tenant_scope
from tests.fixtures.people import LAST_MONDAY, Person

BRAND = DEFAULT.tags()
EYES = plain_eyes(BRAND)
ODD = """<mjml>
  <mj-head><mj-attributes><mj-text font-size="17px" /></mj-attributes></mj-head>
  <mj-body background-color="{{ brand.background }}" width="640px">
    {% if contact.language == "de" and 3 < 4 %}
    <mj-section background-color="{{ brand.accent }}" padding="0">
      <mj-column>
        <mj-text><h2>Hello {{ contact.first_name|default("there") }}</h2></mj-text>
        <mj-image src="https://example.com/a.png" alt="{{ contact.first_name|default(&quot;x&quot;) }}" />
        <!-- a note -->
        <mj-table><tr><td>1</td></tr></mj-table>
        <mj-text><div style="color:red">own</div></mj-text>
      </mj-column>
      <mj-column />
    </mj-section>
    {% endif %}
    <mj-wrapper><mj-section><mj-column><mj-text>in a wrapper</mj-text></mj-column></mj-section></mj-wrapper>
  </mj-body>
</mjml>
"""


def plain(source: str) -> str:
    """Return a source as the block editor writes it."""
    return write_document(read_document(source))


@pytest.mark.parametrize(
    "source", [*(one.mjml for one in STARTERS), ODD], ids=[*(one.name for one in STARTERS), "odd"]
)
def test_what_the_canvas_gives_back_unchanged_is_the_same_source(source: str) -> None:
    opened = for_canvas(source, EYES)
    assert plain(from_canvas(opened, source, BRAND)) == plain(source)


def test_what_the_canvas_cannot_keep_never_reaches_it() -> None:
    opened = for_canvas(ODD, EYES)
    for lost in ("{%", "<!--", "mj-table", "mj-wrapper", "mj-head", "brand.", "own</div>"):
        assert lost not in opened
    assert "kept-0" in opened
    assert re.search(r'<mj-section background-color="#[0-9a-f]{6}"', opened)
    # Elements that close themselves would swallow what follows them.
    assert "/>" not in opened


def test_every_colour_of_the_brand_finds_its_way_back_even_where_two_are_the_same() -> None:
    brand = replace(DEFAULT, accent="#ffffff", background="#ffffff", surface="#ffffff").tags()
    source = (
        '<mjml><mj-body background-color="{{ brand.background }}"><mj-section background-color="{{ brand.surface }}">'
        '<mj-column><mj-button background-color="{{ brand.accent }}" color="#ffffff" href="https://a.test/">Go</mj-button>'
        "</mj-column></mj-section></mj-body></mjml>"
    )
    opened = for_canvas(source, plain_eyes(brand))
    assert plain(from_canvas(opened, source, brand)) == plain(source)
    shown = sorted(set(re.findall(r"#[0-9a-f]{6}", opened)))
    # All are as good as white, and none is the white that the source itself names.
    assert [colour[:5] for colour in shown] == ["#ffff"] * 4
    # The canvas may write a colour in another way.
    accent = re.search(r'mj-button background-color="#(\w{6})"', opened)
    assert accent is not None
    parts = ", ".join(str(int(accent[1][at : at + 2], 16)) for at in (0, 2, 4))
    other = opened.replace(f"#{accent[1]}", f"rgb({parts})")
    assert "{{ brand.accent }}" in from_canvas(other, source, brand)


def test_kept_parts_move_double_and_go_with_their_stand_in() -> None:
    opened = read_document(for_canvas(ODD, EYES))
    first, section, *rest = opened.body.children
    opened.body.children = [section, first, *rest[:1]]
    section.children[0].children.pop()
    made = from_canvas(write_document(opened), ODD, BRAND)
    assert made.index("{% if") > made.index("mj-table")
    assert "own</div>" not in made
    assert "mj-wrapper" not in made
    assert made.startswith("<mjml>\n  <mj-head>")


def test_the_block_editors_raw_parts_are_named() -> None:
    assert shown_as_source(ODD) == ["Condition", "mj-table", "Text with its own HTML", "mj-wrapper"] or set(
        shown_as_source(ODD)
    ) >= {"Condition", "mj-table", "Text with its own HTML", "mj-wrapper"}
    assert shown_as_source(STARTERS["letter"].mjml) == []


@pytest.fixture
def email(wendy: Person) -> Email:
    with tenant_scope(wendy.tenant.pk):
        made = create_email(name="Offer", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("Offer", "Hi", STARTERS["offer"].mjml)
        return save_email(email_id=made.pk, draft=draft, revision=0, actor=wendy.user, now=LAST_MONDAY).email


def test_the_sites_of_an_emails_pictures_are_those_that_it_shows_and_no_others() -> None:
    source = """<mjml><mj-head><mj-style>.a { background: url(&quot;https://css.test/a.png&quot;) }</mj-style></mj-head>
    <mj-body><mj-section background-url='http://Back.test:8080/{{ contact.id }}.png'><mj-column>
    <mj-image src="https://cdn.test/a.png?x=1" href="https://link.test/" /><mj-image src = " https://cdn.test" />
    <mj-image src="//same.test/b.png" /><mj-image src="{{ brand.logo }}" /><mj-image src="/i/x.png" />
    <mj-raw><div style="background-image: url('https://raw.test/c.png')" data-src="https://data.test/">x</div></mj-raw>
    <mj-image src="https://a.test;script-src *" /><mj-image src="https://{{ contact.id }}.test/x" />
    <mj-text>src=https://words.test/</mj-text></mj-column></mj-section></mj-body></mjml>"""
    assert sites_in(source) == [
        "https://css.test", "http://back.test:8080", "https://cdn.test", "same.test", "https://raw.test",
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_canvas_loads_pictures_of_the_emails_own_sites_alone(wendy: Person, email: Email) -> None:
    url = wendy.url(f"content/{email.pk}/canvas/")

    def pictures(*sources: str) -> str:
        body = "".join(f'<mj-image src="{one}" alt="x" />' for one in sources)
        mjml = f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
        with tenant_scope(wendy.tenant.pk):
            Email.objects.filter(pk=email.pk).update(mjml=mjml)
        policy = wendy.client().get(url)["Content-Security-Policy"]
        return next(part.strip() for part in policy.split(";") if part.strip().startswith("img-src"))

    ours = "img-src 'self' data: http://127.0.0.1:8000"
    assert pictures("/i/x.png") == ours
    assert (
        pictures("https://cdn.test/a.png", "http://old.test/b.png")
        == f"{ours} https://cdn.test http://old.test"
    )
    many = [f"https://cdn{number}.test/a.png" for number in range(41)]
    assert pictures(*many) == "img-src 'self' data: https: http:"


@pytest.mark.django_db(transaction=True)
def test_the_canvas_saves_the_same_email_and_its_policy_is_its_own(
    wendy: Person, rory: Person, charlie: Person, email: Email
) -> None:
    url = wendy.url(f"content/{email.pk}/canvas/")
    page = wendy.client().get(url)
    assert "style-src 'self' 'unsafe-inline'" in page["Content-Security-Policy"]
    assert "script-src 'self';" in page["Content-Security-Policy"] + ";"
    assert (
        "unsafe-inline"
        not in wendy.client().get(wendy.url(f"content/{email.pk}/"))["Content-Security-Policy"]
    )
    with tenant_scope(wendy.tenant.pk):
        before = email.current.html if email.current else ""
    opened = for_canvas(email.mjml, EYES)
    answer = wendy.client().post(url, {"mjml": opened, "revision": 1})
    assert answer.status_code == 302
    with tenant_scope(wendy.tenant.pk):
        after = Email.objects.select_related("current").get(pk=email.pk)
        assert after.revision == 2
        assert after.current is not None
        assert after.current.html == before
    assert wendy.client().post(url, {"mjml": opened, "revision": 1}).status_code == 409
    assert (
        wendy.client().post(url, {"mjml": "<mjml><mj-body><mj-section></mjml>", "revision": 2}).status_code
        == 422
    )
    shown = wendy.client().post(url, {"mjml": opened, "do": "preview"}).content.decode()
    assert "mail-frame" in shown
    for person in (rory, charlie):
        assert person.client().get(person.url(f"content/{email.pk}/canvas/")).status_code == 404
        assert (
            person.client().post(person.url(f"content/{email.pk}/canvas/"), {"mjml": opened}).status_code
            == 404
        )
    with tenant_scope(wendy.tenant.pk):
        lock_emails(email_ids=[email.pk], flow_id=7, flow_name="Autumn", url="/x")
    assert wendy.client().post(url, {"mjml": opened, "revision": 2}).status_code == 302
    with tenant_scope(wendy.tenant.pk):
        assert Email.objects.get(pk=email.pk).revision == 2


def test_a_starter_compiles_to_the_same_mail_after_the_canvas() -> None:
    for starter in STARTERS:
        made = from_canvas(for_canvas(starter.mjml, EYES), starter.mjml, BRAND)
        mails = [
            compile_email(Source("x", source), tree=tag_tree([]), for_browser=True).compiled
            for source in (starter.mjml, made)
        ]
        assert mails[0] is not None
        assert mails[0] == mails[1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "inside",
    [
        None,
        "<p>a\x00b</p>",
        "<script>alert(1)</script>",
        '<span data-merge="%7B%7B%20settings.SECRET_KEY%20%7D%7D">x</span>',
        '<span data-merge="%7B%25%20if%20contact.name%20%25%7D">x</span>',
        '<a href="javascript:alert(1)">x</a>',
        "<mj-section>" * 3_000,
    ],
    ids=["nothing", "nul", "script", "unknown tag", "half a condition", "javascript", "deep"],
)
def test_what_must_not_come_from_a_canvas_changes_nothing(
    wendy: Person, email: Email, inside: str | None
) -> None:
    text = f"<mj-section><mj-column><mj-text>{inside}</mj-text></mj-column></mj-section>"
    written = "" if inside is None else f"<mjml><mj-body>{text}</mj-body></mjml>"
    url = wendy.url(f"content/{email.pk}/canvas/")
    answer = wendy.client().post(url, {"mjml": written, "revision": 1})
    assert answer.status_code == 422
    assert "Not saved." in answer.content.decode()
    with tenant_scope(wendy.tenant.pk):
        after = Email.objects.get(pk=email.pk)
        assert (after.revision, after.mjml) == (1, email.mjml)


def test_tokens_of_a_canvas_are_the_tags_that_they_were() -> None:
    tags = (
        '{{ contact.first_name|default("you") }}', "{% if 3 < 4 and contact.name != '>' %}", "{%- endif -%}", "{# a #}",
        "{{ event['a b']|join(', ') }}", "{{ '%41' ~ '&amp;' ~ '🚀' }}",
    )  # fmt: skip
    inner = (
        "<p>"
        + " and ".join(tags)
        + f' <a href="https://a.test/?c={tags[0].replace(chr(34), "&quot;")}">x</a></p>'
    )
    shown = with_tokens(inner, {"contact.first_name": "First name"})
    assert shown.count("data-merge") == len(tags)
    assert ">First name</span>" in shown
    assert "?c={{ contact.first_name" in shown
    assert without_tokens(shown) == inner
    # The canvas adds to an element what it likes.
    marked = shown.replace(
        "<span data-merge", '<span id="i2" draggable="true" contenteditable="false" data-merge'
    )
    assert without_tokens(marked) == inner
