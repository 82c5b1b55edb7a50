"""Attachments of emails in a flow file: checked at the import as an upload is, by what they are."""

from __future__ import annotations

import io
from collections.abc import Sequence

from accounts.models import Membership
from content.attaching import LONGEST_NAME, AttachmentRefused, told
from content.models import Attachment, StoredFile, StoredPiece
from content.operations.attachments import keep_file
from content.queries_attachment import Attached
from flows.exchange.bytes_told import KindWithBytes, WithBytes, lines, with_room
from flows.exchange.kinds import CannotMake, Choice, Making, Told
from flows.exchange.schema import Used


class AttachmentKind(KindWithBytes):
    """A file that an email carries. It is the same file whatever each email calls it."""

    name = "stored_file"
    label = "Attachment"
    icon = "paperclip"
    Data = WithBytes
    model = StoredFile

    def told(self, ids: Sequence[int], member: Membership) -> dict[int, Told]:
        """Those that exist, by the name that one of their emails has for them; three queries."""
        rows = {row.pk: row for row in StoredFile.objects.filter(pk__in=ids)}
        carried = Attachment.objects.filter(file_id__in=rows).order_by("-pk")
        names = dict(carried.values_list("file_id", "name"))
        held: dict[int, bytes] = {}
        whole = with_room((pk, rows[pk].size) for pk in ids if pk in rows)
        pieces = StoredPiece.objects.filter(file_id__in=whole).order_by("file_id", "number")
        for file_id, piece in pieces.values_list("file_id", "data"):
            held[file_id] = held.get(file_id, b"") + bytes(piece)
        return {
            pk: Told(names.get(pk, "File"), {"digest": row.digest, "data": lines(held.get(pk, b""))})
            for pk, row in rows.items()
        }

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """None: another file is attached in the email's editor."""
        return []

    def make(self, used: Used, data: WithBytes, making: Making) -> int:
        """Take it in as if it were uploaded."""
        try:
            raw = data.raw()
            return keep_file(
                file=io.BytesIO(raw), name=used.name[:LONGEST_NAME], size=len(raw), beside=(), now=making.now
            ).file_id
        except AttachmentRefused as refused:
            raise CannotMake(str(refused)) from None
        except ValueError as error:
            raise CannotMake("Its bytes cannot be read.") from error


def carried(file_id: int, name: str) -> Attached:
    """Return a file that is here as an email is to carry it under a name, told by its bytes. Raises CannotMake."""
    pieces = StoredPiece.objects.filter(file_id=file_id).order_by("number").values_list("data", flat=True)
    held = b"".join(bytes(piece) for piece in pieces)
    try:
        what = told(io.BytesIO(held), name=name, size=len(held))
    except AttachmentRefused as refused:
        raise CannotMake(f"Its attachment “{name}” cannot be taken. {refused}") from None
    return Attached(file_id, what.name, what.kind, len(held))
