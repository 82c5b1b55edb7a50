"""Keeping pictures: upload, name, delete. The same picture is kept once."""

from __future__ import annotations

import datetime as dt
import re
from typing import IO

from django.db import transaction
from django.db.models import Count, Sum

from accounts.audit import write_audit
from accounts.models import Tenant, User
from content.models import Image, ImageData
from content.pictures import PictureRefused, read_picture
from core.tenancy import require_tenant_id
from crm.operations.usage import check_unused

MOST_IMAGES = 5_000
MOST_BYTES = 1024 * 1024 * 1024


@transaction.atomic
def upload_image(
    *, file: IO[bytes], size: int, file_name: str, actor: User | None, now: dt.datetime
) -> tuple[Image, bool]:
    """Keep an uploaded picture; returns it and whether it is new. `size` in bytes. Raises PictureRefused."""
    picture = read_picture(file, size=size)
    # One upload of a tenant at a time: the room that is left is counted, and the same picture is found.
    Tenant.objects.select_for_update(no_key=True).get(pk=require_tenant_id())
    known = Image.objects.filter(digest=picture.digest).first()
    if known is not None:
        return known, False
    _check_room(len(picture.data))
    image = Image.objects.create(
        name=_name(file_name), format=picture.format, width=picture.width, height=picture.height,
        size=len(picture.data), digest=picture.digest, created_at=now, created_by=actor,
    )  # fmt: skip
    ImageData.objects.create(image=image, data=picture.data)
    write_audit(
        actor=actor, action="image.uploaded", object_kind="image", object_id=image.pk, object_name=image.name
    )
    return image, True


def _check_room(size: int) -> None:
    held = Image.objects.aggregate(count=Count("id"), size=Sum("size"))
    if held["count"] >= MOST_IMAGES:
        raise PictureRefused(
            f"There are {MOST_IMAGES:,} pictures, as many as can be kept: delete unused ones."
        )
    if (held["size"] or 0) + size > MOST_BYTES:
        raise PictureRefused(
            "The pictures fill the 1 GB that there is for them. Delete some that nothing uses."
        )


def _name(file_name: str) -> str:
    """Return a name for people from a file's name: its last part, without its ending and control characters."""
    last = re.split(r"[\\/]", file_name)[-1]
    words = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", last).rpartition(".")
    return " ".join((words[0] or words[2]).replace("_", " ").split())[:120] or "Picture"


@transaction.atomic
def describe_image(*, image_id: int, name: str, alt: str, actor: User | None) -> Image:
    """Change a picture's name and its text for those who do not see it; emails keep the text that they have."""
    image = Image.objects.select_for_update(no_key=True).get(pk=image_id)
    image.name, image.alt = name.strip()[:120], alt.strip()[:250]
    image.save(update_fields=["name", "alt"])
    write_audit(
        actor=actor, action="image.described", object_kind="image", object_id=image.pk, object_name=image.name
    )
    return image


@transaction.atomic
def delete_image(*, image_id: int, actor: User | None) -> None:
    """Delete a picture that nothing uses. Raises crm.operations.usage.InUse."""
    image = Image.objects.select_for_update().get(pk=image_id)
    check_unused("image", image.pk, f"“{image.name}”")
    write_audit(
        actor=actor, action="image.deleted", object_kind="image", object_id=image.pk, object_name=image.name
    )
    ImageData.objects.filter(image=image).delete()
    image.delete()
