"""Flow files: the round trip, what is missing, and files that mean harm."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Group, RoleRight, Tenant
from accounts.rights import Right
from content.models import Email, Form, TrackedLink
from content.operations.emails import Draft, save_email
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import save_script
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Line
from crm.criteria.schema import Group as Lines
from crm.models import CustomField, ListItem, Project, Selection
from crm.operations.lists import add_field, add_item
from crm.operations.selections import Rule, create_selection
from flows.document import (
    Branch,
    ExitSettings,
    Finish,
    FlowDocument,
    FlowSettings,
    Note,
    StepNode,
    SuccessCriterion,
    Trigger,
)
from flows.exchange.export import as_bytes, flow_file
from flows.exchange.matching import OPEN, matched
from flows.exchange.reading import BadFile, read_file
from flows.models import Flow
from flows.operations.bring_in import bring_in
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from flows.references import uses
from flows.validation import problems
from tests.fixtures.people import Person
from tests.flows.conftest import MJML, NOW, World
from tests.flows.documents import step


def line(field: str, operator: str, *values: Any, **more: Any) -> Criteria:
    """Return criteria of one line."""
    return Criteria(groups=(Lines(lines=(Line(field=field, operator=operator, values=values, **more),)),))


@pytest.fixture
def rich(acme: Tenant, alice: Person, world: World) -> Flow:
    """A flow that names something of every kind."""
    with tenant_scope(acme.pk):
        size = add_field(on="contact", name="Size", type_="list", actor=alice.user)
        large = add_item(list_name="custom", field_id=size.pk, name="Large", actor=alice.user)
        link = create_link(
            draft=LinkDraft("Price list", url="https://acme.test/prices"), actor=alice.user, now=NOW
        )
        save_email(
            email_id=world.welcome.pk,
            draft=Draft("Welcome", "Hi", MJML.replace("</mj-text>", f"<a href='{link.tag}'>x</a></mj-text>")),
            revision=world.welcome.revision,
            actor=alice.user,
            now=NOW,
        )
        form = create_form(name="Sign-up 🎉", actor=alice.user, now=NOW)
        script = save_script(
            script_id=None, name="Score", description="", source="result = 1", revision=0, actor=alice.user, now=NOW
        )  # fmt: skip
        project = Project.objects.create(name="Fair", created_at=NOW)
        busy = create_selection(
            name="Large ones", description="", actor=alice.user, now=NOW,
            rule=Rule(criteria=line("contact.custom.size", "one_of", str(large.pk))),
        )  # fmt: skip
        steps = (
            step("send_email", "Say hello", email=world.welcome.pk),
            step(
                "wait_for_action",
                "Wait",
                exits=True,
                exit_selection=world.selection.pk,
                actions=[
                    {"kind": "link", "id": link.pk},
                    {"kind": "email_link", "email": world.welcome.pk},
                    {"kind": "form", "id": form.pk},
                ],
            ),
            StepNode(
                kind="split",
                title="Who",
                settings={"based_on": "contact"},
                branches=(
                    Branch(
                        name="Large",
                        criteria=line("contact.custom.size", "one_of", str(large.pk)),
                        steps=(step("run_script", "Score", script=script.pk),),
                    ),
                    Branch(
                        name="Said no",
                        criteria=line(f"subscription.{world.newsletter.pk}", "no"),
                        exit=ExitSettings(selection=world.excluded.pk),
                    ),
                    Branch(name="Everyone else"),
                ),
            ),
            step("add_to_selection", "Keep", selection=world.selection.pk, project=project.pk),
            step(
                "update_contact",
                "Mark",
                lines=[
                    {"field": "contact.category", "action": "set", "values": [str(world.customer.pk)]},
                    {"field": "contact.custom.size", "action": "set", "values": [str(large.pk)]},
                ],
            ),
            step("create_follow_up", "Call", subject="Call", who="named", user=alice.user.pk),
            step(
                "distribute_to_owner",
                "Turn",
                users=[alice.user.pk],
                groups=[Group.objects.get(name="Marketing").pk],
            ),
        )
        made = create_flow(
            name="Rich <b>flow</b>", owner=alice.user, now=NOW,
            document=FlowDocument(
                settings=world.settings().model_copy(update={"exclusions": (busy.pk,)}),
                triggers=(
                    Trigger(kind="form_submitted", settings={"form": form.pk}),
                    Trigger(kind="contact_created", criteria=line("contact.category", "one_of", world.prospect.pk)),
                ),
                filter=line("contact.selections", "one_of", str(world.selection.pk)),
                success=(SuccessCriterion(kind="link_clicked", settings={"link": link.pk}),),
                steps=steps,
                finish=Finish(success=ExitSettings(selection=world.selection.pk)),
                notes=(Note(text="Ask Alice", step=steps[0].id),),
            ),
        )  # fmt: skip
        # A flow that goes on to itself.
        document = draft_of(made)
        finish = document.finish.model_copy(update={"no_success": ExitSettings(flow=made.pk)})
        made.draft = document.model_copy(update={"finish": finish}).model_dump(mode="json")
        made.save(update_fields=["draft"])
        return made


def exported(flow: Flow, person: Person) -> bytes:
    return as_bytes(flow_file(flow, member=person.member))


def test_everything_that_a_flow_names_is_told_in_the_files_own_numbers(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(rich, alice)
        named = {use.reference.kind for use in uses(draft_of(rich))}
    told = json.loads(data)["uses"]
    assert {one["kind"] for one in told} == named
    by_kind: dict[str, list[int]] = {}
    for one in told:
        by_kind.setdefault(one["kind"], []).append(one["id"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_kind.values())
    assert "alice@acme.test" not in data.decode().lower()
    assert read_file(data).name == "Rich <b>flow</b>"


def test_in_the_same_tenant_the_round_trip_is_equal(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        first = exported(rich, alice)
        file = read_file(first)
        found = matched(file, member=alice.member)
        assert [one.used.name for one in found.missing] == []
        again = bring_in(
            file=file, decisions=found.decisions, name=file.name, member=alice.member, now=NOW
        ).flow
        assert exported(again, alice) == first
        before, after = draft_of(rich), draft_of(again)
        assert after.steps[0].settings["email"] != before.steps[0].settings["email"]
        assert after.steps[3].settings == before.steps[3].settings
        assert after.finish.no_success.flow == again.pk
        email = Email.objects.get(pk=after.steps[0].settings["email"])
        assert (email.flow_id, email.name, email.current_id is not None) == (again.pk, "Welcome", True)
        assert after.steps[1].settings["actions"][1]["email"] == email.pk
        assert [p.message for p in problems(after, now=NOW)] == [p.message for p in problems(before, now=NOW)]


def test_in_another_tenant_all_of_it_is_made_and_nothing_points_home(
    rich: Flow, alice: Person, charlie: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(rich, alice)
    with tenant_scope(charlie.tenant.pk):
        file = read_file(data)
        found = matched(file, member=charlie.member)
        left = {one.used.name for one in found.missing if one.decision == OPEN}
        assert left == {"Alice Wong", "Marketing"}
        flow = bring_in(
            file=file, decisions=found.decisions, name="Rich", member=charlie.member, now=NOW
        ).flow
        document = draft_of(flow)
        link = TrackedLink.objects.get(name="Price list")
        assert link.tag in Email.objects.get(name="Welcome").mjml
        assert Form.objects.get(name="Sign-up 🎉").is_open is False
        field = CustomField.objects.get(name="Size")
        large = ListItem.objects.get(field=field, name="Large")
        assert document.steps[4].settings["lines"][1]["values"] == [str(large.pk)]
        dynamic = Selection.objects.get(name="Large ones")
        assert dynamic.criteria["groups"][0]["lines"][0]["values"] == [str(large.pk)]  # type: ignore[index]
        assert document.settings.exclusions == (dynamic.pk,)
        told = [
            (problem.title, problem.place)
            for problem in problems(document, now=NOW)
            if not problem.is_warning
        ]
        assert ("Turn", "users") in told or any(title == "Turn" for title, _ in told)
        assert not {use.reference.id for use in uses(document)} - {0} - {
            pk for model in (Email, Form, TrackedLink, Selection, Project, ListItem, CustomField)
            for pk in model.objects.values_list("pk", flat=True)
        } - {pk for (_, pk) in _others(document)}  # fmt: skip


def _others(document: FlowDocument) -> set[tuple[str, int]]:
    kinds = {"flow", "script", "subscription_type", "user", "group"}
    return {(u.reference.kind, u.reference.id) for u in uses(document) if u.reference.kind in kinds}


def test_what_is_left_open_is_a_problem_where_it_is_used(rich: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        file = read_file(exported(rich, alice))
        flow = bring_in(file=file, decisions={}, name="Open", member=alice.member, now=NOW).flow
        document = draft_of(flow)
        places = {problem.title.partition(":")[0] for problem in problems(document, now=NOW)}
        assert {use.reference.id for use in uses(document) if use.reference.kind == "selection"} == {0}
    assert places >= {
        "Enrolment settings", "Message settings", "Trigger", "Filter", "Success criteria", "Wait", "Who", "Score",
        "Keep", "Mark", "Call", "Turn", "Finish",
    }  # fmt: skip


# Where nothing chosen is right: left open it must not quietly become "nothing".
OPTIONAL = [
    ("wait_for_action", "exit_flow", {"exits": True}),
    ("wait_for_action", "exit_selection", {"exits": True}),
    ("send_sms", "exit_flow", {"if_cannot": "exit"}),
    ("send_sms", "exit_selection", {"if_cannot": "exit"}),
    ("create_follow_up", "type", {}),
    ("create_follow_up", "project", {}),
    ("create_follow_up", "fallback_user", {}),
    ("create_sale", "project", {"sale_type": 1}),
    ("create_sale", "fallback_user", {"sale_type": 1}),
    ("notify_by_email", "fallback_user", {}),
    ("notify_by_sms", "fallback_user", {}),
    ("distribute_to_owner", "fallback_user", {"users": [0]}),
    ("add_to_selection", "project", {}),
    ("remove_from_selection", "project", {}),
]


@pytest.mark.parametrize(("kind", "setting", "more"), OPTIONAL)
def test_what_may_stay_empty_is_still_a_problem_when_it_was_left_open(
    acme: Tenant, kind: str, setting: str, more: dict[str, Any]
) -> None:
    with tenant_scope(acme.pk):

        def told(value: int | None) -> set[str]:
            node = step(kind, "It", **{**more, setting: value})
            return {
                p.message for p in problems(FlowDocument(steps=(node,)), now=NOW) if p.part.startswith("step")
            }

        assert told(0) - told(None)


@pytest.fixture
def good(rich: Flow, alice: Person) -> dict[str, Any]:
    """The rich flow's file, to spoil."""
    with tenant_scope(alice.tenant.pk):
        found: dict[str, Any] = json.loads(exported(rich, alice))
    return found


def spoiled(file: dict[str, Any], path: str, value: Any) -> bytes:
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = file
    for part in way:
        inner = inner[part]
    inner[last] = value
    return json.dumps(file).encode()


@pytest.mark.parametrize(
    ("path", "value", "place", "message"),
    [
        ("format", "x", "", "This is no flow file"),
        ("version", 7, "", "The file is of version 7"),
        ("name", "", "name", "at least 1 character"),
        ("name", "a\nb", "name", "one line"),
        ("name", "a\x00b", "name", "a character that is none"),
        ("name", 7, "name", "valid string"),
        ("evil", 1, "evil", "not permitted"),
        ("document.steps.0.kind", "format_disk", "step “Say hello”", "There is no kind of step “format_disk”."),
        ("document.steps.0.settings.email", 812, "step “Say hello”", "Names email 812, of which"),
        ("document.steps.0.settings.email", "1 OR 1=1", "step “Say hello”", "email: "),
        ("document.steps.0.settings", {"hack": 1}, "step “Say hello”", "hack: "),
        ("document.steps.0.title", "x" * 201, "step “xxx", "200 characters at most"),
        ("document.steps.0", "boo", "document, steps 1", ""),
        ("document.steps.3.settings.selection", 10**30, "document, steps 4, settings, selection", "beyond all"),
        ("document.steps.2.branches", [], "document", "one branch and everyone else"),
        ("document.steps.2.branches.0.settings", {"selection": {"a": 1}}, "step “Who”", "branch “Large”"),
        ("document.steps.2.settings.based_on", "stars", "step “Who”", "not based on “stars”"),
        ("document.steps.2.branches.0.criteria.groups.0.lines.0.values", ["99"], "step “Who”, b", "list value 99"),
        ("document.triggers.0.settings.form", 99, "Trigger", "Names form 99"),
        ("document.filter.groups.0.lines.0.values", [77], "Filter", "Names selection 77"),
        ("document.settings.exclusions", [55], "Settings", "Names selection 55"),
        ("document.settings.timezone", "../../etc/passwd", "settings, timezone", "There is no timezone"),
        ("document.settings.messages.sender.email", "a@b.test\nBcc: c@d", "settings, messages, sender", "no e-mail"),
        ("document.settings.starts_at", "2026-11-02T09:00:00", "settings, starts_at", "Needs an offset"),
        ("uses.0.kind", "password", "uses “", "A flow uses no “password”."),
        ("uses.0.id", 0, "uses 1", "greater than or equal to 1"),
        ("uses.0.data", {"secret": 1}, "uses “", "secret: "),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_says_where(
    good: dict[str, Any], alice: Person, path: str, value: Any, place: str, message: str
) -> None:
    with tenant_scope(alice.tenant.pk), pytest.raises(BadFile) as bad:
        read_file(spoiled(good, path, value))
    found = [one for one in bad.value.problems if one.place.startswith(place) and message in one.message]
    assert found, bad.value.problems


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "not written in UTF-8"),
        (b'{"format": ', "line 1, column 12"),
        (b"[" * 100_000, "nested more than 100 deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested more than 100 deep"),
        (b" " * (2 * 1024 * 1024 + 1), "larger than 2 MB"),
        (b'{"format": "millrace-flow", "version": NaN}', "a number that cannot be read"),
        (b'{"format": "millrace-flow", "version": 1, "x": ' + b"9" * 5_000 + b"}", "a number that cannot be read"),
        (b"[]", "This is no flow file"),
        (b"null", "This is no flow file"),
    ],
)  # fmt: skip
def test_what_is_no_flow_file_says_so(data: bytes, message: str) -> None:
    with pytest.raises(BadFile) as bad:
        read_file(data)
    assert message in bad.value.problems[0].message


def upload(person: Person, data: bytes) -> Any:
    file = SimpleUploadedFile("x.flow.json", data, content_type="application/json")
    return person.client().post(person.url("flows/import/"), {"file": file})


def count(person: Person) -> tuple[int, int, int]:
    with tenant_scope(person.tenant.pk):
        return Flow.objects.count(), Email.objects.count(), Selection.objects.count()


def test_in_the_browser_a_file_is_looked_at_first_and_then_becomes_a_flow(
    rich: Flow, alice: Person, bob: Person
) -> None:
    client = bob.client()
    answer = client.get(bob.url(f"flows/{rich.pk}/export/"))
    assert answer["Content-Type"] == "application/json"
    assert 'filename="rich-bflowb.flow.json"' in answer["Content-Disposition"]
    before = count(bob)
    page = upload(bob, answer.content)
    html = page.content.decode()
    assert page.status_code == 200
    assert count(bob) == before
    assert "Import Rich &lt;b&gt;flow&lt;/b&gt;" in html
    assert "Rich <b>flow" not in html
    text = unescape(re.search(r"<textarea name=\"text\"[^>]*>(.*?)</textarea>", html, re.DOTALL)[1])  # type: ignore[index]
    assert text.strip().encode() == answer.content.strip()
    with tenant_scope(bob.tenant.pk):
        other = Selection.objects.get(name="Competitors")
    done = client.post(
        bob.url("flows/import/"), {"text": text, "make": "1", "name": "Mine", "folder": "", "use-selection-1": other.pk}
    )  # fmt: skip
    assert done.status_code == 302, done.content.decode()
    with tenant_scope(bob.tenant.pk):
        flow = Flow.objects.get(name="Mine")
        assert (flow.owner_id, flow.status, flow.revision) == (bob.user.pk, "not_running", 0)
        assert draft_of(flow).filter.groups[0].lines[0].values != ()  # type: ignore[union-attr]
    assert bob.client().get(done["Location"]).status_code == 200


def test_what_was_not_offered_cannot_be_taken(
    rich: Flow, alice: Person, bob: Person, charlie: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(rich, alice)
    with tenant_scope(charlie.tenant.pk):
        foreign = Selection.objects.create(name="Theirs", created_at=NOW)
    for wrong in (str(foreign.pk), "-1", "abc", "1; drop table", "9" * 40, "make"):
        answer = bob.client().post(
            bob.url("flows/import/"), {"text": data.decode(), "make": "1", "name": wrong[:20], "use-selection-1": wrong}
        )  # fmt: skip
        assert answer.status_code == 302
        with tenant_scope(bob.tenant.pk):
            flow = Flow.objects.get(name=wrong[:20])
            named = {u.reference.id for u in uses(draft_of(flow)) if u.reference.kind == "selection"}
            assert named <= set(Selection.objects.values_list("pk", flat=True))


def test_a_bad_file_changes_nothing_and_is_answered_at_its_place(good: dict[str, Any], bob: Person) -> None:
    before = count(bob)
    answer = upload(bob, spoiled(good, "document.steps.0.kind", "<script>alert(1)</script>"))
    html = answer.content.decode()
    assert answer.status_code == 422
    assert count(bob) == before
    assert "Nothing was changed" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html
    assert upload(bob, b"").status_code == 422


def test_what_cannot_be_made_makes_nothing_at_all(good: dict[str, Any], charlie: Person) -> None:
    link = next(n for n, one in enumerate(good["uses"]) if one["kind"] == "link")
    before = count(charlie)
    data = spoiled(good, f"uses.{link}.data.url", "javascript:alert(1)")
    answer = charlie.client().post(
        charlie.url("flows/import/"), {"text": data.decode(), "make": "1", "name": "Evil"}
    )
    assert answer.status_code == 422
    assert "Tracked link “Price list”" in answer.content.decode()
    assert count(charlie) == before


def test_who_may_not_override_consent_does_not_get_it_by_a_file(
    good: dict[str, Any], alice: Person, bob: Person
) -> None:
    data = spoiled(good, "document.settings.messages.override_consent", True)
    with tenant_scope(bob.tenant.pk):
        RoleRight.objects.filter(role=bob.member.role, right=Right.OVERRIDE_CONSENT).delete()
        file = read_file(data)
        done = bring_in(file=file, decisions={}, name="No", member=bob.member, now=NOW)
        assert draft_of(done.flow).settings.messages.override_consent is False
        assert done.notes == ("The file sends without consent, which you may not do: that is off now.",)
        kept = bring_in(file=file, decisions={}, name="Yes", member=alice.member, now=NOW)
        assert draft_of(kept.flow).settings.messages.override_consent is alice.member.may(
            Right.OVERRIDE_CONSENT
        )


def test_only_flow_administrators_export_and_import(
    rich: Flow, wendy: Person, rory: Person, charlie: Person
) -> None:
    for person in (wendy, rory, charlie):
        assert person.client().get(person.url(f"flows/{rich.pk}/export/")).status_code == 404
    for person in (wendy, rory):
        assert person.client().get(person.url("flows/import/")).status_code == 404
        assert upload(person, b"{}").status_code == 404
    page = wendy.client().get(wendy.url("flows/")).content.decode()
    assert "Export to a file" not in page


def test_a_flow_that_one_does_not_see_is_not_exported(rich: Flow, bob: Person) -> None:
    with tenant_scope(bob.tenant.pk):
        Flow.objects.filter(pk=rich.pk).update(visibility=Flow.Visibility.OWNER)
    assert bob.client().get(bob.url(f"flows/{rich.pk}/export/")).status_code == 404


def test_settings_of_a_blank_flow_survive(acme: Tenant, alice: Person) -> None:
    with tenant_scope(acme.pk):
        flow = create_flow(
            name="Blank", owner=alice.user, now=NOW, document=FlowDocument(settings=FlowSettings())
        )
        first = exported(flow, alice)
        again = bring_in(file=read_file(first), decisions={}, name="Blank", member=alice.member, now=NOW)
        assert exported(again.flow, alice) == first
