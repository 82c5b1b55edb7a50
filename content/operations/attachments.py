"""Keeping files that go with emails, and giving them to versions. The same content is kept once a tenant."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from typing import IO

from django.db import transaction
from django.db.models import Sum

from accounts.models import Tenant
from content.attaching import MOST_BYTES, MOST_FILES, PIECE, AttachmentRefused, megabytes, told
from content.models import Attachment, EmailVersion, StoredFile, StoredPiece
from content.problems import Problem
from content.queries_attachment import Attached, total
from core.tenancy import require_tenant_id

MOST_STORED = 5 * 1024 * 1024 * 1024


@transaction.atomic
def keep_file(
    *, file: IO[bytes], name: str, size: int, beside: Sequence[Attached], now: dt.datetime
) -> Attached:
    """Keep an uploaded file that is to go `beside` others; nothing is attached yet. Raises AttachmentRefused.

    What is kept and never attached is collected (content.operations.collecting).
    """
    what = told(file, name=name, size=size)
    if len(beside) >= MOST_FILES:
        raise AttachmentRefused(f"An email carries at most {MOST_FILES} files.")
    there = total(beside)
    if there + size > MOST_BYTES:
        raise AttachmentRefused(
            f"It has {megabytes(size)}, and there are {megabytes(there)} already: at most 25 MB together."
        )
    digest = _digest(file)
    if any(one.name == what.name for one in beside):
        raise AttachmentRefused(
            "There is a file of that name already: take it out first, or rename this one."
        )
    # One upload of a tenant at a time: the room that is left is counted, and the same file is found.
    Tenant.objects.select_for_update(no_key=True).get(pk=require_tenant_id())
    known = StoredFile.objects.filter(digest=digest).select_for_update(no_key=True).first()
    if known is not None:
        StoredFile.objects.filter(pk=known.pk).update(touched_at=now)
        return Attached(known.pk, what.name, what.kind, size)
    _check_room(size)
    kept = StoredFile.objects.create(digest=digest, size=size, touched_at=now)
    file.seek(0)
    number = 0
    while piece := file.read(PIECE):
        StoredPiece.objects.create(file=kept, number=number, data=piece)
        number += 1
    return Attached(kept.pk, what.name, what.kind, size)


def _digest(file: IO[bytes]) -> str:
    file.seek(0)
    made = hashlib.sha256()
    while piece := file.read(PIECE):
        made.update(piece)
    return made.hexdigest()


def _check_room(size: int) -> None:
    held = StoredFile.objects.aggregate(size=Sum("size"))["size"] or 0
    if held + size > MOST_STORED:
        raise AttachmentRefused(
            "The attachments fill the 5 GB that there is for them. Those that nobody got and no email carries any more "
            "go by themselves after a day."
        )


def attachment_problems(files: Sequence[Attached]) -> list[Problem]:
    """Return what is wrong with what an email is to carry; until the transaction ends the files stay where they are."""
    if len(files) > MOST_FILES:
        return [Problem("attachments", f"An email carries at most {MOST_FILES} files.")]
    if total(files) > MOST_BYTES:
        return [Problem("attachments", f"They have {megabytes(total(files))}: at most 25 MB together.")]
    wanted = StoredFile.objects.filter(pk__in=[file.file_id for file in files]).order_by("pk")
    known = set(wanted.select_for_update(no_key=True).values_list("pk", flat=True))
    return [
        Problem(
            "attachments",
            f"“{file.name}” was uploaded too long ago and is gone: take it out and attach it again.",
        )
        for file in files
        if file.file_id not in known
    ]


def attach(version: EmailVersion, files: Iterable[Attached], *, now: dt.datetime) -> None:
    """Give files to a new version, in this order. They are touched, so that the collector leaves them alone."""
    wanted = list(files)
    if not wanted:
        return
    ids = {file.file_id for file in wanted}
    list(
        StoredFile.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk")
    )
    StoredFile.objects.filter(pk__in=ids).update(touched_at=now)
    Attachment.objects.bulk_create(
        Attachment(version=version, file_id=file.file_id, number=number, name=file.name, kind=file.kind)
        for number, file in enumerate(wanted, 1)
    )
