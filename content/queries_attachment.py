"""Reads of attachments: what a version carries, and the bytes, piece by piece."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from content.attaching import megabytes
from content.models import Attachment, EmailVariant, StoredPiece
from core.db.cursors import raw_cursor
from core.signing import BadToken, make_lasting_token, read_lasting_token
from core.tenancy import require_tenant_id, tenant_scope

_PURPOSE = "attachment"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as an email carries it. `size` in bytes."""

    file_id: int
    name: str
    kind: str
    size: int

    @property
    def shown_size(self) -> str:
        """The size for people."""
        return megabytes(self.size)

    def token(self, email_id: int) -> str:
        """Return what an editor's page names it by: signed, and good for that email alone."""
        values = (email_id, self.file_id, self.name, self.kind, self.size)
        return make_lasting_token(purpose=_PURPOSE, tenant_id=require_tenant_id(), values=values)


def read_attached(token: str, *, email_id: int) -> Attached:
    """Return what a token of this email names. Raises BadToken."""
    read = read_lasting_token(purpose=_PURPOSE, token=token)
    if read.tenant_id != require_tenant_id() or len(read.values) != 5 or read.values[0] != email_id:
        raise BadToken("This attachment belongs to another email.")
    _, file_id, name, kind, size = read.values
    return Attached(int(file_id), str(name), str(kind), int(size))


def attached_to(version_id: int | None) -> tuple[Attached, ...]:
    """Return what a version carries, in its order."""
    return attached_to_many([version_id] if version_id else []).get(version_id or 0, ())


def attached_to_many(version_ids: Iterable[int]) -> dict[int, tuple[Attached, ...]]:
    """Return what versions carry; those without attachments are left out. One query."""
    rows = Attachment.objects.filter(version_id__in=list(version_ids)).order_by("version_id", "number")
    found: dict[int, list[Attached]] = {}
    for version_id, file_id, name, kind, size in rows.values_list(
        "version_id", "file_id", "name", "kind", "file__size"
    ):
        found.setdefault(version_id, []).append(Attached(file_id, name, kind, size))
    return {version_id: tuple(files) for version_id, files in found.items()}


def total(files: Iterable[Attached]) -> int:
    """Return the bytes of files together."""
    return sum(file.size for file in files)


def also_attached(
    files: Sequence[Attached], *, email_id: int
) -> dict[int, list[tuple[int, str, int | None]]]:
    """Return, by file, the other emails that carry it now: (id, name, flow id), by name. Two queries."""
    wanted = [file.file_id for file in files]
    current = Attachment.objects.filter(
        file_id__in=wanted, version__email__deleted_at=None, version__email__is_internal=False
    ).exclude(version__email_id=email_id)
    rows = list(
        current.values_list(
            "file_id", "version_id", "version__email_id", "version__email__name", "version__email__flow_id",
            "version__email__current_id",
        )
    )  # fmt: skip
    others = {row[1] for row in rows if row[1] != row[5]}
    variants = EmailVariant.objects.filter(current_id__in=others) if others else EmailVariant.objects.none()
    kept = set(variants.values_list("current_id", flat=True))
    found: dict[int, set[tuple[int, str, int | None]]] = {}
    for file_id, version_id, other, name, flow_id, current_id in rows:
        if version_id == current_id or version_id in kept:
            found.setdefault(file_id, set()).add((other, name, flow_id))
    return {file_id: sorted(emails, key=lambda one: (one[1], one[0])) for file_id, emails in found.items()}


def tenants_with_old_files(now: dt.datetime) -> list[int]:
    """Return the tenants with files that were touched more than a day ago. `now` is the real time; needs no scope."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT content_tenants_with_old_files(%s)", [now])
        return [row[0] for row in cursor.fetchall()]


def pieces_of_file(tenant_id: int, file_id: int) -> Iterator[bytes]:
    """Yield a file's bytes piece by piece, each read in a short scope of its own: no more than one is held."""
    number = 0
    while True:
        with tenant_scope(tenant_id):
            row = (
                StoredPiece.objects.filter(file_id=file_id, number=number)
                .values_list("data", flat=True)
                .first()
            )
        if row is None:
            return
        yield bytes(row)
        number += 1
