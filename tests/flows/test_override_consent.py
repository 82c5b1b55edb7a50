"""Sending without consent, for who may not set it: no revision, undo, redo or copy brings it; what is set stays."""

from __future__ import annotations

import html

import pytest

from accounts.models import AuditEntry, RoleRight
from accounts.rights import Right
from core.tenancy import tenant_scope
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations import drafts
from flows.operations.save import save_draft
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step

NOTE = "sends without consent, which you may not do: that is off now."


@pytest.fixture(autouse=True)
def bob_may_not(alice: Person, bob: Person) -> None:
    with tenant_scope(bob.tenant.pk):
        RoleRight.objects.filter(role=bob.member.role, right=Right.OVERRIDE_CONSENT).delete()
        assert alice.member.may(Right.OVERRIDE_CONSENT)


def overriding(document: FlowDocument, on: bool) -> FlowDocument:
    """Return the document with *send without consent* on or off."""
    messages = document.settings.messages.model_copy(update={"override_consent": on})
    return document.model_copy(
        update={"settings": document.settings.model_copy(update={"messages": messages})}
    )


def turned(flow: Flow, alice: Person, on: bool, *, save: bool = False) -> None:
    """Let Alice, who may, turn it on or off in the draft."""
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk,
            base_version=flow.draft_version,
            change=lambda document: overriding(document, on),
            label="consent",
            actor=alice.user,
            now=NOW,
        )
        flow.refresh_from_db()
        if save:
            save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)


def is_on(flow: Flow, person: Person) -> bool:
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        return drafts.draft_of(flow).settings.messages.override_consent


def posted(person: Person, flow: Flow, path: str) -> str:
    """Post with the newest version, follow, and return the page in words."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
    url = person.url(f"flows/{flow.pk}/{path}")
    answer = person.client().post(url, {"base_version": flow.draft_version}, follow=True)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_revision_brings_it_back_only_for_who_may(alice: Person, bob: Person, flow: Flow) -> None:
    turned(flow, alice, True, save=True)
    turned(flow, alice, False, save=True)
    page = posted(bob, flow, "edit/revisions/1/restore/")
    assert f"Revision 1 {NOTE}" in page
    assert not is_on(flow, bob)
    page = posted(alice, flow, "edit/revisions/1/restore/")
    assert NOTE not in page
    assert is_on(flow, bob)


def test_undo_and_redo_bring_it_back_only_for_who_may(alice: Person, flow: Flow) -> None:
    turned(flow, alice, True)
    turned(flow, alice, False)
    assert NOTE not in posted(alice, flow, "edit/undo/")
    assert is_on(flow, alice)
    assert NOTE not in posted(alice, flow, "edit/redo/")
    # She turned it on herself, and may not any more.
    with tenant_scope(alice.tenant.pk):
        RoleRight.objects.filter(role=alice.member.role, right=Right.OVERRIDE_CONSENT).delete()
    assert f"That state of the flow {NOTE}" in posted(alice, flow, "edit/undo/")
    assert not is_on(flow, alice)
    assert NOTE not in posted(alice, flow, "edit/undo/")
    assert f"That state of the flow {NOTE}" in posted(alice, flow, "edit/redo/")
    assert not is_on(flow, alice)


def test_who_may_not_set_it_cannot_undo_what_somebody_else_did(
    alice: Person, bob: Person, flow: Flow
) -> None:
    turned(flow, alice, True)
    turned(flow, alice, False)
    answer = bob.client().post(bob.url(f"flows/{flow.pk}/edit/undo/"), {"base_version": flow.draft_version})
    assert answer.status_code == 422
    assert alice.user.get_full_name() in answer.text
    assert not is_on(flow, bob)


def test_what_somebody_else_has_set_stays_while_others_undo(alice: Person, bob: Person, flow: Flow) -> None:
    turned(flow, alice, True)
    with tenant_scope(bob.tenant.pk):
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk,
            base_version=flow.draft_version,
            change=lambda document: document.model_copy(update={"steps": (step(),)}),
            label="added",
            actor=bob.user,
            now=NOW,
        )
    assert NOTE not in posted(bob, flow, "edit/undo/")
    assert is_on(flow, bob)


def test_a_copy_has_it_only_for_who_may(alice: Person, bob: Person, flow: Flow) -> None:
    turned(flow, alice, True)
    assert f"The original {NOTE}" in posted(bob, flow, "copy/")
    with tenant_scope(bob.tenant.pk):
        copy = Flow.objects.exclude(pk=flow.pk).get()
    assert not is_on(copy, bob)
    assert NOTE not in posted(alice, flow, "copy/")
    with tenant_scope(bob.tenant.pk):
        other = Flow.objects.exclude(pk__in=[flow.pk, copy.pk]).get()
    assert is_on(other, bob)
    assert is_on(flow, bob)


def test_the_audit_log_says_who_let_a_flow_send_without_consent_and_who_saved_it(
    alice: Person, bob: Person, flow: Flow
) -> None:
    def told() -> list[tuple[str, str | None, str, dict[str, object]]]:
        with tenant_scope(alice.tenant.pk):
            rows = AuditEntry.objects.filter(action__startswith="flow.consent").order_by("id")
            return [
                (one.action, one.actor.email if one.actor else None, one.object_name, one.payload)
                for one in rows
            ]

    turned(flow, alice, True)
    # What is only in the draft counts for nobody yet.
    assert told() == []
    with tenant_scope(bob.tenant.pk):
        flow.refresh_from_db()
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=bob.user, now=NOW)
    on = (
        "flow.consent_overridden",
        bob.user.email,
        flow.name,
        {"revision": 1, "set_by": alice.user.email},
    )
    assert told() == [on]
    # A save that leaves it on tells nothing again.
    with tenant_scope(bob.tenant.pk):
        drafts.apply(
            flow_id=flow.pk, base_version=flow.draft_version, label="added", actor=bob.user, now=NOW,
            change=lambda document: document.model_copy(update={"steps": (step(),)}),
        )  # fmt: skip
        flow.refresh_from_db()
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=bob.user, now=NOW)
    assert told() == [on]
    turned(flow, alice, False, save=True)
    off = (
        "flow.consent_asked_again",
        alice.user.email,
        flow.name,
        {"revision": 3, "set_by": alice.user.email},
    )
    assert told() == [on, off]
    page = alice.client().get(alice.url("settings/audit/")).content.decode()
    assert "Flow sends without consent" in page
    assert "Flow asks for consent again" in page
