"""The shell in a real browser: both themes, phone width, keyboard, confirmations, messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from core.tenancy import tenant_scope
from crm.models import Project, Selection
from tests.fixtures.people import PASSWORD, Person
from tests.support.axe import accessibility_faults

SignIn = Callable[[Person], None]
Theme = Callable[[str], None]
NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)
SIZES = [(1440, 900), (390, 844)]


def is_active(person: Person) -> bool:
    """Say whether the person's membership is active."""
    with tenant_scope(person.tenant.pk):
        return Membership.objects.get(pk=person.member.pk).is_active


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["laptop", "phone"])
def test_pages_are_accessible_and_fit_in_both_themes(
    page: Page,
    live_server: Any,
    alice: Person,
    bob: Person,
    sign_in: SignIn,
    theme: Theme,
    name: str,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    theme(name)
    entrance = ["/accounts/login/", "/accounts/password/reset/"]
    inside = [
        "",
        "settings/company/",
        "settings/users/",
        f"settings/users/{bob.member.pk}/",
        "settings/users/invite/",
    ]
    inside += [
        "settings/groups/",
        "settings/roles/",
        f"settings/roles/{bob.member.role_id}/",
        "settings/audit/",
        "none/",
    ]
    account = ["/accounts/2fa/", "/accounts/password/change/", "/?choose"]
    for path in [*entrance, *(alice.url(path) for path in inside), *account]:
        if path == alice.url():
            sign_in(alice)
        page.goto(live_server.url + path)
        assert accessibility_faults(page) == [], path
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{path} is {too_wide} px too wide"


def test_somebody_signs_in_looks_around_and_signs_out(page: Page, live_server: Any, alice: Person) -> None:
    page.goto(f"{live_server.url}/t/acme/settings/users/")
    page.get_by_label("Email").fill("alice@acme.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    page.get_by_role("button", name="Your account: Alice Wong").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")


def test_ending_a_membership_asks_first_and_a_no_changes_nothing(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("settings/users/"))
    page.get_by_role("button", name="Actions for Bob Larsen").click()
    page.get_by_role("link", name="End membership").click()
    end = page.locator("#membership").get_by_role("button", name="End membership")
    end.click()
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("Bob Larsen can no longer enter Acme.")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert is_active(bob)
    end.click()
    dialog.get_by_role("button", name="End membership").click()
    expect(page.get_by_text("Bob Larsen can no longer sign in here")).to_be_visible()
    assert not is_active(bob)


def test_who_takes_over_gets_what_the_question_names(
    page: Page, live_server: Any, alice: Person, bob: Person, wendy: Person, sign_in: SignIn
) -> None:
    with tenant_scope(alice.tenant.pk):
        owned = [
            Selection.objects.create(name=name, owner=wendy.user, created_at=NOW)
            for name in ("Fair", "Visit")
        ]
        Project.objects.create(name="Fair", owner=wendy.user, created_at=NOW)
    sign_in(alice)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live_server.url + alice.url(f"settings/users/{wendy.member.pk}/"))
    membership = page.locator("#membership")
    expect(membership).to_contain_text("In the name of Wendy Okafor: 2 selections and 1 project.")
    membership.get_by_label("Who takes over").select_option(label="Bob Larsen")
    assert accessibility_faults(page) == []
    membership.get_by_role("button", name="End membership").press("Enter")
    dialog = page.locator("#confirm")
    expect(dialog).to_contain_text("Whoever takes over gets 2 selections and 1 project;")
    dialog.get_by_role("button", name="End membership").press("Enter")
    expect(page.get_by_text("Wendy Okafor can no longer sign in here")).to_be_visible()
    assert not is_active(wendy)
    with tenant_scope(alice.tenant.pk):
        assert {Selection.objects.get(pk=one.pk).owner_id for one in owned} == {bob.user.pk}
        assert Project.objects.get().owner_id == bob.user.pk


def test_a_menu_opens_moves_and_closes_by_keyboard(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("settings/users/"))
    button = page.get_by_role("button", name="Actions for Bob Larsen")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Change role or group")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="End membership")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_a_whole_row_is_a_link_and_the_right_click_opens_its_menu(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("settings/users/"))
    cell = page.get_by_role("cell", name="bob@acme.test")
    cell.click(button="right")
    expect(page.get_by_role("link", name="Change role or group")).to_be_visible()
    page.keyboard.press("Escape")
    cell.click()
    page.wait_for_url(f"**/settings/users/{bob.member.pk}/")


def test_the_theme_changes_at_once_and_stays(
    page: Page, live_server: Any, alice: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url())
    page.get_by_role("button", name="Your account: Alice Wong").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_search_narrows_while_typing_and_keeps_the_address(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("settings/users/"))
    page.get_by_role("searchbox", name="Search users").press_sequentially("lars")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page.get_by_role("link", name="Bob Larsen")).to_be_visible()
    assert "q=lars" in page.url


def test_a_form_keeps_what_was_typed_and_says_what_is_wrong_at_the_field(
    page: Page, live_server: Any, alice: Person, bob: Person, sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url("settings/users/invite/"))
    page.get_by_label("Email address").fill("bob@acme.test")
    page.get_by_label("Role").select_option(index=1)
    chosen = page.get_by_label("Role").input_value()
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_label("Role")).to_have_value(chosen)
    field = page.get_by_label("Email address")
    expect(field).to_have_value("bob@acme.test")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_email_error")).to_contain_text("is a member already")
    assert accessibility_faults(page) == []
