"""Who may open and do what: the table of rights, for every page and button of a flow's participants and lifecycle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AuditEntry
from accounts.operations import save_role
from accounts.rights import Right
from flows.models import Flow
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db

READ = [
    "",
    "canvas/",
    "canvas/counts/",
    "content/",
    "participants/",
    "canvas/part/?part=start",
    "canvas/part/?part=finish",
]
ADMIN_READ = ["end/", "rename/", "folder/"]
ADMIN_POST = ["run/", "pause/", "end/", "copy/", "delete/", "rename/", "folder/", "participants/act/"]


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


def state(stage: Stage) -> tuple[object, ...]:
    """Everything that a button could change."""
    with stage.scope():
        return (
            list(Flow.objects.order_by("pk").values_list("pk", "name", "status", "folder_id", "deleted_at")),
            list(Participant.objects.order_by("pk").values_list("pk", "status", "due_at")),
            AuditEntry.objects.count(),
        )


def opens(person: Person, path: str) -> int:
    status: int = person.client().get(path).status_code
    return status


@pytest.mark.parametrize("path", READ)
def test_flow_administrator_and_writer_look_into_a_flow_and_nobody_else(
    stage: Stage, bob: Person, wendy: Person, alice: Person, rory: Person, charlie: Person, path: str
) -> None:
    url = stage.url(path)
    assert [opens(person, url) for person in (bob, alice, wendy)] == [200, 200, 200]
    assert [opens(person, url) for person in (rory, charlie)] == [404, 404]
    assert opens(charlie, url.replace("/t/acme/", "/t/globex/")) == 404


@pytest.mark.parametrize("path", ADMIN_READ)
def test_only_a_flow_administrator_is_asked_about_ending_renaming_and_moving(
    stage: Stage, bob: Person, wendy: Person, rory: Person, path: str
) -> None:
    assert opens(bob, stage.url(path)) == 200
    assert [opens(person, stage.url(path)) for person in (wendy, rory)] == [404, 404]


@pytest.mark.parametrize("path", ADMIN_POST)
def test_what_one_may_not_do_is_refused_and_changes_nothing(
    stage: Stage, wendy: Person, rory: Person, charlie: Person, path: str
) -> None:
    before = state(stage)
    body = {"action": "remove", "ids": [stage.participant("Anna").pk], "name": "Stolen"}
    for person in (wendy, rory, charlie):
        for url in (stage.url(path), stage.url(path).replace("/t/acme/", f"/t/{person.tenant.slug}/")):
            assert person.client().post(url, body).status_code == 404
    assert state(stage) == before


def test_a_writer_sees_no_button_that_is_not_for_writers(stage: Stage, wendy: Person, bob: Person) -> None:
    for path in ("", "canvas/", "participants/", "content/"):
        page = wendy.client().get(stage.url(path)).content.decode()
        for url in ("run/", "pause/", "end/", "copy/", "delete/", "participants/act/", "edit/"):
            assert stage.url(url) not in page, (path, url)
    assert stage.url("pause/") in bob.client().get(stage.url()).content.decode()


def test_a_visitor_who_is_not_signed_in_is_sent_to_sign_in(stage: Stage, client: object) -> None:
    answer = client.get(stage.url())  # type: ignore[attr-defined]
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


@pytest.mark.parametrize(
    ("visibility", "seen"),
    [("everyone", [200, 200, 200]), ("owner", [200, 404, 404]), ("group", [200, 200, 404])],
)
def test_visible_for_narrows_who_sees_the_flow(
    stage: Stage,
    bob: Person,
    wendy: Person,
    make_person: Callable[..., Person],
    visibility: str,
    seen: list[int],
) -> None:
    outsider = make_person(bob.tenant, "Olga", "Out", role="Flow administrator", group="Elsewhere")
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(visibility=visibility)
    assert [opens(person, stage.url()) for person in (bob, wendy, outsider)] == seen
    listed = [
        stage.url() in person.client().get(person.url("flows/")).content.decode()
        for person in (bob, wendy, outsider)
    ]
    assert listed == [status == 200 for status in seen]


def test_a_general_administrator_is_not_narrowed_but_needs_the_right_to_look_at_flows(
    stage: Stage, alice: Person, make_person: Callable[..., Person]
) -> None:
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(visibility="owner")
        rights = [Right.ADMINISTRATOR]
        save_role(
            role_id=None, name="Keeper", description="", rights=rights, data_rights={}, actor=alice.member
        )
    keeper = make_person(alice.tenant, "Kim", "Keeper", role="Keeper")
    assert [opens(person, stage.url()) for person in (alice, keeper)] == [200, 404]


def test_chosen_users_and_groups_see_a_flow_that_is_visible_for_them(
    stage: Stage, wendy: Person, make_person: Callable[..., Person]
) -> None:
    from flows.visibility import choose_viewers

    olga = make_person(wendy.tenant, "Olga", "Out", role="Flow administrator", group="Elsewhere")
    pat = make_person(wendy.tenant, "Pat", "Pal", role="Flow administrator", group="Elsewhere")
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(visibility="chosen")
        assert pat.member.group is not None
        choose_viewers(flow=stage.flow, user_ids=[olga.user.pk], auth_group_ids=[])
    assert [opens(person, stage.url()) for person in (olga, pat, wendy)] == [200, 404, 404]
    with stage.scope():
        choose_viewers(flow=stage.flow, user_ids=[], auth_group_ids=[pat.member.group.auth_group_id])
    assert [opens(person, stage.url()) for person in (olga, pat, wendy)] == [200, 200, 404]


def test_another_tenants_participant_id_is_not_found(stage: Stage, charlie: Person) -> None:
    anna = stage.participant("Anna")
    theirs = make_stage(charlie)
    url = theirs.url(f"participants/{anna.pk}/")
    assert charlie.client().get(url).status_code == 404
    answer = charlie.client().post(theirs.url("participants/act/"), {"action": "remove", "ids": [anna.pk]})
    assert answer.status_code == 302
    assert stage.participant("Anna").pk == anna.pk
