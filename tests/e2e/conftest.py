"""What browser tests share: being signed in without the sign-in page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.fixtures.people import Person


@pytest.fixture
def sign_in(page: Page, live_server: Any) -> Callable[[Person], None]:
    """Sign a person in: sign_in(alice)."""

    def enter(person: Person) -> None:
        cookie = person.client().cookies["sessionid"]
        page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "url": live_server.url}])

    return enter


@pytest.fixture
def theme(page: Page, live_server: Any) -> Callable[[str], None]:
    """Choose a theme: theme("dark")."""

    def choose(name: str) -> None:
        page.context.add_cookies([{"name": "theme", "value": name, "url": live_server.url}])

    return choose
