"""Accessibility of the page that is open, judged by axe-core: as it is, or state by state in both themes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
# What another theme can change; the rest is the same page.
COLOURS = ["color-contrast", "link-in-text-block"]

STILL = """async () => {
  const end = performance.now() + 5000;
  while (document.getAnimations().some((one) => one.playState === "running") && performance.now() < end)
    await new Promise((go) => setTimeout(go, 20));
}"""


def accessibility_faults(page: Page, *, within: str = "", rules: list[str] | None = None) -> list[str]:
    """Return what axe finds, one line for each rule: its name, the elements, what is wrong with the first.

    `within`: a CSS selector, to look at one part of the page. `rules`: only these.
    """
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text() + ";0")
    # Toasts and menus fade in; a colour half way there is no finding. Asked again and again: the promise of an
    # animation that is replaced may never come.
    page.evaluate(STILL)
    found = page.evaluate(
        "([part, rules]) => axe.run(part || document, rules ? {runOnly: rules} : {}).then(all => all.violations)",
        [within, rules],
    )
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes'][:4]]} {rule['nodes'][0]['failureSummary']}"
        for rule in found
    ]


class Walk:
    """A walk through many states of pages: each is judged light and dark, and all findings are told at the end."""

    def __init__(self, page: Page, look: Callable[[Page, str], None] | None = None) -> None:
        self.page, self.look = page, look
        self.states: list[str] = []
        self.found: list[str] = []

    def state(self, name: str, *, within: str = "", in_turn: bool = False) -> None:
        """Judge what the page shows now. `within`: only this part of it, where the rest was judged before.

        `in_turn`: light and dark alternate from state to state, for many that are built of the same pieces.
        """
        themes: list[tuple[str, list[str] | None]] = [("dark", COLOURS), ("light", None)]
        if in_turn:
            themes = [(("dark", "light")[len(self.states) % 2], None)]
        for theme, rules in themes:
            self.page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme }", theme)
            faults = accessibility_faults(self.page, within=within, rules=rules)
            self.found += [f"{name}, {theme}: {fault}" for fault in faults]
        self.states.append(name)
        if self.look:
            self.look(self.page, name.replace(" ", "-"))

    def end(self) -> None:
        """Fail with everything that was found."""
        assert self.found == [], "\n" + "\n".join(self.found)
