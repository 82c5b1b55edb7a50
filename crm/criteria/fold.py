"""Text as it was typed, made comparable in SQL exactly as core.text.norm makes it in Python: NFKC, casefold, blanks.

PostgreSQL has no casefold before 18 and lower() leaves what folds into something else: ß, final sigma, dotted İ, the
Greek iota below, Cherokee, old Cyrillic. Plain ASCII, most of all text, is asked for first and costs a fifth.
Pure: strings of SQL, with nothing of a user's in them.
"""

from __future__ import annotations

from functools import reduce
from typing import Final


def _replaced(sql: str, char: str) -> str:
    return f"replace({sql}, '{char}', {_SPECIAL[char]})"


_CHEROKEE: Final = [chr(code) for code in (*range(0xAB70, 0xABC0), *range(0x13F8, 0x13FE))]
_CYRILLIC: Final = [chr(code) for code in range(0x1C80, 0x1C89)]
_IOTA_BELOW: Final = "\u0345"
_FROM: Final = "".join([_IOTA_BELOW, *_CHEROKEE, *_CYRILLIC])
_TO: Final = "".join(char.casefold() for char in _FROM)

# Blanks that NFKC leaves, or makes several of. In regular expressions of PostgreSQL \uXXXX is a character.
_BLANKS: Final = r"[\s\u0085\u1680\u2028\u2029\u001c-\u001f]+"
_ODD: Final = (
    r"[\u0345\u037a\u13a0-\u13fd\u1c80-\u1c88\u1f80-\u1fff\uab70-\uabbf"
    r"\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\t-\r\u001c-\u001f]|\s\s"
)
_PLAIN: Final = (
    "octet_length({0}) = length({0}) AND strpos({0}, '  ') = 0 AND strpos({0}, E'\\t') = 0 "
    "AND strpos({0}, E'\\n') = 0 AND strpos({0}, E'\\r') = 0"
)
_SPECIAL: Final = {"ß": "'ss'", "ẞ": "'ss'", "İ": "U&'i\\0307'", "ς": "'σ'"}
_LOWER: Final = f"lower({reduce(_replaced, _SPECIAL, 'normalize({0}, NFKC)')})"
# Taken apart, the iota below stands alone and becomes an iota.
_FOLDED: Final = f"normalize(translate(normalize({_LOWER}, NFD), '{_FROM}', '{_TO}'), NFKC)"


def folded(column: str) -> str:
    """Return SQL for the normalised text of a column (or another expression without parameters)."""
    return (
        f"CASE WHEN {_PLAIN} THEN btrim(lower({{0}})) "
        f"WHEN {{0}} ~ '{_ODD}' THEN btrim(regexp_replace({_FOLDED}, '{_BLANKS}', ' ', 'g')) "
        f"ELSE btrim(normalize({_LOWER}, NFKC)) END"
    ).format(column)
