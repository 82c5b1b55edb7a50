"""The shell: signing in leads home, strangers see nothing."""

from django.test import Client

from tests.fixtures.people import Person


def test_a_member_sees_the_home_page(alice: Person) -> None:
    page = alice.client().get("/t/acme/")
    assert page.status_code == 200
    assert "Acme" in page.content.decode()


def test_a_stranger_and_an_unknown_tenant_look_alike(alice: Person, charlie: Person) -> None:
    client = charlie.client()
    assert client.get("/t/acme/").status_code == 404
    assert client.get("/t/nowhere/").status_code == 404


def test_nobody_is_sent_to_sign_in_whether_the_tenant_exists_or_not(alice: Person) -> None:
    for slug in ("acme", "nowhere"):
        answer = Client().get(f"/t/{slug}/")
        assert answer.status_code == 302
        assert answer["Location"] == f"/accounts/login/?next=/t/{slug}/"


def test_the_front_door_leads_into_the_only_tenant(alice: Person) -> None:
    answer = alice.client().get("/")
    assert answer["Location"] == "/t/acme/"
