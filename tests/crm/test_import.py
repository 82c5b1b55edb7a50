"""Importing contacts: the exact numbers of the sample file, encodings, crashes, strangers, what is no table."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from pytest_django import Settings

from accounts.models import Tenant, User
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from crm.importing.job import stored_path
from crm.importing.sniff import NotATable
from crm.importing.write import Writer
from crm.models import (
    Company,
    Consent,
    ConsentChange,
    Contact,
    ContactFieldValue,
    ContactImport,
    ContactInterest,
    Event,
    EventInbox,
    ImportIssue,
    ListItem,
    Selection,
)
from crm.operations.imports import (
    AlreadyStarted,
    ImportNotReady,
    forget_abandoned,
    receive_upload,
    settle_import,
    start_import,
)
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import MakePerson, Person

DATA = Path(__file__).parent.parent / "data"
FACTS = json.loads((DATA / "contacts.facts.json").read_text())


def chunks(data: bytes) -> Iterator[bytes]:
    """Yield data as an upload does."""
    for start in range(0, len(data), 64 * 1024):
        yield data[start : start + 64 * 1024]


def receive(alice: Person, data: bytes, name: str = "people.csv") -> ContactImport:
    """Upload a file as Alice."""
    return receive_upload(chunks=chunks(data), file_name=name, user_id=alice.user.pk, now=NOW)


def begin(alice: Person, data: bytes, name: str = "people.csv", **answers: Any) -> ContactImport:
    """Upload a file and start its import with the guessed mapping."""
    contact_import = receive(alice, data, name)
    answers = {"legal_basis": "Consent", "source": "Fair 2026", **answers}
    settle_import(**{"import_id": contact_import.pk, "mapping": contact_import.mapping, **answers})
    return start_import(import_id=contact_import.pk, user_id=alice.user.pk, now=NOW)


def finish(alice: Person, contact_import: ContactImport) -> ContactImport:
    """Run slices until the job is over."""
    assert contact_import.job_id is not None
    while run_slice(tenant_id=alice.tenant.pk, job_id=contact_import.job_id, now=NOW):
        pass
    contact_import.refresh_from_db()
    return contact_import


def numbers(contact_import: ContactImport) -> tuple[int, int, int, int]:
    """Return created, updated, rejected, warnings."""
    done = contact_import
    return done.created, done.updated, done.rejected, done.warnings


@pytest.fixture
def scope(alice: Person) -> Iterator[Tenant]:
    """Alice's tenant, its scope open."""
    with tenant_scope(alice.tenant.pk):
        yield alice.tenant


def check_facts(contact_import: ContactImport) -> None:
    """Compare with contacts.facts.json, number by number."""
    expected = FACTS["expected"]
    assert contact_import.job is not None
    assert Job.objects.get().status == Job.Status.DONE
    assert (contact_import.created, contact_import.updated, contact_import.rejected) == (
        expected["created"],
        expected["updated"],
        expected["rejected"],
    )
    assert contact_import.created + contact_import.updated + contact_import.rejected == FACTS["rows"]
    assert Contact.objects.count() == expected["created"]
    assert Company.objects.count() == contact_import.companies == expected["companies"]
    issues = Counter(ImportIssue.objects.values_list("column", "reason", "rejected"))
    assert issues["Date of birth", "Not a date", False] == expected["bad_date_warnings"]
    # One of them stands in a row that is rejected for its address.
    assert issues["Mobile", "Not a phone number", False] == FACTS["bad_mobile"] - 1
    assert issues["E-mail", "Not a valid email address", True] == FACTS["invalid_email"]
    assert ImportIssue.objects.filter(rejected=False).count() == contact_import.warnings
    assert Event.objects.filter(kind="contact.created", origin="import").count() == expected["created"]


def test_the_sample_file_comes_in_with_the_exact_numbers(
    scope: Tenant, alice: Person, make_person: MakePerson, django_capture_on_commit_callbacks: Any
) -> None:
    for first in ("anna", "bjorn", "chloe"):
        person = make_person(alice.tenant, first.title(), "Rep", role="Sales rep")
        User.objects.filter(pk=person.user.pk).update(email=f"{first}@demo.test")
    selection = Selection.objects.create(name="All", created_at=NOW)
    started = begin(alice, (DATA / "contacts.csv").read_bytes(), selection_id=selection.pk)
    with django_capture_on_commit_callbacks(execute=True):
        done = finish(alice, started)
    check_facts(done)
    assert selection.members.count() == FACTS["expected"]["created"]
    assert not stored_path(done).exists()
    _check_against_a_naive_reading()


def _check_against_a_naive_reading() -> None:
    with (DATA / "contacts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    last: dict[str, dict[str, str]] = {}
    first_of_company: dict[str, str] = {}
    bad = set(ImportIssue.objects.filter(rejected=True).values_list("row", flat=True))
    for number, row in enumerate(rows, 2):
        if number in bad:
            continue
        if row["E-mail"]:
            key = row["E-mail"].lower()
            last[key] = {**last.get(key, {}), **{name: value for name, value in row.items() if value}}
        if row["Company"] and row["Category"]:
            first_of_company.setdefault(row["Company"], row["Category"])
    for contact in Contact.objects.exclude(email_norm="").select_related("company", "category")[::37]:
        row = last[contact.email_norm]
        assert contact.last_name == row.get("Last name", "")
        assert contact.job_title == " ".join(row.get("Job title", "").split())
        assert contact.country == row["Country"]
        assert (contact.company.name if contact.company else None) == row.get("Company")
        consent = Consent.objects.filter(contact=contact).first()
        assert (consent and consent.given) == {"yes": True, "no": False}.get(
            row.get("E-marketing consent", "")
        )
        interests = set(ContactInterest.objects.filter(contact=contact).values_list("item__name", flat=True))
        assert set(filter(None, row.get("Interests", "").split("; "))) <= interests
        revenue = ContactFieldValue.objects.get(contact=contact, field__key="annual-revenue").value_number
        assert f"{revenue:f}".rstrip("0").rstrip(".") == row["Annual revenue"].rstrip("0").rstrip(
            "."
        ) or revenue == float(row["Annual revenue"])
    names = dict(ListItem.objects.filter(list="category").values_list("pk", "name"))
    assert {c.name: names.get(c.category_id or 0) for c in Company.objects.all()} == first_of_company


def test_a_crash_in_the_middle_resumes_with_exact_counts(
    scope: Tenant, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_import = begin(alice, (DATA / "contacts.csv").read_bytes())
    assert contact_import.job_id is not None
    write, calls = Writer.write, []

    def die_after_writing(self: Any, rows: Any) -> Any:
        written = write(self, rows)
        calls.append(1)
        if len(calls) in {3, 7}:
            raise KeyboardInterrupt  # as if the process was killed with everything written but nothing committed
        return written

    monkeypatch.setattr(Writer, "write", die_after_writing)
    more = True
    while more:
        try:
            more = run_slice(tenant_id=alice.tenant.pk, job_id=contact_import.job_id, now=NOW)
        except KeyboardInterrupt:
            more = True
    contact_import.refresh_from_db()
    check_facts(contact_import)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found(
    scope: Tenant, alice: Person, encoding: str, delimiter: str
) -> None:
    text = 'First name;Email;Company\r\nÅse;ase@x.test;"Ek;, og\nsønn"\r\nJürgen;jurgen@x.test;Müller\r\n'
    done = finish(alice, begin(alice, text.replace(";", delimiter).encode(encoding)))
    assert numbers(done) == (2, 0, 0, 0)
    assert list(Contact.objects.order_by("id").values_list("first_name", flat=True)) == ["Åse", "Jürgen"]
    assert Company.objects.filter(
        name=f"Ek{delimiter.strip()}, og sønn" if delimiter != "\t" else "Ek , og sønn"
    ).exists()


def test_a_workbook_comes_in(scope: Tenant, alice: Person) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Etternavn", "E-post", "Mobil", "Land", "Fødselsdato", "Customer since"])
    sheet.append(["Ek", "ek@x.test", 91234567, "Norge", dt.date(1980, 2, 29), "3.4.2020"])
    buffer = io.BytesIO()
    book.save(buffer)
    done = finish(alice, begin(alice, buffer.getvalue(), "people.xlsx"))
    contact = Contact.objects.get()
    assert numbers(done) == (1, 0, 0, 0)
    assert (contact.last_name, contact.mobile, contact.country, str(contact.date_of_birth)) == (
        "Ek",
        "+4791234567",
        "NO",
        "1980-02-29",
    )
    assert str(ContactFieldValue.objects.get().value_date) == "2020-04-03"


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n", "The file is empty."),
        (_zip(), "This is an Excel workbook that is named as a CSV file."),
        (b"%PDF-1.7 \x00\x01", "This is a PDF"),
        (bytes(range(256)) * 20, "binary data"),
        (b"\x7fELF" + b"\x02\x01" * 4000, "binary data"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'{"a": 1}', "JSON"),
        (b"Email\n", "no rows"),
        (b"\n ,,\na,b,c\n", "no column names"),
    ],
)
def test_what_is_no_csv_is_refused_and_nothing_is_kept(
    scope: Tenant, alice: Person, settings: Settings, data: bytes, message: str
) -> None:
    with pytest.raises(NotATable, match=message):
        receive(alice, data)
    assert not ContactImport.objects.exists()
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    scope: Tenant, alice: Person, settings: Settings
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<x/>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as file:
            for _ in range(310):
                file.write(bytes(1 << 20))
    assert len(buffer.getvalue()) < 1 << 20
    with pytest.raises(NotATable, match="larger than 10 MB"):
        receive(alice, buffer.getvalue(), "bomb.xlsx")
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_gigabyte_is_refused_by_the_limit_without_being_read(
    scope: Tenant, alice: Person, settings: Settings
) -> None:
    settings.IMPORT_MAX_BYTES = 5 << 20
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while taken < 1 << 30:
            taken += 1 << 16
            yield b"a,b\n" * (1 << 14)

    with pytest.raises(NotATable, match="larger than 5 MB"):
        receive_upload(chunks=endless(), file_name="big.csv", user_id=alice.user.pk, now=NOW)
    assert taken <= settings.IMPORT_MAX_BYTES + (1 << 16)
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_rows_match_by_address_without_case_and_update_only_what_is_given(
    scope: Tenant, alice: Person
) -> None:
    company = make_company("Ek AS")
    known = make_contact(
        first_name="Ann", last_name="Old", email="ann@x.test", job_title="Chef", company=company
    )
    data = "First name,Last name,Email,Job title\n,New,ANN@X.test,\n,,,\nBo,,,\n,,bad@,\n"
    done = finish(alice, begin(alice, data.encode()))
    known.refresh_from_db()
    assert numbers(done) == (1, 1, 2, 0)
    assert (known.first_name, known.last_name, known.email, known.job_title, known.company) == (
        "Ann",
        "New",
        "ANN@X.test",
        "Chef",
        company,
    )
    assert list(ImportIssue.objects.order_by("row").values_list("row", "column", "reason")) == [
        (3, "", "Neither an email address nor a name"),
        (5, "Email", "Not a valid email address"),
    ]
    event = Event.objects.get(contact_id=known.pk)
    assert (event.kind, event.origin) == ("contact.updated", "import")
    assert EventInbox.objects.get().contact_id == known.pk


def test_the_first_row_sets_the_company_and_what_differs_is_a_warning(scope: Tenant, alice: Person) -> None:
    data = "Name,Company,Category\nA B,Ek AS,Customer\nC D,Ek AS,Lead\nE F,Ek AS,\nG H,,Lead\nI J,Ek AS,Nonsense\n"
    done = finish(alice, begin(alice, data.encode()))
    assert numbers(done) == (5, 0, 0, 2)
    category = Company.objects.get().category
    assert category is not None
    assert category.name == "Customer"
    alone = Contact.objects.get(last_name="H").category
    assert alone is not None
    assert alone.name == "Lead"
    assert list(ImportIssue.objects.order_by("row").values_list("row", "column", "reason", "value")) == [
        (3, "Category", "Not applied: Ek AS has Customer already", "Lead"),
        (6, "Category", "Not in the list", "Nonsense"),
    ]


def test_new_list_values_are_added_when_asked_for(scope: Tenant, alice: Person) -> None:
    data = "Name,Category,Interests\nA B,Reseller,Chess; events\nC D,reseller,Chess\n"
    assert numbers(finish(alice, begin(alice, data.encode(), add_values=True))) == (2, 0, 0, 0)
    assert ListItem.objects.filter(list="category", name="Reseller").count() == 1
    assert ListItem.objects.filter(list="interest", name="Chess").count() == 1


def test_consent_yes_is_given_no_is_withdrawn_and_empty_is_nothing(scope: Tenant, alice: Person) -> None:
    data = "Name,Consent\nA A,yes\nB B,Nei\nC C,\nD D,perhaps\n"
    done = finish(alice, begin(alice, data.encode(), legal_basis="Contract", source="Fair"))
    assert numbers(done) == (4, 0, 0, 1)
    rows = Consent.objects.order_by("contact_id").values_list(
        "contact__last_name", "given", "legal_basis", "source"
    )
    assert list(rows) == [("A", True, "Contract", "Fair"), ("B", False, "Contract", "Fair")]
    assert ConsentChange.objects.count() == 2


def test_consent_needs_its_legal_basis_and_source(scope: Tenant, alice: Person) -> None:
    contact_import = receive(alice, b"Name,Consent\nA A,yes\n")
    with pytest.raises(ImportNotReady, match="legal basis"):
        start_import(import_id=contact_import.pk, user_id=alice.user.pk, now=NOW)
    assert not Job.objects.exists()


def test_a_double_click_starts_one_job(scope: Tenant, alice: Person) -> None:
    contact_import = begin(alice, b"Name\nA B\n")
    with pytest.raises(AlreadyStarted):
        start_import(import_id=contact_import.pk, user_id=alice.user.pk, now=NOW)
    assert Job.objects.count() == 1


def test_an_open_quote_fails_with_its_row_and_keeps_what_came_before(scope: Tenant, alice: Person) -> None:
    good = "".join(f"A {n}\n" for n in range(1000))
    contact_import = begin(alice, f'Name\n{good}"open {"x" * 140_000}\n'.encode())
    finish(alice, contact_import)
    job = Job.objects.get()
    assert (job.status, contact_import.created) == (Job.Status.FAILED, 1000)
    assert job.error.startswith("After row 1001: A cell is too long")


def test_headers_with_line_breaks_never_become_mail_headers(scope: Tenant, alice: Person) -> None:
    done = finish(alice, begin(alice, b'Name,Email\nA B,"a@x.test\nBcc: evil@x.test"\n'))
    assert numbers(done) == (0, 0, 1, 0)


def test_uploads_that_nobody_starts_are_thrown_away_after_a_day(scope: Tenant, alice: Person) -> None:
    abandoned = receive(alice, b"Name\nA B\n")
    path = stored_path(abandoned)
    assert forget_abandoned(now=NOW + dt.timedelta(hours=23)) == 0
    assert path.exists()
    assert forget_abandoned(now=NOW + dt.timedelta(hours=25)) == 1
    assert not path.exists()
    assert not ContactImport.objects.exists()


def test_two_tenants_import_the_same_file_apart(alice: Person, charlie: Person) -> None:
    data = b"Name,Email,Company\nA B,a@x.test,Ek\n"
    for person in (alice, charlie):
        with tenant_scope(person.tenant.pk):
            assert numbers(finish(person, begin(person, data))) == (1, 0, 0, 0)
            assert Contact.objects.count() == Company.objects.count() == 1
    with tenant_scope(alice.tenant.pk):
        job_id = Job.objects.get().pk
    assert run_slice(tenant_id=charlie.tenant.pk, job_id=job_id, now=NOW) is False
