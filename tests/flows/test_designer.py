"""The designer's pages and answers, by requests."""

from __future__ import annotations

import pytest

from flows.models import Flow
from tests.fixtures.people import Person


@pytest.mark.django_db(transaction=True)
def test_the_designer_opens_with_every_panel(alice: Person, flow: Flow) -> None:
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    for part in ["", "start", "filter", "finish", "details", "settings", "messages", "problems", "revisions"]:
        response = client.get(url, {"part": part})
        assert response.status_code == 200, part
        assert "Autumn welcome" in response.text
        assert client.get(f"{url}panel/", {"part": part}).status_code == 200
