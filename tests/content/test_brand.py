"""The brand: in every email by itself, readable, kept to its tenant and to whoever may choose it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from content.brand import DEFAULT, NETWORKS, BrandValues, brand_values
from content.colours import contrast, mixed, readable_on
from content.compile import Source, compile_email
from content.image_urls import image_url
from content.models import Brand
from content.operations.brand import save_brand
from content.operations.emails import Draft, create_email, save_email
from content.starters import STARTERS
from content.tree import tag_tree
from core.tenancy import tenant_scope
from tests.content.conftest import mail
from tests.content.test_images import keep
from tests.fixtures.people import LAST_MONDAY, Person

ROSE = BrandValues(
    accent="#a33560", background="#fdf2f6", surface="#ffffff", ink="#2b1a22", font="georgia", radius=24,
    website="https://rose.test/", social=(("linkedin", "https://linkedin.test/rose?a=1&b=2"), ("x", "https://x.test/r")),
)  # fmt: skip
FORM = {
    "accent": "#a33560", "background": "#fdf2f6", "surface": "#ffffff", "ink": "#2b1a22", "font": "georgia",
    "radius": "24", "website": "https://rose.test/", "on_x": "https://x.test/r", "postal_address": "2 Rose Lane",
}  # fmt: skip


def html(mjml: str, values: BrandValues = ROSE) -> str:
    result = compile_email(Source("News", mjml), tree=tag_tree([]), brand=values)
    assert result.compiled is not None, [str(problem) for problem in result.problems]
    return result.compiled.html


def test_what_the_source_leaves_open_is_in_the_brand() -> None:
    page = html(mail("<h1>Hello</h1> <a href='https://a.test/'>Go</a>"))
    assert "Georgia, 'Times New Roman', serif" in page
    assert "color:#2b1a22" in page
    assert 'style="color:#a33560"' in page
    assert "font-size:30px" in page


def test_what_the_source_says_wins() -> None:
    source = mail("Hello").replace("<mj-text>", '<mj-text color="#123456" font-family="Verdana">')
    page = html(source)
    assert "font-family:Verdana" in page
    assert "color:#123456" in page


@pytest.mark.parametrize(
    "head", ["", "<mj-head/>", "<mj-head></mj-head>", "<mj-head>\n<mj-title>x</mj-title></mj-head>"]
)
def test_the_brand_comes_in_whatever_the_head_is(head: str) -> None:
    assert "Georgia" in html(mail("Hello").replace("<mj-body>", head + "<mj-body>"))


def test_values_stand_where_the_source_names_them_and_encoded() -> None:
    source = mail('<a href="{{ brand.website }}">Us</a>').replace(
        "<mj-section>", '<mj-section background-color="{{ brand.tint }}">'
    )
    result = compile_email(Source("{{ brand.website }}", source), tree=tag_tree([]), brand=ROSE)
    assert result.compiled is not None
    assert [(link.url, link.label) for link in result.compiled.links] == [("https://rose.test/", "Us")]
    assert mixed("#a33560", "#ffffff", 0.9) in result.compiled.html
    assert result.compiled.subject == "https://rose.test/"
    assert "{{ brand" not in result.compiled.html + result.compiled.text


def test_an_empty_social_block_shows_the_tenants_networks() -> None:
    for empty in ('<mj-social align="left" />', '<mj-social align="left"></mj-social>'):
        source = mail("Hi").replace("</mj-column>", f"{empty}</mj-column>")
        result = compile_email(Source("News", source), tree=tag_tree([]), brand=ROSE)
        assert result.compiled is not None
        urls = [link.url for link in result.compiled.links]
        assert urls[-2:] == ["https://linkedin.test/rose?a=1&b=2", "https://x.test/r"]
    assert "facebook" not in html(mail("Hi").replace("</mj-column>", "<mj-social /></mj-column>"), DEFAULT)


@pytest.mark.parametrize("network", NETWORKS)
def test_no_network_is_led_to_by_its_sharing_page(network: str) -> None:
    values = BrandValues(social=((network, "https://us.test/page"),))
    source = mail("Hi").replace("</mj-column>", "<mj-social /></mj-column>")
    result = compile_email(Source("News", source), tree=tag_tree([]), brand=values)
    assert result.compiled is not None
    assert result.compiled.links[0].url == "https://us.test/page"


@pytest.mark.parametrize("tag", ["{{ brand.accent|upper }}", "{% if brand.website %}x{% endif %}"])
def test_the_brand_is_settled_when_it_is_compiled_so_nothing_can_be_done_to_it(tag: str) -> None:
    [problem] = compile_email(Source("News", mail(tag)), tree=tag_tree([])).problems
    assert "stands alone" in problem.message
    assert problem.line == 2


def test_a_brand_tag_that_does_not_exist_is_a_problem() -> None:
    [problem] = compile_email(Source("News", mail("{{ brand.acent }}")), tree=tag_tree([])).problems
    assert problem.message == "There is no merge tag “brand.acent”. Did you mean “brand.accent”?"


@pytest.mark.parametrize("accent", ["#0a5e49", "#ffd400", "#000000", "#ffffff", "#777777"])
def test_text_on_the_accent_and_links_can_always_be_read(accent: str) -> None:
    tags = BrandValues(accent=accent).tags()
    assert contrast(tags["accent_ink"], accent) >= 4.4
    assert contrast(tags["link"], "#ffffff") >= 4.5
    assert contrast(tags["ink"], tags["tint"]) >= 4.5


def test_contrast_is_that_of_wcag() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert readable_on("#ffd400") == "#1d1b18"


def test_every_starter_is_in_the_brand(acme_scope: Tenant) -> None:
    for starter in STARTERS:
        page = html(starter.mjml)
        assert "Georgia" in page, starter.name
        assert "#0a5e49" not in page, starter.name


def test_an_email_takes_the_brand_over_at_its_next_save(wendy: Person) -> None:
    with tenant_scope(wendy.tenant.pk):
        email = create_email(name="News", actor=wendy.user, now=LAST_MONDAY)
        draft = Draft("News", "Hi", mail("Hello"))
        first = save_email(
            email_id=email.pk, draft=draft, revision=0, actor=None, now=LAST_MONDAY
        ).email.current
        save_brand(values=ROSE, actor=wendy.user, now=LAST_MONDAY)
        again = save_email(
            email_id=email.pk, draft=draft, revision=1, actor=None, now=LAST_MONDAY
        ).email.current
        assert first is not None
        assert again is not None
        first.refresh_from_db()
    assert "Georgia" not in first.html
    assert "Georgia" in again.html


def test_a_flow_administrator_chooses_but_only_an_administrator_moves_the_company(
    bob: Person, alice: Person
) -> None:
    for person, address in ((bob, "1 Mill Lane\nOslo"), (alice, "2 Rose Lane")):
        response = person.client().post(person.url("content/brand/"), FORM)
        assert response.status_code == 302
        with tenant_scope(person.tenant.pk):
            assert brand_values() == BrandValues(**{**vars_of(ROSE), "social": (("x", "https://x.test/r"),)})
            assert Tenant.objects.get(pk=person.tenant.pk).postal_address == address
    with tenant_scope(bob.tenant.pk):
        assert Brand.objects.count() == 1
        entry = AuditEntry.objects.filter(action="brand.saved").earliest("pk")
    assert entry.payload["accent"] == ["#0a5e49", "#a33560"]


def vars_of(values: BrandValues) -> dict[str, Any]:
    return {name: getattr(values, name) for name in BrandValues.__dataclass_fields__}


def test_writers_and_reps_find_no_brand_page(wendy: Person, rory: Person) -> None:
    for person in (wendy, rory):
        for path in ("content/brand/", "content/brand/sample/"):
            assert person.client().post(person.url(path), FORM).status_code == 404
    assert "content/brand/" not in wendy.client().get(wendy.url("content/")).content.decode()
    with tenant_scope(wendy.tenant.pk):
        assert not Brand.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("accent", "red", "Write a colour as # and six digits"),
        ("accent", "#a33560;}", "Ensure this value has at most 7 characters"),
        ("ink", "#cccccc", "Hard to read on the sheet: contrast 1.6, at least 4.5."),
        ("website", "javascript:alert(1)", "A link cannot begin with “javascript:”"),
        ("website", "https://{{ contact.name }}/", "Write the site"),
        ("on_x", "mailto:a@b.test", "Write a whole address"),
        ("font", "comic", "Select a valid choice"),
        ("radius", "99", "Select a valid choice"),
    ],
)
def test_a_bad_value_is_answered_at_its_field_and_nothing_is_kept(
    bob: Person, field: str, value: str, said: str
) -> None:
    response = bob.client().post(bob.url("content/brand/"), {**FORM, field: value})
    assert response.status_code == 422
    assert said in response.content.decode()
    with tenant_scope(bob.tenant.pk):
        assert brand_values() == DEFAULT


def test_the_sample_shows_what_stands_in_the_form_and_saves_nothing(bob: Person) -> None:
    client = bob.client()
    page = client.post(bob.url("content/brand/sample/"), FORM).content.decode()
    frame = client.get(page.split('src="')[1].split('"')[0]).content.decode()
    assert "#a33560" in frame
    assert "Georgia" in frame
    with tenant_scope(bob.tenant.pk):
        assert not Brand.objects.exists()


def test_another_tenant_keeps_its_own(bob: Person, charlie: Person) -> None:
    assert bob.client().post(bob.url("content/brand/"), FORM).status_code == 302
    with tenant_scope(charlie.tenant.pk):
        assert brand_values() == DEFAULT


def test_the_logo_stands_where_the_source_says_and_leaves_no_hole_without_one(wendy: Person) -> None:
    source = mail("Hi").replace(
        "</mj-column>", '<mj-image src="{{ brand.logo }}" href="{{ brand.website }}" alt="Us" /></mj-column>'
    )
    image = keep(wendy)
    page = html(source, BrandValues(logo=image, website="https://us.test/"))
    assert f'src="{image_url(image)}"' in page
    assert "<img" not in html(source).replace('<img src="{{ _open }}"', "")
    alone = html(source, BrandValues(logo=image))
    assert image_url(image) in alone
    assert "<a " not in alone.split("Unsubscribe")[0].rpartition("<a ")[0]


def test_the_logo_is_one_of_the_own_images_and_cannot_be_deleted_while_it_is(
    wendy: Person, bob: Person, charlie: Person
) -> None:
    image, foreign = keep(wendy), keep(charlie)
    refused = bob.client().post(bob.url("content/brand/"), {**FORM, "logo": foreign.pk})
    assert refused.status_code == 422
    assert bob.client().post(bob.url("content/brand/"), {**FORM, "logo": image.pk}).status_code == 302
    page = bob.client().get(bob.url(f"content/images/{image.pk}/")).content.decode()
    assert f'<a href="{bob.url("content/brand/")}">Brand</a>' in page
    answer = bob.client().post(bob.url(f"content/images/{image.pk}/delete/"), follow=True).content.decode()
    assert f'cannot be deleted: it is used by <a href="{bob.url("content/brand/")}">Brand</a>.' in answer
