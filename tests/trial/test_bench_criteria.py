"""The benchmark of criteria, small: it asks and checks, and its figures are all there."""

from __future__ import annotations

import pytest

from trial.bench.criteria import criteria


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_criteria_and_the_floor_find_the_same_people() -> None:
    figures = criteria(contacts=300)
    assert figures["contacts"] == 300
    assert 0 < figures["matching"] < 300
    assert {"seconds", "contacts_per_second", "ratio", "peak_rss_mib"} <= figures.keys()
