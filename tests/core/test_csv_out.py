"""No cell of an exported file is run by the spreadsheet that opens it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from core.csv_out import csv_lines, safe_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+4791234567", "'+4791234567"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\n=1", "'\n'=1"),
        ("a;=1", "a;'=1"),
        ("a\t@b", "a\t'@b"),
        ("a; -5 %", "a; -5 %"),
        ("Ada", "Ada"),
        (-5, "-5"),
        (-1.5, "-1.5"),
        (None, ""),
        (Decimal("-1.50"), "-1.50"),
    ],
)
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_quotes_delimiters_and_line_breaks_stay_within_their_cell() -> None:
    rows = [['O"Neil', "a,b", "line\nbreak", "山田 🚀"], ["=1", "", "x", "y"]]
    text = "".join(csv_lines(rows))
    assert text.startswith("\ufeff")
    back = list(csv.reader(io.StringIO(text[1:], newline="")))
    assert back == [rows[0], ["'=1", "", "x", "y"]]
