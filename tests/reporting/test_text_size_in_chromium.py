"""Text at twice its size: what people read and press is whole on every flow screen, in the window and on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.people import Person
from tests.flows.drawing import look, sign_in
from tests.participants.pages import add_people, make_stage

pytestmark = pytest.mark.django_db(transaction=True)
# What is cut off by its own box: text that is meant to end in … says so by text-overflow.
CLIPPED = """() => [...document.querySelectorAll(
  '.btn, .badge, .tabs a, th, td, label, h1, h2, h3, summary, .figure, .menu-item, '
  + '.flow-card, .flow-card b, .flow-panel button'
)].filter((one) => {
  const style = getComputedStyle(one);
  if (!one.checkVisibility() || one.closest('.visually-hidden') || one.matches('.visually-hidden')) return false;
  if (style.textOverflow === 'ellipsis' || style.webkitLineClamp !== 'none' || style.display === 'inline') return false;
  const cuts = style.overflowX !== 'visible' || style.overflowY !== 'visible';
  const tall = one.scrollHeight > one.clientHeight + 2, wide = one.scrollWidth > one.clientWidth + 2;
  return one.clientHeight && (cuts ? tall || wide : tall && one.matches('.btn, .badge, .tabs a'));
}).map((one) => one.outerHTML.slice(0, 120))"""


def test_nothing_is_cut_off_at_twice_the_text(page: Page, live_server: Any, bob: Person) -> None:
    stage = make_stage(bob)
    add_people(stage)
    sign_in(page, bob, live_server)
    found = []
    for width in (1440, 720):
        page.set_viewport_size({"width": width, "height": 900})
        for path in (
            bob.url("flows/?view=tiles"),
            bob.url("flows/?view=list"),
            *(stage.url(tab) for tab in ("", "canvas/", "reports/?period=all", "participants/", "content/")),
            stage.url("edit/"),
        ):
            page.goto(live_server.url + path)
            expect(page.locator("main")).to_be_visible()
            # 1440 with text alone at 200 %; 720 is the same window with the whole page at 200 %.
            page.evaluate(
                "size => { document.documentElement.style.fontSize = size }", "200%" if width == 1440 else ""
            )
            found += [f"{width} {path}: {one}" for one in page.evaluate(CLIPPED)]
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{width} {path} is wider than the window")
            look(page, f"large-{width}-{path.split('?')[0].strip('/').split('/')[-1]}")
    assert found == [], "\n" + "\n".join(found)
