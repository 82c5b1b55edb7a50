"""The pages of an import: from the file to what was left out, and what is refused on the way."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import ContactImport
from tests.crm.conftest import NOW
from tests.fixtures.people import Person


def test_the_whole_way_of_an_import_by_its_pages(
    alice: Person, django_capture_on_commit_callbacks: Any
) -> None:
    client = alice.client()
    data = "Fornavn;E-post;Ukjent;Samtykke\nÅse;ase@x.test;=cmd;yes\nBo;bad@;@sum;no\n".encode("cp1252")
    uploaded = client.post(alice.url("imports/"), {"file": SimpleUploadedFile("list.csv", data)})
    assert uploaded.status_code == 302
    with tenant_scope(alice.tenant.pk):
        shown = ContactImport.objects.get()
        assert shown.mapping == {
            "0": "contact.first_name",
            "1": "contact.email",
            "2": "",
            "3": "consent.e-marketing",
        }
    mapping = alice.url(f"imports/{shown.pk}/mapping/")
    assert "Åse" in client.get(mapping).content.decode()
    columns = {f"column-{index}": key for index, key in shown.mapping.items()}
    answers = {
        **columns,
        "date_order": "dmy",
        "selection": "",
        "legal_basis": "Consent",
        "source": "",
        "do": "start",
    }
    refused = client.post(mapping, answers)
    assert refused.status_code == 422
    assert "id_source_error" in refused.content.decode(), "the refusal stands at the field too"
    preview = client.post(
        mapping, {**answers, "column-2": "contact.job_title"}, headers={"HX-Request": "true"}
    )
    assert "=cmd" in preview.content.decode()
    assert client.post(mapping, {**answers, "source": "Fair"}).status_code == 302
    page = alice.url(f"imports/{shown.pk}/")
    assert "Waiting for a worker" in client.get(page).content.decode()
    with tenant_scope(alice.tenant.pk):
        job = Job.objects.get()
    run_slice(tenant_id=alice.tenant.pk, job_id=job.pk, now=NOW)
    assert client.get(alice.url(f"imports/{shown.pk}/progress/"))["HX-Refresh"] == "true"
    done = client.get(page).content.decode()
    assert "Not a valid email address" in done
    left_out = b"".join(client.get(alice.url(f"imports/{shown.pk}/left-out/"))).decode().splitlines()
    assert left_out == [
        "\ufeffRow,What,Column,Reason,Value,Fornavn,E-post,Ukjent,Samtykke",
        "3,rejected,E-post,Not a valid email address,bad@,Bo,bad@,'@sum,no",
    ]


def test_an_upload_over_the_limit_is_refused_by_its_length(alice: Person, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1 << 20
    file = SimpleUploadedFile("big.csv", b"a,b\n" * (1 << 19))
    answer = alice.client().post(alice.url("imports/"), {"file": file})
    assert answer.status_code == 413
    assert "larger than 1 MB" in answer.content.decode()


def test_an_upload_without_the_csrf_token_is_refused(alice: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)
    answer = client.post(alice.url("imports/"), {"file": SimpleUploadedFile("a.csv", b"Email\na@x.test\n")})
    assert answer.status_code == 403
    with tenant_scope(alice.tenant.pk):
        assert not ContactImport.objects.exists()


def test_a_file_that_is_no_table_is_answered_on_the_page(alice: Person) -> None:
    file = SimpleUploadedFile("a.csv", b"%PDF-1.7\n\x00\x01")
    answer = alice.client().post(alice.url("imports/"), {"file": file})
    assert answer.status_code == 422
    assert "This is a PDF" in answer.content.decode()
