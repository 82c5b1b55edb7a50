"""Files that nothing holds are collected; what was sent, is sent now, or is being written stays."""

from __future__ import annotations

import datetime as dt
import threading

import pytest

from accounts.queries import tenant_now
from content import tasks as content_tasks
from content.attaching import AttachmentRefused
from content.models import Attachment, StoredFile, StoredPiece
from content.operations import attachments as operations
from content.operations.collecting import JOB, collect_soon
from content.operations.emails import delete_email
from content.operations.variants import add_variant
from content.queries_attachment import tenants_with_old_files
from core import clock
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from participants import tasks, wake
from tests.delivery.conftest import House
from tests.delivery.test_attachments import PDF, attach, keep
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1, minutes=1)


def collect(house: House, now: dt.datetime) -> None:
    with house.scope():
        job = Job.objects.create(kind=JOB, created_at=now, updated_at=now)
    while run_slice(tenant_id=house.tenant.pk, job_id=job.pk, now=now):
        pass
    with house.scope():
        assert Job.objects.get(pk=job.pk).status == Job.Status.DONE


def kept(house: House) -> set[bytes]:
    with house.scope():
        return {bytes(data)[len(PDF) :] for data in StoredPiece.objects.values_list("data", flat=True)}


def test_an_upload_that_was_never_saved_goes_after_a_day(house: House, charlie: Person) -> None:
    keep(house, "never.pdf", PDF + b"never")
    attach(house, keep(house, "saved.pdf", PDF + b"saved"))
    with tenant_scope(charlie.tenant.pk):
        StoredFile.objects.create(digest="0" * 64, size=1, touched_at=house.now)
    collect(house, house.now + dt.timedelta(hours=23))
    assert kept(house) == {b"never", b"saved"}
    collect(house, house.now + DAY)
    assert kept(house) == {b"saved"}
    with tenant_scope(charlie.tenant.pk):
        assert StoredFile.objects.count() == 1


def test_versions_that_were_sent_or_are_sent_now_keep_their_files(house: House, mailbox: Mailbox) -> None:
    for number in range(4):
        attach(house, keep(house, "list.pdf", PDF + b"%d" % number))
        if number == 1:
            house.queue(house.contact("Ada"))
            assert house.send().handed == 1
    with house.scope():
        add_variant(
            email_id=house.email.pk, language="nb", revision=house.email.revision, actor=None, now=house.now
        )
    attach(house, keep(house, "list.pdf", PDF + b"nb"), language="nb")
    collect(house, house.now + DAY)
    # 0 and 2 were replaced before anybody got them, as was the variant's first version, whose file the email has.
    assert kept(house) == {b"1", b"3", b"nb"}
    with house.scope():
        delete_email(email_id=house.email.pk, actor=None, now=house.now)
    collect(house, house.now + 2 * DAY)
    assert kept(house) == {b"1"}
    with house.scope():
        assert Attachment.objects.count() == 1


def test_the_job_begins_once_a_day_and_only_where_there_is_something(house: House) -> None:
    with house.scope():
        collect_soon(now=house.now)
        keep(house, "a.pdf", PDF)
        collect_soon(now=house.now)
        assert not Job.objects.filter(kind=JOB).exists()
        for _ in range(2):
            collect_soon(now=house.now + DAY)
        assert Job.objects.filter(kind=JOB).count() == 1


def test_what_is_being_saved_at_that_moment_stays(house: House) -> None:
    file = keep(house, "a.pdf", PDF + b"a")
    ready, go = threading.Event(), threading.Event()

    def saves() -> None:
        from django.db import connection, transaction

        with house.scope(), transaction.atomic():
            assert operations.attachment_problems([file]) == []
            ready.set()
            go.wait(20)
        connection.close()

    saver = threading.Thread(target=saves)
    saver.start()
    assert ready.wait(20)
    try:
        collect(house, house.now + DAY)
        assert kept(house) == {b"a"}
    finally:
        go.set()
        saver.join()
    collect(house, house.now + 2 * DAY)
    assert kept(house) == set()


def test_room_is_counted(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "MOST_STORED", 30)
    keep(house, "a.pdf", PDF + b"x" * 10)
    with pytest.raises(AttachmentRefused, match="fill the 5 GB"):
        keep(house, "b.pdf", PDF + b"y" * 10)


def test_the_tick_begins_it_without_any_upload_and_for_each_tenant_alone(
    house: House, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = clock.now()
    keep(house, "a.pdf", PDF)
    with house.scope():
        StoredFile.objects.update(touched_at=tenant_now(house.tenant.pk) - DAY)
    with tenant_scope(charlie.tenant.pk):
        StoredFile.objects.create(digest="0" * 64, size=1, touched_at=tenant_now(charlie.tenant.pk))
    assert tenants_with_old_files(real) == [house.tenant.pk]
    asked: list[int] = []
    monkeypatch.setattr(content_tasks.collect_files, "delay", asked.append)
    wake.taken_up("old-files")
    for _ in range(3):
        tasks._wake_what_leaves(real)
    # Once an hour, however often it ticks.
    assert asked == [house.tenant.pk]
    content_tasks.collect_files(house.tenant.pk)
    with house.scope():
        assert Job.objects.filter(kind=JOB).count() == 1
    with tenant_scope(charlie.tenant.pk):
        assert not Job.objects.exists()
