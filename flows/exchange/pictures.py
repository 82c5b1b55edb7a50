"""Pictures of forms in a flow file: whole while there is room, by name alone beyond that. Drawn anew at the import."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import Field

from accounts.models import Membership
from content.models import Image, ImageData
from content.operations.images import describe_image, upload_image
from content.pictures import PictureRefused
from flows.exchange.kinds import CannotMake, Data, Making, Told, UsedKind
from flows.exchange.schema import MOST_PICTURES, Used

# Texts of a file are shorter than that; URL-safe letters do not grow when the file is handed back by a page.
_LINE: Final = 60_000


class PictureData(Data):
    """A picture's text for those who do not see it, its digest, and its bytes (URL-safe base64, in pieces), or none."""

    alt: str = Field(default="", max_length=250)
    digest: str = Field(default="", max_length=64)
    data: tuple[Annotated[str, Field(max_length=_LINE)], ...] = Field(default=(), max_length=60)


class PictureKind(UsedKind):
    """A picture that a form shows."""

    name = "image"
    label = "Image"
    icon = "image"
    Data = PictureData
    model = Image

    def told(self, ids: Sequence[int], member: Membership) -> dict[int, Told]:
        """Those that exist, in the order of ids; two queries. The bytes of the first MOST_PICTURES."""
        rows = {row.pk: row for row in Image.objects.filter(pk__in=ids)}
        room, whole = MOST_PICTURES, []
        for pk in ids:
            if pk in rows and rows[pk].size * 4 // 3 <= room:
                room -= rows[pk].size * 4 // 3
                whole.append(pk)
        found = dict(ImageData.objects.filter(image_id__in=whole).values_list("image_id", "data"))
        return {
            pk: Told(
                row.name, {"alt": row.alt, "digest": row.digest, "data": _lines(bytes(found.get(pk, b"")))}
            )
            for pk, row in rows.items()
        }

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """By what it shows, not by its name; one query."""
        digests = [str(one.data.get("digest", "")) for one in wanted]
        here = dict(Image.objects.filter(digest__in=digests).values_list("digest", "pk"))
        return {one.id: here[digest] for one, digest in zip(wanted, digests, strict=True) if digest in here}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows uploads pictures; without bytes there is nothing to make."""
        return bool(used.data.get("data"))

    def make(self, used: Used, data: PictureData, making: Making) -> int:
        """Take it in as if it were uploaded: told by its bytes, drawn anew."""
        try:
            raw = base64.urlsafe_b64decode("".join(data.data).encode("ascii"))
            image, is_new = upload_image(
                file=io.BytesIO(raw), size=len(raw), file_name=used.name, actor=making.actor, now=making.now
            )
        except (binascii.Error, UnicodeEncodeError) as error:
            raise CannotMake("Its bytes cannot be read.") from error
        except PictureRefused as refused:
            raise CannotMake(str(refused)) from None
        if is_new:
            describe_image(image_id=image.pk, name=used.name, alt=data.alt, actor=making.actor)
        return image.pk


def _lines(raw: bytes) -> list[str]:
    text = base64.urlsafe_b64encode(raw).decode()
    return [text[start : start + _LINE] for start in range(0, len(text), _LINE)]
