"""The lines of the canvas, looked at as pixels: without a gap and equally wide, whatever the zoom."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.drawing import add_step, open_designer

pytestmark = pytest.mark.django_db(transaction=True)
# Where lines run, as (x, from, to) in CSS pixels: from whatever stands above a plus or a label down to it.
LINES = """zoom => {
  const canvas = document.querySelector("flow-canvas");
  canvas.style.setProperty("--flow-zoom", zoom);
  document.querySelector("flow-wires").draw();
  const box = (one) => one.getBoundingClientRect();
  const lines = [];
  const middle = (one) => box(one).left + box(one).width / 2;
  const line = (above, below) => lines.push([middle(below), box(above).bottom, box(below).top]);
  for (const label of document.querySelectorAll(".flow-branch__label")) {
    line(label, label.parentElement.querySelector(".flow-slot__button"));
  }
  for (const card of document.querySelectorAll(".flow-step > .flow-card")) {
    const before = card.parentElement.previousElementSibling?.querySelector(".flow-slot__button");
    if (before) line(before, card);
  }
  const split = document.querySelector(".flow-step:has(.flow-branch)");
  const joined = split.nextElementSibling.querySelector(".flow-slot__button");
  for (const end of split.querySelectorAll(".flow-seq > .flow-slot:last-child .flow-slot__button")) {
    lines.push([middle(end), box(end).bottom, box(joined).top - 22 * zoom - 9]);
  }
  lines.push([middle(joined), box(joined).top - 21 * zoom, box(joined).top]);
  for (const label of document.querySelectorAll(".flow-branch__label")) {
    lines.push([middle(label), box(label).top - 12 * zoom, box(label).top]);
  }
  return lines;
}"""


@pytest.mark.parametrize("zoom", [1.0, 0.83, 0.77, 0.67, 0.5])
def test_no_line_of_the_canvas_has_a_gap_and_all_are_equally_wide(
    page: Page, live_server: Any, alice: Person, flow: Flow, world: World, zoom: float
) -> None:
    open_designer(page, alice, live_server, flow)
    add_step(page, "Add a step at the start of the flow", "Split")
    add_step(page, "Add a step at the start of branch Branch 1", "Wait for time")
    # Opened anew no card is selected and none has focus: their rings would stand in the way.
    open_designer(page, alice, live_server, flow)
    lines = page.evaluate(LINES, zoom)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("L")
    assert len(lines) >= 8
    across, shades = picture.width, picture.tobytes()
    paper = shades[(round(lines[0][1]) + 3) * across + round(lines[0][0]) + 9]
    wide = max(1, round(2 * zoom))
    for x, top, bottom in lines:
        for y in range(round(top), round(bottom)):
            row = list(shades[y * across + round(x) - 4 : y * across + round(x) + 5])
            assert min(row) < paper - 30, (zoom, x, y, row)
            # The first and last row are partly the edge of what stands there.
            if top + 2 < y < bottom - 2:
                # The dots of the paper are lighter than any line.
                dark = sum(paper - shade for shade in row if shade < 212) / (paper - 162)
                assert dark == pytest.approx(wide, abs=0.6), (zoom, x, y, row)
