"""Accessibility of the page that is open, judged by axe-core."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"


def accessibility_faults(page: Page) -> list[str]:
    """Return what axe finds, one line for each rule: its name, the elements, what is wrong with the first."""
    page.evaluate(AXE.read_text() + ";0")
    # Toasts and menus fade in; a colour half way there is no finding. What is cancelled meanwhile has an end as well.
    page.evaluate(
        "Promise.allSettled(document.getAnimations().map(animation => animation.finished)).then(() => 0)"
    )
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes'][:4]]} {rule['nodes'][0]['failureSummary']}"
        for rule in found
    ]
