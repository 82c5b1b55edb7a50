"""Files that come with a form: what is taken, what they are called, who may have them, and that they are erased."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from content.forms.document import FormDocument, structure_problems
from content.models import Form, FormFile, FormSubmission
from content.uploads import Upload, UploadRefused, read_upload
from core.tenancy import tenant_scope
from crm.operations.erase import erase_contact
from tests.content.forms import Booth, Visitor, bound, field
from tests.content.test_public_forms import booth as booth
from tests.content.test_public_forms import clock as clock
from tests.fixtures.people import Person

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF"


def archive(**parts: bytes) -> bytes:
    """Return a zip with these parts; __ in a name is a slash, _ is a full stop."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, data in parts.items():
            file.writestr(
                {"types": "[Content_Types].xml"}.get(name, name.replace("__", "/").replace("_", ".")), data
            )
    return made.getvalue()


def read(data: bytes, name: str = "cv", most_mb: int = 1) -> Upload:
    return read_upload(io.BytesIO(data), name=name, size=len(data), most_mb=most_mb)


@pytest.mark.parametrize(
    ("name", "data", "called"),
    [
        ("cv.pdf", PDF, "cv.pdf"),
        ("run.exe", PDF, "run.pdf"),
        ("../../etc/passwd", b"hello", "passwd.txt"),
        ("C:\\temp\\å é.PNG", b"\x89PNG\r\n\x1a\nxx", "å é.png"),
        ("photo\u202egpj.exe", b"\xff\xd8\xff\xe0", "photogpj.jpg"),
        ('a"b\r\nSet-Cookie: x.gif', b"GIF89a;", "abSet-Cookie x.gif"),
        ("list.csv", "naïve,🚀".encode(), "list.csv"),
        ("x.docx", archive(types=b"", word__document_xml=b"<w/>"), "x.docx"),
        ("x", archive(types=b"", xl__workbook_xml=b"<x/>"), "x.xlsx"),
        ("x.odt", archive(mimetype=b"application/vnd.oasis.opendocument.text"), "x.odt"),
        ("", b"hello", "file.txt"),
        ("n" * 300 + ".txt", b"hello", "n" * 100 + ".txt"),
    ],
)
def test_a_file_is_what_its_bytes_say_and_so_is_its_name(name: str, data: bytes, called: str) -> None:
    assert read(data, name).name == called


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><script>alert(1)</script>", b'  <svg xmlns="x"/>', b"<?xml version='1.0'?><a/>", b"#!/bin/sh",
        b"MZ\x90\x00", b"\x7fELF\x00", archive(evil_exe=b"MZ"), b"PK\x03\x04broken", b"\xef\xbb\xbf<html>", b"",
        archive(types=b"", word__document_xml=b"", word__vbaProject_bin=b"x"), b"\xff\xfe\x00h",
    ],
)  # fmt: skip
def test_what_could_run_or_be_shown_as_a_page_is_refused(data: bytes) -> None:
    with pytest.raises(UploadRefused):
        read(data, "cv.pdf")


def test_the_limit_is_the_fields() -> None:
    with pytest.raises(UploadRefused, match="larger than 1 MB"):
        read(PDF + b" " * 1024 * 1024)
    assert read(PDF + b" " * 1024 * 1024, most_mb=2).kind == "application/pdf"
    many = FormDocument(
        fields=(bound("email", "contact.email", required=True), *(field(f"f{n}", "file") for n in range(6)))
    )
    assert "A form takes at most 5 files." in structure_problems(many)


def sent(booth: Booth, clock: Any, data: bytes, name: str = "cv.pdf", **settings: Any) -> tuple[Form, Any]:
    form = booth.form(field("cv", "file", label="Your CV", most_mb=1), **settings)
    visitor = Visitor(booth.path(form), clock)
    assert 'enctype="multipart/form-data"' in visitor.page.content.decode()
    return form, visitor.send(email="ada@post.test", cv=SimpleUploadedFile(name, data))


@pytest.mark.django_db(transaction=True)
def test_a_file_is_kept_with_its_submission_and_handed_out_as_a_download_alone(
    booth: Booth, clock: Any, alice: Person, charlie: Person, rory: Person
) -> None:
    _, answer = sent(booth, clock, PDF, "Ada's cv.exe")
    assert answer.status_code == 302
    with booth.scope():
        file = FormFile.objects.get()
        assert (file.name, file.kind, file.size, bytes(file.data)) == (
            "Ada's cv.pdf",
            "application/pdf",
            len(PDF),
            PDF,
        )
        assert file.submission.answers["cv"] == "Ada's cv.pdf"
    page = f"content/submissions/{file.submission_id}/"
    assert "Ada&#x27;s cv.pdf" in alice.client().get(alice.url(page)).content.decode()
    got = alice.client().get(alice.url(f"{page}files/{file.pk}/"))
    assert got.content == PDF
    assert got["Content-Type"] == "application/octet-stream"
    assert got["Content-Disposition"] == 'attachment; filename="Ada\'s cv.pdf"'
    assert got["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert got["X-Content-Type-Options"] == "nosniff"
    for person in (charlie, rory):
        assert person.client().get(person.url(f"{page}files/{file.pk}/")).status_code == 404
    with tenant_scope(charlie.tenant.pk):
        assert not FormFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_bad_file_is_said_at_its_field_and_nothing_is_kept(booth: Booth, clock: Any) -> None:
    form, answer = sent(booth, clock, b"<script>alert(1)</script>")
    assert answer.status_code == 422
    visitor = Visitor(booth.path(form), clock)
    refused = visitor.send(email="b@post.test", cv=SimpleUploadedFile("cv.pdf", b"MZ\x00"))
    assert refused.status_code == 422
    assert "This kind of file is not taken." in refused.content.decode()
    large = Visitor(booth.path(form), clock).send(
        email="c@post.test", cv=SimpleUploadedFile("cv.pdf", PDF + b" " * 1024 * 1024)
    )
    assert large.status_code == 422
    assert "larger than 1 MB" in large.content.decode()
    huge = Visitor(booth.path(form), clock).send(
        email="d@post.test", cv=SimpleUploadedFile("cv.pdf", PDF + b" " * 3 * 1024 * 1024)
    )
    assert huge.status_code == 413
    assert booth.submissions() == []
    with booth.scope():
        assert not FormFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_good_file_that_came_with_something_wrong_is_asked_for_again(booth: Booth, clock: Any) -> None:
    form = booth.form(field("cv", "file", label="CV"))
    again = "Please choose the file again."
    visitor = Visitor(booth.path(form), clock)
    page = visitor.send(email="nobody", cv=SimpleUploadedFile("cv.pdf", PDF))
    assert (page.status_code, page.content.decode().count(again)) == (422, 1)
    assert again not in visitor.send(email="nobody").content.decode()
    # Who is too fast, or whose page was open too long, loses it just as well.
    hasty = Visitor(booth.path(form), clock).send(
        seconds=0.5, email="a@post.test", cv=SimpleUploadedFile("cv.pdf", PDF)
    )
    assert (hasty.status_code, hasty.content.decode().count(again)) == (422, 1)
    assert booth.submissions() == []
    visitor.send(email="a@post.test", cv=SimpleUploadedFile("cv.pdf", PDF))
    with booth.scope():
        assert bytes(FormFile.objects.get().data) == PDF


@pytest.mark.django_db(transaction=True)
def test_files_go_with_their_person_and_with_what_nobody_confirmed(
    booth: Booth, clock: Any, alice: Person
) -> None:
    sent(booth, clock, PDF, "Zerlinda.pdf")
    with booth.scope():
        contact = FormSubmission.objects.get().contact
        assert contact is not None
        erase_contact(contact_id=contact.pk, actor=alice.user, now=booth.now)
        file = FormFile.objects.get()
        assert (file.name, bytes(file.data)) == ("", b"")
        pk, submission = file.pk, file.submission_id
    url = alice.url(f"content/submissions/{submission}/files/{pk}/")
    assert alice.client().get(url).status_code == 404
    with booth.scope():
        FormSubmission.objects.all().delete()
        assert not FormFile.objects.exists()
