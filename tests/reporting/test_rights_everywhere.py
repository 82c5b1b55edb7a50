"""Who may do what with flows (spec: accounts), address by address: each page and act of the flow screens and of
content, for each kind of person. Whoever may not is answered "not found" and nothing has happened; no page that they
see leads there; and whoever may finds the way.

A new address of these rooms must be named in TABLE: the first test says which one is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Any

import pytest
from django.urls import Resolver404, resolve

from accounts.operations import save_role
from accounts.rights import DataObject, Reach, Right
from content.models import Email, Image, ImageData
from content.operations.emails import create_email
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import save_script
from flows.models import Flow
from flows.operations.folders import create_folder
from flows.operations.saved_views import save_view
from tests.fixtures.people import LAST_MONDAY, MakePerson, Person
from tests.participants.pages import Stage, add_people, make_stage
from tests.support.database_facts import fingerprint
from tests.support.tenant_urls import TenantPage, tenant_pages

pytestmark = pytest.mark.django_db

ADMIN, WRITER, REP, ADDER, EXPORTER = "flow administrator", "content writer", "rep", "adder", "exporter"
PEOPLE = (ADMIN, WRITER, REP, ADDER, EXPORTER)
LOOK, DO, ADD, ALL = {ADMIN, WRITER}, {ADMIN}, {ADMIN, ADDER}, set(PEOPLE)
ROOMS = ("flows:", "reporting:", "participants:", "content:")
# Rows of spec §8 by the names of their addresses.
TABLE: dict[str, set[str]] = {
    # view flow
    **dict.fromkeys(
        (
            *(f"reporting:{name}" for name in (
                "flows", "compare_flows", "flow", "canvas", "counts", "part", "find", "path_choose", "path",
                "path_part", "reports", "report_messages", "report_links", "report_outcomes", "held_out", "content",
                "view_new", "view_delete", "participants_view_new", "participants_view_delete",
            )),
            *(f"participants:{name}" for name in (
                "participants", "participant", "why", "rehearse", "rehearse_letter",
            )),
            *(f"flows:{name}" for name in (
                "talk", "comment_people", "comment_write", "comment_edit", "comment_delete", "comment_resolve",
            )),
        ),
        LOOK,
    ),
    # view flow, and the right to export
    "participants:export": DO,
    "reporting:report_csv": DO,
    # create and edit flow content
    **dict.fromkeys(
        (f"content:{name}" for name in (
            "emails", "new", "brand", "brand_emails", "brand_sample", "images", "image_upload", "image_choose", "image",
            "starter", "people", "frame", "edit", "preview", "blocks", "advanced", "languages", "languages_change",
            "language_frame", "attachments", "attachment", "test", "tests", "copy", "forms", "form_new", "form",
            "form_field", "form_settings", "form_actions", "form_preview", "form_style", "form_publish",
            "form_statistics",
            "form_statistics_csv", "form_statistics_reset", "form_page", "form_switch", "form_copy",
            "links", "link_new", "link", "link_clicks",
            "link_reset",
        )),
        LOOK,
    ),
    # delete flow content; scripts belong to flows
    **dict.fromkeys(
        (f"content:{name}" for name in (
            "delete", "form_delete", "image_delete", "link_delete", "scripts", "script_new", "script", "script_delete",
            "script_failures",
        )),
        DO,
    ),
    # create and edit flow
    **dict.fromkeys(
        (
            *(f"flows:{name}" for name in (
                "new", "import", "export", "sms_length", "try_sms", "preview_sms", "test_sms", "sms_tests", "edit",
                "panel", "choices", "make", "apply", "fold", "op", "here", "newest", "undo", "redo", "save", "compare",
                "revision", "restore",
            )),
            *(f"reporting:{name}" for name in (
                "move_several", "folder_new", "folder_rename", "folder_move", "folder_delete", "copy", "delete",
                "rename", "put_into_folder", "webhook_calls", "webhook_again",
            )),
        ),
        DO,
    ),
    # run, pause and end flow
    **dict.fromkeys(
        ("flows:start", "flows:pause", *(f"participants:{name}" for name in ("run", "pause", "end", "start_time"))), DO
    ),
    # take out, remove, retry and move on
    "participants:act": DO,
    "participants:act_progress": DO,
    # add contacts to a flow
    "participants:add": ADD,
    "participants:add_progress": ADD,
    # see which flows a contact is in
    "participants:contact_flows": ALL,
    "participants:my_contacts": ALL,
}  # fmt: skip
# Of a contact's timeline, or of the group that processes a form: their own rules, and tests.
ELSEWHERE = {
    f"content:{name}"
    for name in (
        "message", "message_frame", "message_file", "submissions", "submission", "submission_file",
    )
}  # fmt: skip


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


@pytest.fixture
def people(
    bob: Person, wendy: Person, rory: Person, stage: Stage, make_person: MakePerson
) -> dict[str, Person]:
    """One of each kind. All may read every contact, so that refusals are not for want of one."""
    every = {DataObject.CONTACT.value: {"read": Reach.ALL.value}}
    with stage.scope():
        for name, rights in (("Adder", [Right.ADD_TO_FLOWS]), ("Exporter", [Right.EXPORT]), ("Rep", [])):
            save_role(
                role_id=None, name=name, description="", rights=rights, data_rights=every, actor=bob.member
            )
    made = {
        ADDER: make_person(bob.tenant, "Ada", "Adder", role="Adder"),
        EXPORTER: make_person(bob.tenant, "Ellen", "Exporter", role="Exporter"),
        REP: make_person(bob.tenant, "Rita", "Rep", role="Rep"),
    }
    return {ADMIN: bob, WRITER: wendy, **made}


@pytest.fixture
def known(stage: Stage, bob: Person) -> dict[str, Any]:
    """Real objects, by the names that their ids have in addresses."""
    anna = stage.participant("Anna")
    with stage.scope():
        picture = Image.objects.create(
            name="Mill", format="png", width=1, height=1, size=1, digest="0", created_at=LAST_MONDAY
        )
        ImageData.objects.create(image=picture, data=b"x")
        script = save_script(
            script_id=None, name="Score", description="", source="result = 1", revision=0, actor=bob.user,
            now=LAST_MONDAY,
        )  # fmt: skip
        return {
            "flow_id": stage.flow.pk,
            "participant_id": anna.pk,
            "contact_id": anna.contact_id,
            "step_id": stage.welcome.id,
            "number": 1,
            "visit": 1,
            "folder_id": create_folder(name="Spring", parent_id=None).pk,
            "view_id": save_view(name="V", query="", shared=True, actor=bob.user, now=LAST_MONDAY).pk,
            "email_id": create_email(name="Loose", actor=bob.user, now=LAST_MONDAY).pk,
            "form_id": create_form(name="Sign-up", actor=bob.user, now=LAST_MONDAY).pk,
            "link_id": create_link(
                draft=LinkDraft("Offer", url="https://a.test/"), actor=None, now=LAST_MONDAY
            ).pk,
            "image_id": picture.pk,
            "script_id": script.pk,
            "kind": "selection",
            "name": "selection",
            "field_key": "email",
            "starter": "welcome",
            "section": "messages",
        }


def addresses() -> list[TenantPage]:
    """Every address of these rooms."""
    return [page for page in tenant_pages() if page.name.startswith(ROOMS) and page.name not in ELSEWHERE]


def test_every_address_is_in_the_table() -> None:
    names = {page.name for page in addresses()}
    assert names - {*TABLE} == set()
    assert {*TABLE} - names == set()


@pytest.mark.parametrize("role", [WRITER, REP, ADDER, EXPORTER])
def test_what_one_may_not_do_is_not_found_and_nothing_happens(
    people: dict[str, Person], known: dict[str, Any], role: str
) -> None:
    person, shut = people[role], [page for page in addresses() if role not in TABLE[page.name]]
    client, before = person.client(), fingerprint()
    assert len(shut) > 30
    wrong = []
    for page in shut:
        for method in ("get", "post"):
            answer = getattr(client, method)(page.path(person.tenant, known), {"name": "x", "back": "list"})
            # A page that only takes POST may say so to anybody: that tells nothing about objects.
            if answer.status_code not in ({404, 405} if method == "get" else {404}):
                wrong.append((page.name, method, answer.status_code))
    assert [one for one in wrong if one[2] != 405] == []
    assert fingerprint() == before


def test_who_is_outside_visible_for_is_refused_everything_of_the_flow(
    people: dict[str, Person], known: dict[str, Any], stage: Stage, make_person: MakePerson
) -> None:
    olga = make_person(stage.person.tenant, "Olga", "Out", role="Flow administrator", group="Elsewhere")
    will = make_person(stage.person.tenant, "Will", "Out", role="Content writer", group="Elsewhere")
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(visibility="owner")
        of_flow = Email.objects.create(
            name="Of the flow", flow_id=stage.flow.pk, created_at=LAST_MONDAY, updated_at=LAST_MONDAY,
            updated_by=stage.person.user,
        )  # fmt: skip
    known = {**known, "email_id": of_flow.pk}
    theirs = [page for page in addresses() if {"flow_id", "email_id"} & {name for name, _ in page.parameters}]
    for person in (olga, will):
        client, before, wrong = person.client(), fingerprint(), []
        for page in theirs:
            for method in ("get", "post"):
                answer = getattr(client, method)(page.path(person.tenant, known), {"name": "x"})
                if answer.status_code not in {404, 405}:
                    wrong.append((page.name, method, answer.status_code))
        assert wrong == []
        assert fingerprint() == before
    html = olga.client().get(olga.url("flows/")).content.decode()
    assert "Autumn welcome" not in html
    contact = olga.client().get(olga.url(f"contacts/{known['contact_id']}/flows/")).content.decode()
    assert "Autumn welcome" in contact
    assert stage.url() not in contact


PAGES = (
    "",
    "flows/",
    "flows/?view=list",
    "flows/?view=list&folder={folder_id}",
    "flows/compare/?ids={flow_id}",
    *(
        f"flows/{{flow_id}}/{path}"
        for path in (
            "",
            "canvas/",
            "canvas/part/?part=step:{step_id}",
            "canvas/part/?part=start",
            "canvas/part/?part=finish",
            "reports/",
            "reports/messages/",
            "reports/outcomes/",
            "participants/",
            "participants/{participant_id}/",
            "path/{participant_id}/",
            "content/",
            "rehearse/",
            "control-group/",
            "edit/",
            "edit/panel/",
            "participants/?status=active&step={step_id}",
        )
    ),
    "content/",
    "content/{email_id}/",
    "content/forms/",
    "content/forms/{form_id}/",
    "content/links/",
    "content/links/{link_id}/",
    "content/images/",
    "content/scripts/",
    "contacts/",
    "contacts/{contact_id}/",
    "contacts/{contact_id}/flows/",
    "contacts/in-flows/",
    "selections/",
)
LEADS = re.compile(r'(?:href|action|formaction|hx-get|hx-post|data-url|src)="(/t/[^"#]*)"')


def ways(person: Person, known: dict[str, Any], pages: Sequence[str] = PAGES) -> dict[str, set[str]]:
    """Return the addresses of these rooms that pages lead to, by name, with the pages that do."""
    client, found = person.client(), dict[str, set[str]]()
    for page in pages:
        answer = client.get(person.url(page.format(**known)))
        if answer.status_code != 200:
            continue
        for path in LEADS.findall(unescape(answer.content.decode())):
            try:
                match = resolve(path.partition("?")[0])
            except Resolver404:
                continue
            if match.view_name.startswith(ROOMS):
                found.setdefault(match.view_name, set()).add(page)
    return found


@pytest.mark.parametrize("role", PEOPLE)
def test_pages_lead_to_what_one_may_do_and_to_nothing_else(
    people: dict[str, Person], known: dict[str, Any], role: str
) -> None:
    found = ways(people[role], known)
    assert {name: pages for name, pages in found.items() if role not in TABLE.get(name, PEOPLE)} == {}
    if role not in {ADMIN, WRITER}:
        assert {name for name in found if name.startswith(("flows:", "reporting:"))} == set()
        assert ("participants:add" in found) == (role == ADDER)
        return
    seen = LOOK_WAYS | (DO_WAYS if role == ADMIN else set())
    assert seen - {*found} == set()


@pytest.mark.parametrize("status", ["running", "paused", "not_running"])
def test_the_acts_of_a_status_are_there_for_flow_administrators_alone(
    people: dict[str, Person], known: dict[str, Any], stage: Stage, status: str
) -> None:
    with stage.scope():
        off = {"started_at": None} if status == "not_running" else {}
        Flow.objects.filter(pk=stage.flow.pk).update(status=status, **off)
    acts = set().union(*STATUS_WAYS.values())
    for role in (ADMIN, WRITER):
        for page in ("flows/?view=list", "flows/?view=tiles", "flows/{flow_id}/"):
            found = {*ways(people[role], known, [page])}
            assert found & acts == (STATUS_WAYS[status] if role == ADMIN else set()), (role, page)


# The ways that a person finds without opening a dialog or a side panel.
LOOK_WAYS = {
    *(f"reporting:{name}" for name in (
        "flows", "compare_flows", "flow", "canvas", "reports", "content", "view_new", "participants_view_new", "path",
    )),
    *(f"participants:{name}" for name in ("participants", "participant", "contact_flows", "why", "rehearse")),
    *(f"content:{name}" for name in ("emails", "new", "edit", "forms", "form", "links", "images", "copy")),
}  # fmt: skip
DO_WAYS = {
    *(f"reporting:{name}" for name in (
        "move_several", "folder_new", "folder_rename", "folder_move", "folder_delete", "copy", "rename",
        "put_into_folder",
    )),
    *(f"flows:{name}" for name in ("new", "export", "edit")),
    *(f"content:{name}" for name in ("delete", "form_delete", "link_delete", "scripts")),
    "participants:act", "participants:add", "participants:export", "reporting:report_csv",
}  # fmt: skip
STATUS_WAYS = {
    "running": {"participants:pause", "participants:end"},
    "paused": {"participants:run", "participants:end"},
    "not_running": {"participants:run", "reporting:delete"},
}
