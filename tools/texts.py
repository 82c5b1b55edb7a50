"""The texts for recipients in their languages: `collect` them from the sources, `compile` them for Django.

Catalogs are locale/<language>/LC_MESSAGES/django.po; what is compiled (.mo) is not kept in the repository. Done by
Babel, so that no machine needs gettext's own programs. Must not know any page.
"""

import os
import re
import sys
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
# gettext_noop and _ mark a text; ngettext has a plural. Where to look: what people outside read.
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "_N": (1, 2),
}
PYTHON = ("core", "delivery", "content")
TEMPLATES = "templates/**/*.html"
_HEADER = """# What recipients read, in {name}.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plurals}\\n"

"""


def catalogs() -> list[Path]:
    """Return the catalogs, by language."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def compile_catalogs() -> int:
    """Write what has changed since it was compiled, and return how many that were."""
    done = 0
    for path in catalogs():
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.parent.parent.name)
        compiled = BytesIO()
        write_mo(compiled, catalog)
        target = path.with_suffix(".mo")
        if not target.exists() or target.read_bytes() != compiled.getvalue():
            # Tests that run side by side may all find it old: whoever reads it sees a whole one.
            new = target.with_suffix(f".{os.getpid()}")
            new.write_bytes(compiled.getvalue())
            new.replace(target)
            done += 1
    return done


def sources() -> Catalog:
    """Return every text that is marked, with where it stands."""
    found = Catalog(charset="utf-8")
    for path in sorted(path for room in PYTHON for path in (ROOT / room).rglob("*.py")):
        for line, message, _, context in extract_from_file("python", str(path), keywords=KEYWORDS):
            found.add(message, None, [(str(path.relative_to(ROOT)), line)], context=context)
    for path in sorted(ROOT.glob(TEMPLATES)):
        for line, message in _in_template(path.read_text()):
            found.add(message, None, [(str(path.relative_to(ROOT)), line)])
    return found


def _in_template(text: str) -> "list[tuple[int, str | tuple[str, str]]]":
    """Return (line, text) of a template's translate and blocktranslate tags; a plural is (one, many)."""
    from django.template.base import Lexer, TokenType

    found: list[tuple[int, str | tuple[str, str]]] = []
    parts: list[str] | None = None
    for token in Lexer(text).tokenize():
        name = token.contents.partition(" ")[0] if token.token_type == TokenType.BLOCK else ""
        if name == "translate":
            quoted = re.match(r"translate\s+(['\"])(.*?)\1", token.contents)
            if quoted:
                found.append((token.lineno or 0, quoted[2]))
        elif name == "blocktranslate":
            parts, start = [""], token.lineno or 0
        elif name == "endblocktranslate" and parts is not None:
            found.append((start, parts[0] if len(parts) == 1 else (parts[0], parts[1])))
            parts = None
        elif name == "plural" and parts is not None:
            parts.append("")
        elif parts is not None:
            is_value = token.token_type == TokenType.VAR
            parts[-1] += f"%({token.contents})s" if is_value else token.contents.replace("%", "%%")
    return found


def collect() -> None:
    """Bring the catalogs up to what the sources say: new texts stand empty, old ones go."""
    template = sources()
    for path in catalogs():
        language = path.parent.parent.name
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        body = BytesIO()
        write_po(body, catalog, width=110, sort_output=True, omit_header=True, include_lineno=False)
        head = _HEADER.format(
            name=Locale.parse(language).english_name, language=language, plurals=catalog.plural_forms
        )
        path.write_text(head + body.getvalue().decode())


if __name__ == "__main__":
    if sys.argv[1:] == ["collect"]:
        collect()
    elif sys.argv[1:] == ["compile"]:
        compile_catalogs()
    else:
        raise SystemExit("Say collect or compile.")
