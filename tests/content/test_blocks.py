"""The block editor's source: read and written without losing a word, changed by one operation at a time."""

from __future__ import annotations

import re

import pytest

from accounts.models import Tenant
from content.blocks import edit
from content.blocks.fields import layout_of, value_of
from content.blocks.kinds import BLOCKS, SECTION, kind_of
from content.blocks.presets import SECTIONS
from content.blocks.rich import clean_rich, is_rich
from content.blocks.tree import Unreadable, read_document, read_nodes, write_document
from content.compile import Source, compile_email
from content.starters import STARTERS
from content.tree import tag_tree
from tests.content.conftest import mail

TWO = """<mjml>
  <mj-head><mj-style>.x > y { color: red }</mj-style></mj-head>
  <mj-body width="600px">
    <mj-section background-color="{{ brand.surface }}">
      <mj-column>
        <mj-text padding="0"><h1>Hello {{ contact.first_name|default("you") }}</h1></mj-text>
        <mj-button href="https://a.test/?a=1&amp;b={{ contact.email|urlencode }}">Go &amp; see</mj-button>
      </mj-column>
      <mj-column>
        <mj-text><p>Words</p></mj-text>
      </mj-column>
    </mj-section>
    {% if contact.country == "NO" %}
    <mj-section><mj-column /></mj-section>
    {% endif %}
  </mj-body>
</mjml>
"""


BODY = "<mjml><mj-body>{}</mj-body></mjml>"


def bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def kinds(source: str) -> list[str]:
    document = read_document(source)
    found = ((path, edit.kind_at(document, path)) for path, _ in document.walk())
    return [f"{path} {kind.name}" for path, kind in found if kind]


# --- reading and writing ------------------------------------------------------------------------------------------


def test_sections_columns_and_blocks_are_seen() -> None:
    assert kinds(TWO) == [
        "0 section", "0.0.0 heading", "0.0.1 button", "0.1.0 text", "1 condition", "2 section", "3 condition",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        TWO,
        mail("a <b>b</b> <br> c &nbsp; {% if contact.name < 'm' %}x{% endif %} <!-- no > comment -->"),
        "<mjml><mj-body><!-- why > how --><mj-raw><table><tr><td>1</td></tr></table></mj-raw></mj-body></mjml>",
        BODY.format('<mj-hero mode="x"><mj-text>x</mj-text></mj-hero><mj-wrapper><mj-section/></mj-wrapper>'),
        BODY.format(
            '<mj-section a="&quot;1&quot; &lt; 2"><mj-column><mj-table><tr/></mj-table></mj-column></mj-section>'
        ),
        "<mjml><mj-body/></mjml>",
        "<mjml>\n<mj-body></mj-body>\n</mjml>\n<!-- after -->\n",
    ],
)
def test_no_word_is_lost_on_the_way(source: str) -> None:
    written = write_document(read_document(source))
    again = write_document(read_document(written))
    assert written == again
    assert bare(written) == bare(source).replace("<mj-body/>", "<mj-body></mj-body>")


def test_every_starter_comes_back_and_compiles_alike(acme_scope: Tenant) -> None:
    for starter in STARTERS:
        written = write_document(read_document(starter.mjml))
        assert bare(written) == bare(starter.mjml), starter.name
        before, after = (
            compile_email(Source("x", mjml), tree=tag_tree([])).compiled for mjml in (starter.mjml, written)
        )
        assert before is not None
        assert after is not None
        assert bare(after.html) == bare(before.html), starter.name


@pytest.mark.parametrize(
    "source",
    [
        "<mjml><mj-body><mj-section></mj-body></mjml>", "<mjml><mj-body><mj-text>a</b></mj-text></mj-body></mjml>",
        "<p>no</p>", "<mjml><mj-body>", "<mjml><mj-body>a < b</mj-body></mjml>",
        "<mjml><mj-body><mj-text><b></mj-text>",
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_said_and_never_guessed_at(source: str) -> None:
    with pytest.raises(Unreadable):
        read_document(source)


def test_nothing_at_all_is_an_empty_email() -> None:
    done = edit.insert_section("", "", "text")
    assert kinds(done.source) == ["0 section", "0.0.0 heading", "0.0.1 text"]


def test_a_place_in_the_source_belongs_to_its_block() -> None:
    document = read_document(TWO)
    assert document.path_at(TWO.index("https://a.test")) == "0.0.1"
    assert document.path_at(TWO.index("Words")) == "0.1.0"
    assert document.path_at(TWO.index("{% endif")) == "3"
    assert document.path_at(0) == ""


# --- operations ---------------------------------------------------------------------------------------------------


def test_moving_goes_from_column_to_column_and_ends_at_the_edges() -> None:
    down = edit.move(TWO, "0.0.1", up=False)
    assert (down.path, down.said) == ("0.1.0", "Moved down.")
    assert kinds(down.source)[:4] == ["0 section", "0.0.0 heading", "0.1.0 button", "0.1.1 text"]
    back = edit.move(down.source, "0.1.0", up=True)
    assert back.path == "0.0.1"
    assert bare(back.source) == bare(TWO)
    assert edit.move(TWO, "0.0.0", up=True).said == "It is the first one."
    assert edit.move(TWO, "0", up=True).source == TWO
    # Two conditions with nothing between them are one piece from then on.
    assert kinds(edit.move(TWO, "2", up=False).source)[-2:] == ["1 condition", "2 section"]


def test_a_block_goes_to_a_chosen_place() -> None:
    done = edit.move_to(TWO, "0.1.0", "0.0.0")
    assert done.path == "0.0.0"
    assert kinds(done.source)[:4] == ["0 section", "0.0.0 text", "0.0.1 heading", "0.0.2 button"]
    assert edit.move_to(TWO, "0.1.0", "1.0.0").source == TWO
    assert edit.move_to(TWO, "0.1.0", "0").source == TWO


def test_duplicate_and_remove() -> None:
    twice = edit.duplicate(TWO, "0.0.0")
    assert twice.path == "0.0.1"
    assert kinds(twice.source)[1:3] == ["0.0.0 heading", "0.0.1 heading"]
    assert bare(edit.remove(twice.source, "0.0.1").source) == bare(TWO)
    assert edit.remove(TWO, "0").said == "Section removed. Undo brings it back."


@pytest.mark.parametrize(
    "path", ["9", "0.9", "0.0.9", "0.0.0.0.0", "", "a", "-1", "0.0", "99999999999", "0..1"]
)
def test_a_path_that_is_gone_changes_nothing(path: str) -> None:
    for done in (
        edit.move(TWO, path, up=True), edit.move_to(TWO, path, "0.0.0"), edit.duplicate(TWO, path),
        edit.remove(TWO, path), edit.set_block(TWO, path, "text", {"words": "x"}),
    ):  # fmt: skip
        assert done.source == TWO, path


@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if kind.new], ids=lambda kind: kind.name)
def test_a_new_block_is_of_its_kind_and_compiles(kind: object) -> None:
    assert hasattr(kind, "name")
    done = edit.insert_block(TWO, "0.1", kind.name)
    assert f"{done.path} {kind.name}" in kinds(done.source) or kind.name == "raw"
    problems = compile_email(
        Source("x", done.source.replace('"https://"', '"https://a.test/"')), tree=tag_tree([])
    ).problems
    assert problems == []


@pytest.mark.parametrize("preset", SECTIONS, ids=lambda preset: preset.name)
def test_a_new_section_stands_where_it_was_asked_for_and_compiles(preset: object) -> None:
    assert hasattr(preset, "name")
    done = edit.insert_section(TWO, "0", preset.name)
    assert done.path == "1"
    source = done.source.replace('"https://"', '"https://a.test/"')
    assert compile_email(Source("x", source), tree=tag_tree([])).problems == []


# --- settings -----------------------------------------------------------------------------------------------------


def test_a_setting_changes_its_block_and_nothing_else() -> None:
    done = edit.set_block(
        TWO, "0.0.1", "button", {"words": 'Say "yes" & <go>', "href": 'https://a.test/?q="1"&x=2'}
    )
    assert (
        '<mj-button href="https://a.test/?q=&quot;1&quot;&amp;x=2">Say &quot;yes&quot; &amp; &lt;go&gt;</mj-button>'
        in done.source
    )
    node = read_document(done.source).find("0.0.1")
    assert node is not None
    assert [value_of(one, node) for one in BLOCKS["button"].settings[:2]] == [
        'Say "yes" & <go>', 'https://a.test/?q="1"&x=2',
    ]  # fmt: skip
    assert bare(done.source.replace(done.source.split("<mj-button")[1].split("</mj-button>")[0], "")) == bare(
        TWO.replace(TWO.split("<mj-button")[1].split("</mj-button>", maxsplit=1)[0], "")
    )


def test_the_same_values_change_nothing_to_the_letter() -> None:
    document = read_document(TWO)
    for path, node in document.walk():
        kind = edit.kind_at(document, path)
        if kind:
            values = {setting.name: value_of(setting, node) for setting in kind.settings}
            assert edit.set_block(TWO, path, kind.name, values).source == TWO, path


def test_a_block_of_another_kind_by_now_is_left_alone() -> None:
    assert edit.set_block(TWO, "0.0.0", "button", {"words": "x"}).source == TWO


def test_fewer_columns_lose_no_block() -> None:
    one = edit.set_block(TWO, "0", "section", {"layout": "1"})
    assert kinds(one.source)[:4] == ["0 section", "0.0.0 heading", "0.0.1 button", "0.0.2 text"]
    wide = edit.set_block(one.source, "0", "section", {"layout": "1:2"})
    node = read_document(wide.source).find("0")
    assert node is not None
    assert layout_of(node) == "1:2"
    assert [child.attributes for child in node.children] == [{"width": "33.33%"}, {"width": "66.67%"}]


def test_own_source_must_be_well_formed_and_may_become_several_blocks() -> None:
    raw = edit.insert_block(TWO, "0.1", "raw")
    path = raw.path
    document = read_document(raw.source)
    assert edit.kind_at(document, path) is not None
    name = kind_of(read_nodes("<mj-table><tr></tr></mj-table>")[0], 3).name
    assert name == "raw"
    table = raw.source.replace(
        "<mj-text>Write MJML here.</mj-text>", "<mj-table><tr><td>1</td></tr></mj-table>"
    )
    bad = edit.set_block(table, path, "raw", {"source": "<mj-table><tr></mj-table>"})
    assert bad.source == table
    assert "source" in bad.problems
    two = edit.set_block(table, path, "raw", {"source": "<mj-spacer /><mj-divider />"})
    assert kinds(two.source)[4:6] == ["0.1.1 spacer", "0.1.2 divider"]
    none = edit.set_block(table, path, "raw", {"source": ""})
    assert "mj-table" not in none.source


def test_a_heading_and_a_footer_keep_what_is_not_changed() -> None:
    done = edit.set_block(TWO, "0.0.0", "heading", {"level": "3"})
    assert '<h3>Hello {{ contact.first_name|default("you") }}</h3>' in done.source
    footed = edit.insert_block(TWO, "0.1", "footer")
    more = edit.set_block(footed.source, footed.path, "footer", {"words": "You & we <3", "view": True})
    assert "<p>You &amp; we &lt;3</p>" in more.source
    assert "links.view_in_browser" in more.source
    assert "links.preferences" in more.source
    compiled = compile_email(Source("x", more.source), tree=tag_tree([])).compiled
    assert compiled is not None
    assert compiled.html.count("links.unsubscribe") == 1


@pytest.mark.parametrize("level", ["4", "1><script>", ""])
def test_a_choice_takes_only_what_is_offered(level: str) -> None:
    from content.django_forms.block import BlockForm

    node = read_document(TWO).find("0.0.0")
    assert node is not None
    form = BlockForm(BLOCKS["heading"], node, {"b-level": level, "b-words": "x"})
    assert "level" not in form.values()


def test_a_value_that_no_choice_has_is_offered_as_it_is_written() -> None:
    from content.django_forms.block import BlockForm

    [node] = read_nodes(
        '<mj-section padding="7px" background-color="#123456"><mj-column width="15%" /></mj-section>'
    )
    form = BlockForm(SECTION, node, {})
    assert ("7px", "As written: 7px") in form.fields["space"].choices  # type: ignore[attr-defined]
    assert form.values() == {}


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("<p>a<br>b</p>", "<p>a<br/>b</p>"),
        ("<div>a</div><div>b</div>", "<p>a</p><p>b</p>"),
        ("<p>a</p><p><br></p>", "<p>a</p>"),
        ("<p onclick='x'>a</p><script>alert(1)</script><img src=x onerror=y>", "<p>a</p>"),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="https://a.test/?a=1&b=2" style="x">x</a>', '<a href="https://a.test/?a=1&amp;b=2">x</a>'),
        ("{% if contact.name < 'm' %}a & b{% endif %}", "{% if contact.name < 'm' %}a &amp; b{% endif %}"),
        ('<a href="{{ links.unsubscribe }}">x</a>', '<a href="{{ links.unsubscribe }}">x</a>'),
        ("<p>a < b", "<p>a &lt; b</p>"),
        ("שלום <b>🚀</b>", "שלום <b>🚀</b>"),
    ],
)
def test_words_are_cleaned_and_well_formed(written: str, kept: str) -> None:
    assert clean_rich(written) == kept
    assert is_rich(kept)
    read_nodes(f"<mj-text>{kept}</mj-text>")


@pytest.mark.parametrize(
    "written", ["<table><tr><td>x</td></tr></table>", '<p style="color:red">x</p>', "<h1>x</h1>"]
)
def test_html_that_the_field_cannot_hold_is_edited_as_html(written: str) -> None:
    assert not is_rich(written)
    [node] = read_nodes(f"<mj-text>a{written}</mj-text>")
    assert kind_of(node, 3).name == "html"
