"""Refuse in templates what the Content-Security-Policy forbids at run time, and templates that do not parse.

A browser drops such things silently, so a page would look whole and not work. Must not know any page.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 150
BANS = {
    r"\bhx-on\b": "hx-on runs a script from an attribute: use a custom element or an event listener",
    r"\son[a-z]+\s*=\s*[\"']": "an event attribute is an inline script: use a custom element",
    r"<script(?![^>]*\bsrc\s*=)(?![^>]*type=\"application/json\")[^>]*>": "inline script: put it into frontend/",
    r"<style\b": "inline style: put it into frontend/",
    r"\sstyle\s*=\s*[\"']": "style attribute: use a class, or set a CSS variable from a script",
    r"\bhx-(?:vals|headers|vars)\s*=\s*[\"']\s*(?:js|javascript):": "js: needs eval, which is off: send a form field",
    r"\bhx-vars\b": "hx-vars needs eval, which is off: send a form field",
    r"\bhx-trigger\s*=\s*\"[^\"]*\[[^\"]*\"": "a filter in hx-trigger needs eval, which is off: use a custom event",
    r"\bhx-disable\b": "hx-disable means something else in htmx 4",
    r"href\s*=\s*[\"']javascript:": "javascript: address",
    r"(?:src|href)\s*=\s*[\"'](?:https?:)?//": "file of another host: everything is served by ourselves",
}
# What a mail client reads is no page: mails are written with inline styles on purpose.
MAIL = re.compile(r"(^|/)(mail|email|mjml)s?/")
COMMENT = re.compile(r"\{%\s*comment.*?endcomment\s*%\}|\{#.*?#\}|<!--.*?-->", re.DOTALL)
EXTERNAL_LINK = re.compile(r"<a\b[^>]*>", re.DOTALL)


def templates() -> list[Path]:
    """Return every page template of the project."""
    found = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("*/templates/**/*.html")]
    return sorted(path for path in found if not MAIL.search(str(path.relative_to(ROOT))))


def problems_in(text: str) -> list[tuple[int, str]]:
    """Return line and reason for each ban that the text breaks."""
    visible = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    found: list[tuple[int, str]] = []
    for pattern, reason in BANS.items():
        # A link to another site is no file of another host.
        source = EXTERNAL_LINK.sub(_blank, visible) if "another host" in reason else visible
        matches = re.finditer(pattern, source, re.IGNORECASE)
        found += [(source.count("\n", 0, match.start()) + 1, reason) for match in matches]
    if visible.count("\n") > MOST_LINES:
        found.append((MOST_LINES, f"longer than {MOST_LINES} lines: move a part into a file of its own"))
    return sorted(found)


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def unparsable() -> list[str]:
    """Return templates that Django cannot parse."""
    from config.embedded import ensure_environment

    ensure_environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.template import TemplateSyntaxError, engines

    django.setup()
    found = []
    for path in templates():
        try:
            engines["django"].from_string(path.read_text())
        except TemplateSyntaxError as error:
            found.append(f"{path.relative_to(ROOT)}: {error}")
    return found


def main() -> int:
    """Print every problem with its place; 1 if there is one."""
    lines = [
        f"{path.relative_to(ROOT)}:{line}: {reason}"
        for path in templates()
        for line, reason in problems_in(path.read_text())
    ]
    lines += unparsable()
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
