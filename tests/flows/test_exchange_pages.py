"""Flow files in the browser: looked at first, then made; and who may."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import RoleRight, Tenant
from accounts.rights import Right
from content.models import Email
from core.tenancy import tenant_scope
from crm.models import Selection
from flows.exchange.reading import read_file
from flows.models import Flow
from flows.operations.bring_in import bring_in
from flows.operations.drafts import draft_of
from flows.references import uses
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.exchange_files import exported, make_rich, spoiled


@pytest.fixture
def rich(acme: Tenant, alice: Person, world: World) -> Flow:
    return make_rich(acme, alice, world)


@pytest.fixture
def good(rich: Flow, alice: Person) -> dict[str, Any]:
    """The rich flow's file, to spoil."""
    with tenant_scope(alice.tenant.pk):
        found: dict[str, Any] = json.loads(exported(rich, alice))
    return found


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
