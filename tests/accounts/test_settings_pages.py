"""Settings: every page opens for the administrator."""

import pytest

from tests.fixtures.people import Person

PAGES = [
    "settings/company/", "settings/users/", "settings/users/invite/", "settings/groups/", "settings/roles/",
    "settings/roles/new/", "settings/audit/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_the_administrator_opens_every_settings_page(alice: Person, bob: Person, path: str) -> None:
    assert alice.client().get(alice.url(path)).status_code == 200


def test_the_pages_of_one_user_one_group_and_one_role_open(alice: Person, bob: Person) -> None:
    client = alice.client()
    for path in (f"users/{bob.member.pk}/", f"groups/{bob.member.group_id}/", f"roles/{bob.member.role_id}/"):
        assert client.get(alice.url(f"settings/{path}")).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_settings_do_not_exist_for_those_without_rights(wendy: Person, rory: Person, path: str) -> None:
    for person in (wendy, rory):
        assert person.client().get(person.url(path)).status_code == 404
