"""Revisions: what each changed in words, two compared, one brought back; who may, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.tenancy import tenant_scope
from flows.comparing.compare import compare
from flows.comparing.words import Line, told
from flows.document import Branch, FlowDocument
from flows.editing import branches, frame, steps
from flows.editing.tree import Slot
from flows.models import DraftState, Flow, FlowRevision
from flows.operations import drafts
from flows.operations.save import save_draft
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import CHEFS, job, split, step
from tests.support.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)


def change(flow: Flow, person: Person, document: FlowDocument, *, save: bool = False) -> None:
    """Make a document the draft, and save it where told to."""
    with tenant_scope(person.tenant.pk):
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk,
            base_version=flow.draft_version,
            change=lambda _: document,
            label="given",
            actor=person.user,
            now=NOW,
        )
        flow.refresh_from_db()
        if save:
            save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=person.user, now=NOW)
            flow.refresh_from_db()


def test_settings_are_told_by_their_labels_and_names(acme: Any, world: World) -> None:
    wait, mail = step(title="Wait", amount=2, unit="days"), step("send_email", "Mail", email=world.welcome.pk)
    fork = split(Branch(name="Chefs", criteria=CHEFS), title="Fork")
    old = FlowDocument(settings=world.settings(), steps=(wait, mail, fork))
    new = steps.update(
        old, step_id=wait.id, title="Wait", note="", settings={"amount": 3, "unit": "weeks", "mode": "span"}
    )
    new = steps.update(new, step_id=mail.id, title="Mail", note="", settings={"email": world.unfinished.pk})
    new = branches.update_branch(new, branch_id=fork.branches[0].id, name="Cooks", criteria=job("cook"))
    new = frame.with_settings(
        new, settings=old.settings.model_copy(update={"exclusions": (world.excluded.pk,), "once_only": True})
    )
    new = steps.insert(new, slot=Slot(fork.branches[1].id, 0), node=step(title="Later 🎉"))
    with tenant_scope(acme.pk):
        found = told(compare(old, new), old, new)
    assert [(one.verb, one.title, one.place, one.lines) for one in found] == [
        (
            "Changed",
            "Enrolment settings",
            "",
            [
                Line("A contact may start this flow only once", "no", "yes"),
                Line("Exclusion list", "nothing", "Competitors"),
            ],
        ),
        (
            "Changed",
            "Wait",
            "",
            [
                Line("How many", "2", "3"),
                Line("Unit", "days", "weeks"),
                Line("Wait", "nothing", "For a time after the previous step"),
            ],
        ),
        ("Changed", "Mail", "", [Line("Email", "Welcome", "Unfinished")]),
        ("Added", "Later 🎉", "at the start of branch “Everyone else”", []),
        (
            "Changed",
            "Cooks",
            "",
            [
                Line("Name", "Chefs", "Cooks"),
                Line("Who", "Job title contains “chef”", "Job title contains “cook”"),
            ],
        ),
    ]


def test_each_save_says_what_it_changed_and_the_panel_lists_it(
    alice: Person, flow: Flow, world: World
) -> None:
    wait, mail = step(title="Wait"), step("send_email", "Mail")
    document = FlowDocument(settings=world.settings(), steps=(wait,))
    change(flow, alice, document, save=True)
    document = steps.insert(document, slot=Slot(None, 1), node=mail)
    document = steps.update(document, step_id=wait.id, title="Rest", note="", settings={})
    change(flow, alice, document, save=True)
    with tenant_scope(alice.tenant.pk):
        notes = list(FlowRevision.objects.order_by("number").values_list("note", flat=True))
    assert notes == ["", "Changed “Rest”; added “Mail”"]
    html = alice.client().get(alice.url(f"flows/{flow.pk}/edit/panel/"), {"part": "revisions"}).text
    assert "Changed “Rest”; added “Mail”" in html
    assert "First save" in html


def test_two_revisions_are_compared_and_the_draft_with_one(alice: Person, flow: Flow, world: World) -> None:
    first, second = step(title="One & <b>"), step(title="Two")
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(first,)), save=True)
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(first, second)), save=True)
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(second,)))
    client, url = alice.client(), alice.url(f"flows/{flow.pk}/edit/revisions/compare/")

    def seen(**query: Any) -> list[tuple[str, str]]:
        html = client.get(url, query).text
        return re.findall(r'badge">.*?</svg>(\w+)</span>.*?<b>(?:<a[^>]*>)?([^<]*)', html, re.DOTALL)

    assert seen(**{"from": 1, "to": 2}) == [("Added", "Two")]
    assert seen(**{"from": 2, "to": 1}) == [("Removed", "Two")]
    assert seen() == [("Removed", "One &amp; &lt;b&gt;")], "the newest revision with the draft"
    assert seen(**{"from": "9", "to": "<script>"}) == seen()
    assert "Nothing differs" in client.get(url, {"from": 1, "to": 1}).text


def test_a_comparison_asks_no_more_for_many_differences_than_for_few(
    alice: Person, flow: Flow, world: World
) -> None:
    def counted(number: int) -> int:
        forks = tuple(split(Branch(name="A", criteria=job(f"j{n}"))) for n in range(number))
        old = FlowDocument(steps=forks)
        new = old
        for fork in forks:
            new = branches.update_branch(new, branch_id=fork.branches[0].id, name="A", criteria=job("other"))
        with tenant_scope(alice.tenant.pk), statements() as asked:
            assert len(told(compare(old, new), old, new)) == number
        return len(asked)

    assert counted(2) == counted(40)


def test_a_revision_comes_back_as_the_draft_and_undo_takes_it_back(
    alice: Person, flow: Flow, world: World
) -> None:
    one, two = step(title="One"), step(title="Two")
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(one,)), save=True)
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(two,)), save=True)
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(two, step(title="Unsaved"))))
    client = alice.client()
    panel = client.get(alice.url(f"flows/{flow.pk}/edit/panel/"), {"part": "revisions"}).text
    assert "The draft has changes that are not saved" in panel
    url = alice.url(f"flows/{flow.pk}/edit/revisions/1/restore/")
    stale = client.post(url, {"base_version": flow.draft_version - 1})
    assert stale.status_code == 302
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        assert [n.title for n in drafts.draft_of(flow).walk()] == ["Two", "Unsaved"]
    client.post(url, {"base_version": flow.draft_version})
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        assert [n.title for n in drafts.draft_of(flow).walk()] == ["One"]
        assert flow.revision == 2, "only a save makes a revision"
        back = drafts.undo(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
        assert [n.title for n in drafts.draft_of(back).walk()] == ["Two", "Unsaved"]
    assert client.post(alice.url(f"flows/{flow.pk}/edit/revisions/9/restore/"), {}).status_code == 404


def test_a_running_flow_is_not_restored_and_strangers_find_nothing(
    alice: Person, wendy: Person, charlie: Person, flow: Flow, world: World
) -> None:
    change(flow, alice, FlowDocument(settings=world.settings(), steps=(step(),)), save=True)
    with tenant_scope(alice.tenant.pk):
        before = DraftState.objects.count()
        Flow.objects.filter(pk=flow.pk).update(status="running", started_at=NOW)
    base = f"flows/{flow.pk}/edit/revisions/"
    for who in (wendy, charlie):
        assert who.client().get(who.url(f"{base}compare/")).status_code == 404
        assert who.client().post(who.url(f"{base}1/restore/"), {"base_version": 1}).status_code == 404
    alice.client().post(alice.url(f"{base}1/restore/"), {"base_version": flow.draft_version})
    with tenant_scope(alice.tenant.pk):
        assert DraftState.objects.count() == before
