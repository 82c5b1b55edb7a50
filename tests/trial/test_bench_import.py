"""The file that `bench import` feeds: as many rows as asked for, every round with people and companies of its own."""

from __future__ import annotations

import csv
import io

from accounts.models import Tenant
from trial.bench.imports import CHUNK, SAMPLE, _chunks


def _read(tenant: Tenant, rows: int) -> list[dict[str, str]]:
    data = b"".join(_chunks(tenant, rows, SAMPLE))
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_a_file_that_is_too_short_is_taken_again_with_other_addresses_and_companies() -> None:
    rows = _read(Tenant(slug="bench-1"), 20_000)
    assert len(rows) == 20_000
    first, second = rows[:10_000], rows[10_000:]
    assert [row["Last name"] for row in first] == [row["Last name"] for row in second]
    assert not {row["E-mail"] for row in first} & {row["E-mail"] for row in second} - {""}
    assert not {row["Company"] for row in first} & {row["Company"] for row in second} - {""}
    assert {row["Our contact"] for row in rows} == {
        "", *(f"{name}@bench-1.test" for name in ("anna", "bjorn", "chloe"))
    }  # fmt: skip


def test_the_file_is_made_in_small_chunks() -> None:
    sizes = [len(chunk) for chunk in _chunks(Tenant(slug="bench-1"), 10_000, SAMPLE)]
    assert len(sizes) > 10
    assert max(sizes) < 2 * CHUNK
