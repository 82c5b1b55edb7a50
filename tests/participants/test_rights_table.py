"""The table of rights for flows, row by row: each role and each action, on the server and on the pages.

What one may not do answers as not found, changes nothing, and no page shows a way to it.
"""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import AuditEntry
from accounts.operations import save_role
from accounts.rights import DataObject, Reach, Right
from content.models import Email
from flows.models import DraftState, Flow, FlowRevision
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db

ADMIN, WRITER, NEITHER = "Flow administrator", "Content writer", "Neither"
# Row of the table: the roles that may, then (method, path, what is sent). Paths: {flow} {anna} {contact} {email}.
Ask = tuple[str, str, dict[str, Any]]
TABLE: dict[str, tuple[set[str], list[Ask]]] = {
    "view flow": (
        {ADMIN, WRITER},
        [
            ("get", "flows/", {}),
            *(
                ("get", f"flows/{{flow}}/{path}", {})
                for path in ("", "canvas/", "canvas/counts/", "participants/", "content/", "path/")
            ),
            ("get", "flows/{flow}/participants/{anna}/", {}),
            ("get", "flows/{flow}/path/{anna}/", {}),
        ],
    ),
    "create and edit flow content": (
        {ADMIN, WRITER},
        [("get", "content/", {}), ("get", "content/new/", {}), ("get", "content/{email}/", {})],
    ),
    "delete flow content": ({ADMIN}, [("post", "content/{email}/delete/", {})]),
    "create and edit flow": (
        {ADMIN},
        [
            ("get", "flows/new/", {}),
            ("post", "flows/new/", {"name": "Mine"}),
            ("get", "flows/{flow}/edit/", {}),
            ("get", "flows/{flow}/edit/panel/", {}),
            ("get", "flows/{flow}/edit/newest/", {}),
            ("post", "flows/{flow}/edit/here/", {"window": "aaaaaaaa-0000"}),
            ("post", "flows/{flow}/edit/op/", {"op": "insert", "kind": "split", "index": "0"}),
            ("post", "flows/{flow}/edit/apply/", {"part": "enrolment"}),
            ("post", "flows/{flow}/edit/undo/", {}),
            ("post", "flows/{flow}/edit/redo/", {}),
            ("post", "flows/{flow}/edit/save/", {}),
            ("get", "flows/{flow}/edit/revisions/1/", {}),
            ("get", "flows/{flow}/edit/revisions/compare/", {}),
            ("post", "flows/{flow}/edit/revisions/1/restore/", {}),
            ("post", "flows/{flow}/copy/", {}),
            ("get", "flows/{flow}/rename/", {}),
            ("post", "flows/{flow}/rename/", {"name": "Mine"}),
            ("get", "flows/{flow}/folder/", {}),
            ("post", "flows/{flow}/delete/", {}),
        ],
    ),
    "run, pause and end flow": (
        {ADMIN},
        [
            ("post", "flows/{flow}/pause/", {}),
            ("post", "flows/{flow}/run/", {}),
            ("post", "flows/{flow}/edit/start/", {}),
            ("post", "flows/{flow}/edit/pause/", {}),
            ("get", "flows/{flow}/end/", {}),
            ("post", "flows/{flow}/end/", {}),
        ],
    ),
    "see which flows a contact is in": ({ADMIN, WRITER, NEITHER}, [("get", "contacts/{contact}/flows/", {})]),
    "add contacts to a flow": ({ADMIN}, [("get", "flows/add-contacts/?contact={contact}", {})]),
    "take out, remove, retry and move on a participant": (
        {ADMIN},
        [
            ("post", "flows/{flow}/participants/act/", {"action": action, "ids": "{anna}"})
            for action in ("take_out", "move_on", "retry", "remove")
        ],
    ),
}


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


@pytest.fixture
def people(bob: Person, wendy: Person, rory: Person) -> dict[str, Person]:
    return {ADMIN: bob, WRITER: wendy, NEITHER: rory}


def filled(stage: Stage, text: str) -> str:
    with stage.scope():
        email = Email.objects.order_by("pk").values_list("pk", flat=True)[0]
    anna = stage.participant("Anna")
    return text.format(flow=stage.flow.pk, anna=anna.pk, contact=anna.contact_id, email=email)


def everything(stage: Stage) -> tuple[Any, ...]:
    """What no refused request may change."""
    with stage.scope():
        return (
            list(Flow.objects.order_by("pk").values()),
            list(Participant.objects.order_by("pk").values()),
            list(Email.objects.order_by("pk").values("pk", "name", "deleted_at")),
            FlowRevision.objects.count(),
            DraftState.objects.count(),
            AuditEntry.objects.count(),
        )


@pytest.mark.parametrize("row", TABLE)
def test_the_server_does_it_for_whom_the_table_names_and_for_nobody_else(
    stage: Stage, people: dict[str, Person], charlie: Person, row: str
) -> None:
    roles, asks = TABLE[row]
    wanted = [
        (method, filled(stage, path), {k: filled(stage, v) for k, v in body.items()})
        for method, path, body in asks
    ]
    before = everything(stage)
    for role, person in [*people.items(), ("Stranger", charlie)]:
        client = person.client()
        for method, path, body in wanted:
            if role not in roles:
                answer = getattr(client, method)(stage.person.url(path), body)
                assert answer.status_code == 404, (role, path)
    assert everything(stage) == before
    for role in sorted(roles):
        client = people[role].client()
        for method, path, body in wanted:
            answer = getattr(client, method)(stage.person.url(path), body)
            # Done, sent on, or refused for another reason than rights: a stale version, a field that lacks.
            assert answer.status_code in {200, 204, 302, 409, 422}, (role, path)


PAGES = (
    "flows/",
    "flows/?view=list",
    *(f"flows/{{flow}}/{p}" for p in ("", "canvas/", "participants/", "content/")),
)
PAGES += (
    "flows/{flow}/participants/{anna}/",
    "flows/{flow}/path/{anna}/",
    "content/",
    "contacts/{contact}/flows/",
)


def ways(stage: Stage, roles: set[str]) -> set[str]:
    """Return the addresses of what these roles may not do, whichever way a page might lead there."""
    shut = [ask for allowed, asks in TABLE.values() if not roles & allowed for ask in asks]
    return {stage.person.url(filled(stage, path)).partition("?")[0] for _, path, _ in shut}


@pytest.mark.parametrize("role", [WRITER, NEITHER])
def test_no_page_shows_a_way_to_what_one_may_not_do(
    stage: Stage, people: dict[str, Person], role: str
) -> None:
    person = people[role]
    shut = ways(stage, {role})
    assert len(shut) > 15
    seen = 0
    for page in PAGES:
        answer = person.client().get(person.url(filled(stage, page)))
        if answer.status_code == 200:
            seen += 1
            html = answer.content.decode()
            assert [way for way in shut if f'"{way}"' in html or f'"{way}?' in html] == [], page
    assert seen >= (len(PAGES) if role == WRITER else 1)


def test_a_flow_administrator_finds_every_way(stage: Stage, bob: Person) -> None:
    html = "".join(bob.client().get(bob.url(filled(stage, page))).content.decode() for page in PAGES)
    named = ("pause/", "end/", "copy/", "rename/", "folder/", "participants/act/", "edit/")
    assert [path for path in named if stage.url(path) not in html] == []
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(status="paused")
    html = bob.client().get(bob.url("flows/?view=list")).content.decode()
    assert "Resume flow" in html
    assert stage.url("run/") in html
    assert stage.url("end/") in html


def test_with_the_right_add_contacts_to_flows_a_rep_adds_them_and_still_sees_no_flow(
    stage: Stage, rory: Person, make_person: Any
) -> None:
    url = rory.url(filled(stage, "flows/add-contacts/?contact={contact}"))
    assert rory.client().get(url).status_code == 404
    with stage.scope():
        everyone = {DataObject.CONTACT.value: {"read": Reach.ALL.value}}
        save_role(
            role_id=None,
            name="Adder",
            description="",
            rights=[Right.ADD_TO_FLOWS],
            data_rights=everyone,
            actor=stage.person.member,
        )
    adder = make_person(rory.tenant, "Ada", "Adder", role="Adder")
    assert adder.client().get(url).status_code == 200
    assert adder.client().get(stage.url()).status_code == 404


def test_visible_for_narrows_every_row_but_that_of_the_contact(
    stage: Stage, wendy: Person, make_person: Any
) -> None:
    olga = make_person(wendy.tenant, "Olga", "Out", role=ADMIN, group="Elsewhere")
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(visibility="owner")
    before = everything(stage)
    for _, asks in TABLE.values():
        for method, path, sent in asks:
            if "{flow}" in path:
                body = {key: filled(stage, value) for key, value in sent.items()}
                assert getattr(olga.client(), method)(olga.url(filled(stage, path)), body).status_code == 404
    assert everything(stage) == before
    assert "Autumn welcome" in olga.client().get(olga.url(filled(stage, "contacts/{contact}/flows/"))).text


def test_a_button_leads_back_to_where_it_was_and_never_elsewhere(stage: Stage, bob: Person) -> None:
    homes = {"list": bob.url("flows/"), "designer": stage.url("edit/")}
    client = bob.client()
    for back in ("", "list", "designer", "//evil.test", "<script>"):
        for path in ("pause/", "end/"):
            answer = client.post(stage.url(path), {"back": back})
            assert (answer.status_code, answer["Location"]) == (302, homes.get(back, stage.url()))
