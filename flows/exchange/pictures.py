"""Pictures of forms and emails in a flow file: drawn anew at the import, as an upload is."""

from __future__ import annotations

import io
from collections.abc import Sequence

from pydantic import Field

from accounts.models import Membership
from content.models import Image, ImageData
from content.operations.images import describe_image, upload_image
from content.pictures import PictureRefused
from flows.exchange.bytes_told import KindWithBytes, WithBytes, lines, with_room
from flows.exchange.kinds import CannotMake, Making, Told
from flows.exchange.schema import Used


class PictureData(WithBytes):
    """A picture's text for those who do not see it, and its bytes."""

    alt: str = Field(default="", max_length=250)


class PictureKind(KindWithBytes):
    """A picture that a form or an email shows."""

    name = "image"
    label = "Image"
    icon = "image"
    Data = PictureData
    model = Image

    def told(self, ids: Sequence[int], member: Membership) -> dict[int, Told]:
        """Those that exist, in the order of ids; two queries. The bytes of those that have room."""
        rows = {row.pk: row for row in Image.objects.filter(pk__in=ids)}
        whole = with_room((pk, rows[pk].size) for pk in ids if pk in rows)
        found = dict(ImageData.objects.filter(image_id__in=whole).values_list("image_id", "data"))
        return {
            pk: Told(
                row.name, {"alt": row.alt, "digest": row.digest, "data": lines(bytes(found.get(pk, b"")))}
            )
            for pk, row in rows.items()
        }

    def make(self, used: Used, data: PictureData, making: Making) -> int:
        """Take it in as if it were uploaded: told by its bytes, drawn anew."""
        try:
            raw = data.raw()
            image, is_new = upload_image(
                file=io.BytesIO(raw), size=len(raw), file_name=used.name, actor=making.actor, now=making.now
            )
        except PictureRefused as refused:
            raise CannotMake(str(refused)) from None
        except ValueError as error:
            raise CannotMake("Its bytes cannot be read.") from error
        if is_new:
            describe_image(image_id=image.pk, name=used.name, alt=data.alt, actor=making.actor)
        return image.pk
