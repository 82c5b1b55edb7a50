"""Opens and clicks pass fewer middleware than pages, and answer as safely."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/m/c/forged/1", "/m/o/forged"])
def test_an_address_of_a_mail_answers_with_the_same_headers_and_reads_no_session(path: str) -> None:
    visitor = Client(headers={"X-Request-ID": "mine"})
    visitor.cookies["sessionid"] = "somebody"
    with CaptureQueriesContext(
        connection,
    ) as asked:
        short = visitor.get(path)
    page = visitor.get("/m/v/forged")
    assert (short.status_code, page.status_code, len(asked)) == (404, 404, 0)
    assert short.content == page.content
    for name in [*SAFE, "Content-Security-Policy", "X-Request-ID"]:
        assert short[name] == page[name]
    assert {name: short[name] for name in SAFE} == SAFE
    assert short["X-Request-ID"] == "mine"
    assert not short.cookies


def test_another_host_is_refused_there_as_well() -> None:
    assert Client().get("/m/c/forged/1", headers={"host": "evil.test"}).status_code == 400


def test_everything_else_goes_the_whole_way() -> None:
    assert Client().get("/t/acme/").status_code == 302
    assert set(settings.SHORT_MIDDLEWARE) < set(settings.MIDDLEWARE)
