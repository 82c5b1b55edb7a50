"""What an email shows and carries comes along in a flow file: bounded, checked as an upload is, never pointing home."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from accounts.models import Tenant
from content.image_urls import image_url, images_in
from content.models import Email, Image, StoredFile
from content.operations.attachments import keep_file
from content.operations.emails import Draft, save_email
from content.queries_attachment import attached_to, pieces_of_file
from core.tenancy import tenant_scope
from flows.exchange import bytes_told
from flows.exchange.matching import OPEN, matched
from flows.exchange.reading import BadFile, read_file
from flows.exchange.schema import MOST_BYTES
from flows.models import Flow
from flows.operations.bring_in import CannotBringIn, bring_in
from flows.operations.drafts import draft_of
from tests.content.test_images import drawn, keep
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.exchange_files import exported, make_rich

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\nprices \xf0\x9f\x9a\x80"
MJML = (
    '<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text><mj-image src="{address}" alt="A mill" />'
    '<mj-image src="https://example.com/other.png" alt="" /></mj-column></mj-section></mj-body></mjml>'
)


@pytest.fixture
def sending(acme: Tenant, alice: Person, world: World) -> Flow:
    """A flow whose first email shows a picture of ours and carries a price list."""
    rich = make_rich(acme, alice, world)
    image = keep(alice, drawn((40, 30)), "mill.png")
    with tenant_scope(acme.pk):
        Image.objects.filter(pk=image.pk).update(alt="A mill")
        email = email_of(rich)
        file = keep_file(file=io.BytesIO(PDF), name="Price list 🚀.pdf", size=len(PDF), beside=(), now=NOW)
        draft = Draft(email.name, "Hi", MJML.format(address=image_url(image)), attachments=(file,))
        saved = save_email(email_id=email.pk, draft=draft, revision=email.revision, actor=None, now=NOW)
        assert saved.is_saved, saved.problems
    return rich


def email_of(flow: Flow) -> Email:
    return Email.objects.get(pk=draft_of(flow).steps[0].settings["email"])


def part(plain: dict[str, Any], kind: str) -> dict[str, Any]:
    (one,) = [one for one in plain["uses"] if one["kind"] == kind]
    return dict(one)


def plain_of(sending: Flow, alice: Person) -> dict[str, Any]:
    with tenant_scope(alice.tenant.pk):
        return dict(json.loads(exported(sending, alice)))


def taken_in(plain: dict[str, Any], charlie: Person, **decided: Any) -> Any:
    file = read_file(json.dumps(plain).encode())
    decisions = matched(file, member=charlie.member).decisions
    decisions |= {(kind, 1): decision for kind, decision in decided.items()}
    return bring_in(file=file, decisions=decisions, name="Here", member=charlie.member, now=NOW)


def test_pictures_and_attachments_come_along_into_another_tenant(
    sending: Flow, alice: Person, charlie: Person
) -> None:
    plain = plain_of(sending, alice)
    text = json.dumps(plain)
    assert "/i/" not in text
    assert "flow-file:image-1" in text
    assert part(plain, "stored_file")["name"] == "Price list 🚀.pdf"
    with tenant_scope(charlie.tenant.pk):
        done = taken_in(plain, charlie)
        email = email_of(done.flow)
        image = Image.objects.get()
        assert (image.name, image.alt, image.width, image.height) == ("mill", "A mill", 40, 30)
        assert list(images_in(email.mjml, charlie.tenant.pk)) == [image.pk]
        assert list(images_in(email.mjml, alice.tenant.pk)) == []
        assert 'src="https://example.com/other.png"' in email.mjml
        (file,) = attached_to(email.current_id)
        assert (file.name, file.kind, file.size) == ("Price list 🚀.pdf", "application/pdf", len(PDF))
        assert b"".join(pieces_of_file(charlie.tenant.pk, file.file_id)) == PDF
    assert not any("carried" in note for note in done.notes)


def test_in_the_same_tenant_nothing_is_made_twice(sending: Flow, alice: Person) -> None:
    plain = plain_of(sending, alice)
    with tenant_scope(alice.tenant.pk):
        done = taken_in(plain, alice)
        assert Image.objects.count() == StoredFile.objects.count() == 1
        assert [file.name for file in attached_to(email_of(done.flow).current_id)] == ["Price list 🚀.pdf"]


def test_what_is_left_open_points_nowhere_and_the_importer_is_told(
    sending: Flow, alice: Person, charlie: Person
) -> None:
    plain = plain_of(sending, alice)
    with tenant_scope(charlie.tenant.pk):
        done = taken_in(plain, charlie, image=OPEN, stored_file=OPEN)
        email = email_of(done.flow)
        assert '<mj-image src="" alt="A mill"' in email.mjml
        assert attached_to(email.current_id) == ()
        assert not StoredFile.objects.exists()
    assert done.notes[-1] == "“Welcome” carried “Price list 🚀.pdf”, which did not come along: attach again."


def test_what_has_no_room_is_named_alone(
    sending: Flow, alice: Person, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds share the room: pictures first, as they are named."""
    with tenant_scope(alice.tenant.pk):
        big = b"%PDF-1.7\n" + bytes(range(256)) * 7_000
        email = email_of(sending)
        file = keep_file(file=io.BytesIO(big), name="Big.pdf", size=len(big), beside=(), now=NOW)
        more = keep_file(file=io.BytesIO(big + b"x"), name="More.pdf", size=len(big) + 1, beside=(), now=NOW)
        draft = Draft(email.name, "Hi", email.mjml, attachments=(file, more))
        assert save_email(
            email_id=email.pk, draft=draft, revision=email.revision, actor=None, now=NOW
        ).is_saved
        data = exported(sending, alice)
    assert len(data) < MOST_BYTES
    assert sum(1 for one in json.loads(data)["uses"] if one["data"].get("data")) == 1
    with tenant_scope(charlie.tenant.pk):
        done = taken_in(json.loads(data), charlie)
        assert len(attached_to(email_of(done.flow).current_id)) <= 1
    assert "did not come along" in done.notes[-1]
    assert bytes_told.with_room([(1, 10), (2, 100), (3, 20)], room=41) == [1, 3]


@pytest.mark.parametrize(
    ("raw", "name", "message"),
    [
        (b"MZ\x90\0\0 program", "setup.pdf", "It is a program"),
        (b"<html><script>x</script>", "page.txt", "web page|HTML"),
        (PDF, "setup.exe", "Mail providers refuse files of the kind “.exe”"),
        (b"", "none.pdf", "The file is empty"),
    ],
)
def test_a_file_is_checked_as_an_upload_is(
    sending: Flow, alice: Person, charlie: Person, raw: bytes, name: str, message: str
) -> None:
    plain = plain_of(sending, alice)
    one = next(one for one in plain["uses"] if one["kind"] == "stored_file")
    one["name"], one["data"] = name, {"digest": "", "data": [base64.urlsafe_b64encode(raw).decode()]}
    with tenant_scope(charlie.tenant.pk):
        with pytest.raises(CannotBringIn, match=message):
            taken_in(plain, charlie)
        assert not StoredFile.objects.exists()


def test_a_name_in_the_email_is_checked_too(sending: Flow, alice: Person, charlie: Person) -> None:
    plain = plain_of(sending, alice)
    for one in plain["uses"]:
        for file in one["data"].get("files", []):
            file["name"] = "price.exe"
    with tenant_scope(charlie.tenant.pk), pytest.raises(CannotBringIn, match=r"“price\.exe” cannot be taken"):
        taken_in(plain, charlie)


def test_what_is_named_and_not_told_is_refused(sending: Flow, alice: Person) -> None:
    for kind, words in (("image", "Names image 1"), ("stored_file", "Names attachment 1")):
        plain = plain_of(sending, alice)
        plain["uses"] = [one for one in plain["uses"] if one["kind"] != kind]
        with tenant_scope(alice.tenant.pk), pytest.raises(BadFile, match=words):
            read_file(json.dumps(plain).encode())


def test_files_that_only_name_attachments_are_still_read(
    sending: Flow, alice: Person, charlie: Person
) -> None:
    plain = plain_of(sending, alice)
    plain["uses"] = [one for one in plain["uses"] if one["kind"] != "stored_file"]
    for one in plain["uses"]:
        if one["kind"] == "email":
            one["data"]["files"] = [file["name"] for file in one["data"]["files"]]
    with tenant_scope(charlie.tenant.pk):
        done = taken_in(plain, charlie)
    assert "“Price list 🚀.pdf”, which did not come along" in done.notes[-1]
