"""The public address of a picture: it carries its tenant, signed, and never changes, so anybody may keep it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from django.conf import settings

from content.models_image import Image
from core.signing import BadToken, make_lasting_token, read_lasting_token

_PURPOSE = "image"
_WHOLE = re.compile(r"https?://[^\s/\"'<>()]+/i/[\w:=-]{10,200}\.(?:jpg|png|gif)")
# Where a source shows a picture: attributes of MJML and HTML, and styles; up to the end of the site's name.
_SHOWN = re.compile(
    r"(?i)(?:(?<![\w-])(?:src|background-url|background)\s*=\s*[\"']\s*|\burl\(\s*(?:&quot;|[\"'])?\s*)"
    r"((?:https?:)?//[a-z0-9.-]+(?::[0-9]{1,5})?)(?=[/?#\s\"')&]|$)"
)
_ADDRESS = re.compile(r"/i/([\w:=-]{10,200})\.(?:jpg|png|gif)")


def image_path(image: Image) -> str:
    """Return the address within our own site: what our pages show."""
    token = make_lasting_token(purpose=_PURPOSE, tenant_id=image.tenant_id or 0, values=(image.pk,))
    return f"/i/{token}.{image.format}"


def image_url(image: Image) -> str:
    """Return the whole address: what mails show."""
    return settings.PUBLIC_URL + image_path(image)


def read_image_token(token: str) -> tuple[int, int]:
    """Return (tenant id, image id), or raise BadToken."""
    read = read_lasting_token(purpose=_PURPOSE, token=token)
    image_id = read.values[0] if len(read.values) == 1 else None
    if not isinstance(image_id, int):
        raise BadToken("This link is not valid.")
    return read.tenant_id, image_id


def with_pictures(source: str, tenant_id: int, address: Callable[[int], str]) -> str:
    """Return a source with another address for each of the tenant's own pictures, of which `address` gets the id."""

    def other(match: re.Match[str]) -> str:
        found = next(images_in(match[0], tenant_id), None)
        return match[0] if found is None else address(found)

    return _WHOLE.sub(other, source) if "/i/" in source else source


def images_in(source: str, tenant_id: int) -> Iterator[int]:
    """Yield the ids of the tenant's own pictures whose addresses stand in a source."""
    for match in _ADDRESS.finditer(source):
        try:
            owner, image_id = read_image_token(match[1])
        except BadToken:
            continue
        if owner == tenant_id:
            yield image_id


def sites_in(source: str) -> list[str]:
    """Return the sites whose pictures a source shows, as https://cdn.example.com, in their order."""
    return list(dict.fromkeys(match[1].lower().removeprefix("//") for match in _SHOWN.finditer(source)))
