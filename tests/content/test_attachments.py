"""Attachments: what is taken and what refused, told by the bytes; kept once a tenant; given to immutable versions."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from content.attaching import MOST_BYTES, PIECE, AttachmentRefused, Told, megabytes, told
from content.models import Attachment, Email, StoredFile, StoredPiece
from content.operations.attachments import keep_file
from content.operations.emails import Draft, create_email, save_email
from content.operations.variants import add_variant, copy_email
from content.queries_attachment import Attached, attached_to, pieces_of_file
from core.tenancy import tenant_scope
from tests.content.conftest import mail
from tests.fixtures.people import LAST_MONDAY, Person

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"


def zipped(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return out.getvalue()


def what(name: str, data: bytes) -> Told:
    return told(io.BytesIO(data), name=name, size=len(data))


DOCX = zipped(**{"[Content_Types]_dot_xml": b"<Types/>", "word__document_dot_xml": b"<w/>"})
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512


@pytest.mark.parametrize(
    ("name", "data", "ending", "kind"),
    [
        ("Price list.pdf", PDF, "Price list.pdf", "application/pdf"),
        ("Prisliste 🚀 våren.PDF", PDF, "Prisliste 🚀 våren.PDF", "application/pdf"),
        ("قائمة الأسعار.pdf", PDF, "قائمة الأسعار.pdf", "application/pdf"),
        # A name that lies says the truth at its end.
        ("photo.jpg", PDF, "photo.jpg.pdf", "application/pdf"),
        ("C:\\Users\\me\\list.pdf", PDF, "list.pdf", "application/pdf"),
        ("../../etc/passwd", b"root\n", "passwd.txt", "text/plain"),
        # A trick of direction would show "exe.pdf" the other way round.
        ("list\u202efdp.pdf", PDF, "listfdp.pdf", "application/pdf"),
        ("line\r\nBcc: x@y.test.pdf", PDF, "line Bcc: x@y.test.pdf", "application/pdf"),
        ("", PDF, "file.pdf", "application/pdf"),
        ("brev.docx", DOCX, "brev.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("all.zip", zipped(a_dot_pdf=PDF), "all.zip", "application/zip"),
        ("old.doc", OLE + "WordDocument".encode("utf-16-le"), "old.doc", "application/msword"),
        ("tall.csv", b"navn;\xe5r\r\n", "tall.csv", "text/csv"),
        ("Invitation.ics", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "Invitation.ics", "text/calendar"),
        ("a.wav", b"RIFF\0\0\0\0WAVEfmt ", "a.wav", "audio/wav"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "a.webp", "image/webp"),
        ("film.mp4", b"\0\0\0\x18ftypisom", "film.mp4", "video/mp4"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_bytes_say_and_keeps_its_name(
    name: str, data: bytes, ending: str, kind: str
) -> None:
    assert what(name, data) == Told(ending, kind)


def test_a_long_name_keeps_its_ending() -> None:
    assert what("å" * 400 + ".pdf", PDF).name == "å" * 196 + ".pdf"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.pdf", b"", "empty"),
        ("setup.exe", b"MZ\x90\0\x03", "“.exe”"),
        ("setup.exe .", PDF, "“.exe”"),
        ("letter.pdf", b"MZ\x90\0\x03\0\0", "a program"),
        ("letter.pdf", b"\x7fELF\x02\x01", "a program"),
        ("run.txt", b"#!/bin/sh\nrm -rf /\n", "a program"),
        ("page.txt", b"\xef\xbb\xbf <!DOCTYPE html><script>", "web page"),
        ("drawing.png", b"<svg onload=alert(1)>", "web page"),
        ("macros.xlsx", zipped(xl__vbaProject_dot_bin=b"x", xl__workbook_dot_xml=b"x"), "macros"),
        ("old.doc", OLE + "WordDocument".encode("utf-16-le") + "_VBA_PROJECT".encode("utf-16-le"), "macros"),
        ("old.msi.doc", OLE, "not taken"),
        ("tool.zip", zipped(tool_dot_exe=b"x"), "“tool.exe”"),
        ("tool.zip", zipped(photo_dot_jpg=b"MZ\x90\0" + b"\0" * 80), "“photo.jpg”, a program"),
        ("deep.zip", zipped(inner_dot_zip=b"PK"), "an archive in an archive"),
        ("broken.zip", b"PK\x03\x04 nothing", "damaged"),
        ("a.rar", b"Rar!\x1a\x07", "use a ZIP"),
        ("data.bin2", b"\0\1\2\3", "not taken"),
    ],
)  # fmt: skip
def test_what_mail_providers_refuse_is_refused(name: str, data: bytes, words: str) -> None:
    with pytest.raises(AttachmentRefused, match=re.escape(words)):
        what(name, data)


def test_a_locked_archive_is_refused() -> None:
    locked = bytearray(zipped(a_dot_txt=b"secret"))
    central = locked.index(b"PK\x01\x02")
    locked[central + 8] |= 1
    with pytest.raises(AttachmentRefused, match="password"):
        what("locked.zip", bytes(locked))


def test_sizes_are_never_told_smaller_than_they_are() -> None:
    assert [megabytes(size) for size in (1, 1024, 1025, 1024 * 1024, 1024 * 1024 + 1, MOST_BYTES)] == [
        "1 KB", "1 KB", "2 KB", "1 MB", "1.1 MB", "25 MB",
    ]  # fmt: skip


# --- kept and given to versions -------------------------------------------------------------------------------------


@pytest.fixture
def email(wendy: Person) -> Email:
    with tenant_scope(wendy.tenant.pk):
        return create_email(
            name="Offer", actor=wendy.user, now=LAST_MONDAY, subject="Offer", mjml=mail("Hello")
        )


def keep(person: Person, name: str, data: bytes, beside: tuple[Attached, ...] = ()) -> Attached:
    with tenant_scope(person.tenant.pk):
        return keep_file(file=io.BytesIO(data), name=name, size=len(data), beside=beside, now=LAST_MONDAY)


def save(person: Person, email: Email, files: Any, revision: int = 0, language: str = "") -> Email:
    draft = Draft("Offer", "Offer", mail("Hello"), attachments=files)
    with tenant_scope(person.tenant.pk):
        saved = save_email(
            email_id=email.pk, draft=draft, revision=revision, actor=person.user, now=LAST_MONDAY, language=language
        )  # fmt: skip
    assert saved.is_saved, saved.problems
    return saved.email


def of(person: Person, version_id: int | None) -> list[str]:
    with tenant_scope(person.tenant.pk):
        return [file.name for file in attached_to(version_id)]


@pytest.mark.django_db
def test_the_same_content_is_kept_once_and_read_back_to_the_byte(wendy: Person, charlie: Person) -> None:
    data = PDF + bytes(range(256)) * 8_100
    first, second = keep(wendy, "a.pdf", data), keep(wendy, "b.pdf", data)
    assert (first.file_id, first.name, second.name) == (second.file_id, "a.pdf", "b.pdf")
    assert keep(charlie, "a.pdf", data).file_id != first.file_id
    pieces = list(pieces_of_file(wendy.tenant.pk, first.file_id))
    assert [len(piece) for piece in pieces] == [PIECE, PIECE, len(data) - 2 * PIECE]
    assert b"".join(pieces) == data
    assert list(pieces_of_file(charlie.tenant.pk, first.file_id)) == []


@pytest.mark.django_db
def test_a_version_keeps_its_files_when_the_next_one_has_others(wendy: Person, email: Email) -> None:
    a, b = keep(wendy, "a.pdf", PDF + b"a"), keep(wendy, "b.pdf", PDF + b"b")
    first = save(wendy, email, (a, b)).current_id
    second = save(wendy, email, (b,), 1).current_id
    # None: whoever does not speak of them (canvas, languages side by side) leaves them.
    third = save(wendy, email, None, 2).current_id
    fourth = save(wendy, email, (), 3).current_id
    assert [of(wendy, pk) for pk in (first, second, third, fourth)] == [
        ["a.pdf", "b.pdf"],
        ["b.pdf"],
        ["b.pdf"],
        [],
    ]


@pytest.mark.django_db
def test_a_copy_and_a_new_language_carry_the_files_and_then_go_their_own_way(
    wendy: Person, email: Email
) -> None:
    a, b = keep(wendy, "a.pdf", PDF + b"a"), keep(wendy, "b.pdf", PDF + b"b")
    save(wendy, email, (a,))
    with tenant_scope(wendy.tenant.pk):
        variant = add_variant(email_id=email.pk, language="nb", revision=1, actor=wendy.user, now=LAST_MONDAY)
    assert of(wendy, variant.current_id) == ["a.pdf"]
    own = save(wendy, email, (b,), 2, "nb")
    with tenant_scope(wendy.tenant.pk):
        copy = copy_email(email_id=email.pk, actor=wendy.user, now=LAST_MONDAY)
        copied = copy.variants.get(language="nb").current_id
    assert (of(wendy, own.current_id), of(wendy, copy.current_id), of(wendy, copied)) == (
        ["a.pdf"], ["a.pdf"], ["b.pdf"],
    )  # fmt: skip
    with tenant_scope(wendy.tenant.pk):
        assert StoredFile.objects.count() == 2


@pytest.mark.django_db
def test_together_they_may_have_25_megabytes_and_nothing_is_half_kept(wendy: Person, email: Email) -> None:
    large = Attached(1, "large.pdf", "application/pdf", MOST_BYTES - 100)
    with pytest.raises(AttachmentRefused, match="at most 25 MB together"):
        keep(wendy, "more.pdf", PDF + b"x" * 100, (large,))
    with pytest.raises(AttachmentRefused, match="of that name"):
        keep(wendy, "large.pdf", PDF, (large,))
    with tenant_scope(wendy.tenant.pk):
        assert (StoredFile.objects.count(), StoredPiece.objects.count()) == (0, 0)
        gone = Attached(2**40, "gone.pdf", "application/pdf", 3)
        for files, words in (((gone,), "attach it again"), ((large, large), "at most 25 MB")):
            draft = Draft("Offer", "Offer", mail("Hello"), attachments=files)
            saved = save_email(email_id=email.pk, draft=draft, revision=0, actor=None, now=LAST_MONDAY)
            assert [problem.field for problem in saved.problems] == ["attachments"]
            assert words in saved.problems[0].message
        assert Attachment.objects.count() == 0


# --- the pages -------------------------------------------------------------------------------------------------------


def tokens(response: Any) -> list[str]:
    return re.findall(r'name="attachment" value="([^"]+)"', response.content.decode())


def post(person: Person, email: Email, files: dict[str, bytes], **more: Any) -> Any:
    handed = [SimpleUploadedFile(name, data) for name, data in files.items()]
    return person.client().post(person.url(f"content/{email.pk}/attachments/"), {"files": handed, **more})


@pytest.mark.django_db
def test_files_are_taken_named_refused_taken_out_and_saved_by_the_editor(wendy: Person, email: Email) -> None:
    answer = post(wendy, email, {"Prisliste 🚀.pdf": PDF, "x.exe": b"MZ", "قائمة.csv": b"a;b"})
    page = answer.content.decode()
    assert "Prisliste 🚀.pdf" in page
    assert "قائمة.csv" in page
    assert "“x.exe” is not attached. Mail providers refuse files of the kind “.exe”." in page
    assert "2 files, 1 KB of 25 MB" in page
    both = tokens(answer)
    answer = post(wendy, email, {}, attachment=both, without=both[1])
    assert tokens(answer) == both[:1]
    data = {
        "name": "Offer",
        "subject": "Offer",
        "mjml": mail("Hello"),
        "revision": "0",
        "attachment": both[:1],
    }
    answer = wendy.client().post(wendy.url(f"content/{email.pk}/"), data)
    assert answer.status_code == 302
    with tenant_scope(wendy.tenant.pk):
        email.refresh_from_db()
    assert of(wendy, email.current_id) == ["Prisliste 🚀.pdf"]
    page = wendy.client().get(wendy.url(f"content/{email.pk}/"))
    assert tokens(page) == both[:1]
    # What does not compile keeps the files on the page, and the version its own.
    bad = wendy.client().post(
        wendy.url(f"content/{email.pk}/"),
        {**data, "revision": "1", "subject": "{{ nobody.knows }}", "attachment": both},
    )
    assert (bad.status_code, tokens(bad)) == (422, both)


@pytest.mark.django_db
def test_a_file_is_handed_out_as_a_download_to_whoever_may_open_the_email(
    wendy: Person, charlie: Person, rory: Person, email: Email
) -> None:
    data = PDF + b"x" * PIECE
    token = tokens(post(wendy, email, {"Prisliste 🚀.pdf": data}))[0]
    path = f"content/{email.pk}/attachments/{token}/"
    got: Any = wendy.client().get(wendy.url(path))
    assert b"".join(got.streaming_content) == data
    assert got["Content-Disposition"] == "attachment; filename*=utf-8''Prisliste%20%F0%9F%9A%80.pdf"
    assert (got["Content-Length"], got["Content-Type"]) == (str(len(data)), "application/octet-stream")
    assert rory.client().get(rory.url(path)).status_code == 404
    assert charlie.client().get(wendy.url(path)).status_code == 404
    assert charlie.client().get(charlie.url(path)).status_code == 404
    with tenant_scope(wendy.tenant.pk):
        other = create_email(name="Other", actor=wendy.user, now=LAST_MONDAY)
    assert wendy.client().get(wendy.url(f"content/{other.pk}/attachments/{token}/")).status_code == 404
    assert post(wendy, other, {}, attachment=[token]).status_code == 404
    assert wendy.client().get(wendy.url(path.replace(token, token[:-3] + "abc"))).status_code == 404


@pytest.mark.django_db
def test_the_editor_names_the_other_emails_that_carry_the_same_file(wendy: Person, email: Email) -> None:
    a = keep(wendy, "a.pdf", PDF)
    save(wendy, email, (a,))
    with tenant_scope(wendy.tenant.pk):
        copy = copy_email(email_id=email.pk, actor=wendy.user, now=LAST_MONDAY, name="Reminder")
    page = wendy.client().get(wendy.url(f"content/{email.pk}/")).content.decode()
    assert "Also in 1 other email" in page
    assert f'<a href="{wendy.url(f"content/{copy.pk}/")}">Reminder</a>' in page
    save(wendy, copy, (), 1)
    assert "Also in" not in wendy.client().get(wendy.url(f"content/{email.pk}/")).content.decode()
