"""Reads of pictures: the library with what uses them, and the bytes for those who look at a mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from content.image_urls import image_path, image_url
from content.models import Image, ImageData
from crm.models import Usage


@dataclass(frozen=True, slots=True)
class ImageLine:
    """A picture in the library."""

    image: Image
    uses: int

    @property
    def path(self) -> str:
        """Where our pages find it."""
        return image_path(self.image)

    @property
    def url(self) -> str:
        """Where mails find it."""
        return image_url(self.image)


def images(search: str = "") -> QuerySet[Image]:
    """Return the pictures whose name or text holds the words. A tenant has thousands at most."""
    found = Image.objects.select_related("created_by")
    for word in search.split()[:5]:
        found = found.filter(name__icontains=word) | found.filter(alt__icontains=word)
    return found


def image_lines(images: Sequence[Image]) -> list[ImageLine]:
    """Return the pictures with the number of places that use them; one query."""
    places: dict[int, set[tuple[str, int]]] = {}
    rows = Usage.objects.filter(used_kind="image", used_id__in=[image.pk for image in images])
    for used_id, kind, user_id in rows.values_list("used_id", "user_kind", "user_id"):
        places.setdefault(used_id, set()).add((kind, user_id))
    return [ImageLine(image, len(places.get(image.pk, ()))) for image in images]


def image_bytes(image_id: int) -> tuple[Image, bytes] | None:
    """Return a picture and what it is made of, or None where it is gone."""
    row = ImageData.objects.select_related("image").filter(image_id=image_id).first()
    return None if row is None else (row.image, bytes(row.data))
