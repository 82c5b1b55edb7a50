"""The main job without a browser: import, write, draw, run, two days go by, a recipient leaves, pause, edit, end.

Everything through operations; mail goes over real SMTP and is read back; time is passed, never waited for.
"""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import Role, Tenant
from accounts.operations.invitations import invite, register_by_invitation
from core.db.cursors import raw_cursor
from core.jobs import run_slice
from core.tenancy import tenant_scope
from crm.bulk import Change, add_to_selection, update_fields
from crm.events import Origin
from crm.models import Contact, Event, Selection
from crm.operations.imports import receive_upload, settle_import, start_import
from flows.document import (
    StepNode,
)
from flows.operations.drafts import apply
from flows.operations.lifecycle import pause, resume
from flows.operations.save import save_draft
from participants.engine.batch import run_batch
from participants.intake import take_events
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from participants.operations.lifecycle import end_flow
from tests.fixtures.people import Person
from tests.story.verbs import CSV, START, Story, parts, person, start
from tests.story.verbs import story as story
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_administrator_invites_three_people_who_join_with_their_rights(
    acme: Tenant, alice: Person
) -> None:
    wanted = {
        "Flow administrator": "m@acme.test",
        "Content writer": "w@acme.test",
        "Sales rep": "r@acme.test",
    }
    with tenant_scope(acme.pk):
        rights = {}
        for name, address in wanted.items():
            role = Role.objects.get(name=name)
            invitation = invite(email=address, role=role, group=None, actor=alice.member, now=START)
            member = register_by_invitation(
                invitation_id=invitation.pk,
                first_name="New",
                last_name="Person",
                password="a-long-enough-word",
                now=START,
            )
            rights[name] = set(member.role.rights.values_list("right", flat=True))
    assert "flow_administrator" in rights["Flow administrator"]
    assert "edit_flow_content" in rights["Content writer"]
    assert "flow_administrator" not in rights["Content writer"]
    assert not {"flow_administrator", "edit_flow_content"} & rights["Sales rep"]


def test_the_sample_file_is_imported_and_its_prospects_are_enrolled(story: Story, mailbox: Mailbox) -> None:
    with story.scope():
        target = Selection.objects.create(name="From the fair", created_at=story.now)
        imported = receive_upload(
            chunks=[CSV.read_bytes()], file_name="contacts.csv", user_id=story.bob.user.pk, now=story.now
        )
        settle_import(
            import_id=imported.pk, mapping=imported.mapping, legal_basis="Consent", source="Fair", add_values=True,
            selection_id=target.pk,
        )  # fmt: skip
        job_id = start_import(import_id=imported.pk, user_id=story.bob.user.pk, now=story.now).job_id
    assert job_id is not None
    while run_slice(tenant_id=story.tenant.pk, job_id=job_id, now=story.now):
        pass
    with story.scope():
        imported.refresh_from_db()
        assert (imported.created, imported.updated, imported.rejected) == (9882, 75, 43)
        flow = start(story)
        members = list(target.members.values_list("contact_id", flat=True))
        result = suggest(
            flow_id=flow.pk, contact_ids=members, source=Source("selection", target.pk), now=story.now
        )
    assert sum(result.verdicts.values()) == 9882
    assert set(result.verdicts) == {"enrolled", "filter"}
    assert take_events(tenant_id=story.tenant.pk, now=story.now).flows == set()

    moved = run_batch(tenant_id=story.tenant.pk, flow_id=flow.pk, now=story.now, limit=5000)

    assert moved.claimed == min(5000, result.enrolled)
    with story.scope():
        left = Participant.objects.filter(flow_id=flow.pk, status="dropped")
        assert set(left.values_list("drop_reason", flat=True)) <= {
            "no_consent", "no_email", "duplicate_address",
        }  # fmt: skip
        assert moved.messages == Participant.objects.filter(flow_id=flow.pk, waiting=True).count() > 1000


def test_the_welcome_arrives_whole_and_two_days_later_each_goes_the_right_way(
    story: Story, mailbox: Mailbox
) -> None:
    with story.scope():
        eng = person(story, "Юлия", job_title="Chief Engineer")
        nordic = person(story, "Åse", country="NO")
        other = person(story, "Otto")
        excluded = person(story, "Xenia")
        flow = start(story)
        Selection.objects.get(name="Never").members.create(contact=excluded, added_at=story.now)
        people = [eng.pk, nordic.pk, other.pk, excluded.pk]
        found = suggest(flow_id=flow.pk, contact_ids=people, source=Source("manual"), now=story.now)
        assert found.verdicts == {"enrolled": 3, "excluded": 1}
    story.turn(flow)

    assert len(mailbox.received) == 3
    mail = mailbox.to("юлия@post.test" if mailbox.to("юлия@post.test") else eng.email)[0].message
    text, html = parts(mail)
    assert mail["Subject"] == "Welcome, Юлия"
    assert "Hei Юлия — ты, 你好, 🙂" in text
    assert "color: #0a5e49" in html or "color:#0a5e49" in html
    assert "https://acme.test/offer" not in html
    assert "/m/" in html
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "1 Mill Lane" in text

    story.pass_days(2)
    story.turn(flow)

    with story.scope():
        assert story.path(story.one(flow, eng))[-1] == ("Offer", "went_on")
        assert story.path(story.one(flow, nordic))[-1] == ("Offer", "went_on")
        gone = story.one(flow, other)
        assert (gone.status, gone.drop_reason) == ("dropped", "no_branch")
        assert list(Selection.objects.get(name="Left over").members.values_list("contact_id", flat=True)) == [
            other.pk
        ]
        assert Contact.objects.get(pk=eng.pk).job_title == "Chief Engineer (contacted)"
        assert story.one(flow, eng).status == "finished"
    assert len(mailbox.received) == 5


def test_a_recipient_opens_clicks_and_leaves_with_one_click(
    story: Story, mailbox: Mailbox, client: Client
) -> None:
    with story.scope():
        anna = person(story, "Anna", country="NO")
        flow = start(story)
        suggest(flow_id=flow.pk, contact_ids=[anna.pk], source=Source("manual"), now=story.now)
    story.turn(flow)
    mail = mailbox.to("anna@post.test")[0].message
    _, html = parts(mail)
    paths = re.findall(r"https?://[^/\"]+(/m/[a-z]/[^\"?& ]+)", html)
    browser = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    # A person does not click within seconds of delivery; scanners do.
    story.pass_days(0.1)
    click = client.get(next(path for path in paths if path.startswith("/m/c/")), headers=browser)
    pixel = client.get(next(path for path in paths if path.startswith("/m/o/")), headers=browser)
    one_click = re.search(r"<(https?://[^>]+)>", str(mail["List-Unsubscribe"]))
    assert one_click is not None
    left = client.post("/m/" + one_click.group(1).split("/m/")[1], {"List-Unsubscribe": "One-Click"})

    assert (click.status_code, click["Location"].split("?")[0]) == (302, "https://acme.test/offer")
    assert (pixel.status_code, pixel["Content-Type"], left.status_code) == (200, "image/gif", 200)
    story.pass_days(2)
    story.turn(flow)
    with story.scope():
        participant = story.one(flow, anna)
        assert (participant.status, participant.drop_reason) == ("dropped", "unsubscribed")
        assert story.path(participant)[-1] == ("Offer", "left:unsubscribed")
        kinds = set(Event.objects.filter(contact_id=anna.pk).values_list("kind", flat=True))
        assert {"flow.enrolled", "message.sent", "unsubscribed", "flow.dropped"} <= kinds
    assert len(mailbox.received) == 1


@pytest.mark.parametrize("move", [True, False])
def test_becoming_a_customer_is_success_with_and_without_move_to_finish(story: Story, move: bool) -> None:
    with story.scope():
        anna = person(story, "Anna", country="NO")
        flow = start(story, move_to_finish=move)
        with raw_cursor() as cursor:
            hot = Selection.objects.get(name="Hot").pk
            add_to_selection(
                cursor, tenant_id=story.tenant.pk, selection_id=hot, contact_ids=[anna.pk], now=story.now,
                origin=Origin.USER,
            )  # fmt: skip
    story.turn(flow)
    with story.scope(), raw_cursor() as cursor:
        assert story.one(flow, anna).source == "trigger"
        update_fields(
            cursor, tenant_id=story.tenant.pk, contact_ids=[anna.pk], now=story.now, origin=Origin.USER,
            changes=[Change("contact.category", "set", (story.category("Customer"),))],
        )  # fmt: skip
    story.turn(flow)
    with story.scope():
        participant = story.one(flow, anna)
        assert participant.success_at == story.now
        assert participant.status == ("success" if move else "active")
    story.pass_days(2)
    story.turn(flow)
    with story.scope():
        participant = story.one(flow, anna)
        last = ("Two days", "left:success") if move else ("Offer", "went_on")
        assert (participant.status, story.path(participant)[-1]) == ("success", last)


def test_a_pause_holds_everyone_an_edit_counts_after_it_and_an_end_cancels(
    story: Story, mailbox: Mailbox
) -> None:
    with story.scope():
        anna, ben = person(story, "Anna", country="NO"), person(story, "Ben", country="NO")
        flow = start(story)
        suggest(flow_id=flow.pk, contact_ids=[anna.pk], source=Source("manual"), now=story.now)
    story.turn(flow)
    with story.scope():
        pause(flow_id=flow.pk, actor=story.bob.user, now=story.now)
        suggest(flow_id=flow.pk, contact_ids=[ben.pk], source=Source("manual"), now=story.now)
        assert story.one(flow, ben).step_id is None
    story.pass_days(3)
    story.turn(flow)
    assert len(mailbox.received) == 1
    with story.scope():
        assert story.path(story.one(flow, anna)) == [("Welcome", "went_on"), ("Two days", "")]
        flow.refresh_from_db()
        extra = StepNode(kind="wait_for_time", title="More", settings={"amount": 1, "unit": "days"})
        flow = apply(
            flow_id=flow.pk, base_version=flow.draft_version, label="add a wait", actor=story.bob.user, now=story.now,
            change=lambda d: d.model_copy(update={"steps": (*d.steps, extra)}),
        )  # fmt: skip
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=story.bob.user, now=story.now)
        resume(flow_id=flow.pk, actor=story.bob.user, now=story.now)
    story.turn(flow)
    with story.scope():
        assert story.path(story.one(flow, anna))[-1] == ("More", "")
        assert story.path(story.one(flow, ben))[-1] == ("Two days", "")
        assert end_flow(flow_id=flow.pk, actor=story.bob.user, now=story.now).cancelled == 2
        assert {story.one(flow, who).status for who in (anna, ben)} == {"cancelled"}
        assert story.path(story.one(flow, anna))[-1] == ("More", "left:cancelled")
    story.pass_days(9)
    arrived = len(mailbox.received)
    story.turn(flow)
    assert len(mailbox.received) == arrived
