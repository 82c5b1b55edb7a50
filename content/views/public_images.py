"""A picture, for whoever reads a mail: the same bytes for ever, so everybody on the way may keep them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from content.image_urls import read_image_token
from content.queries_image import image_bytes
from core.signing import BadToken
from core.tenancy import tenant_scope

_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}


@require_safe
def picture(request: HttpRequest, token: str, ending: str) -> HttpResponse:
    """Answer with the picture, or 404 without a word; no session and no cookie is read."""
    try:
        tenant_id, image_id = read_image_token(token)
    except BadToken:
        return _gone()
    with tenant_scope(tenant_id):
        found = image_bytes(image_id)
    if found is None or found[0].format != ending:
        return _gone()
    image, data = found
    tag = f'"{image.digest[:32]}"'
    known = tag in request.headers.get("If-None-Match", "")
    response = HttpResponseNotModified() if known else HttpResponse(data, content_type=_TYPES[image.format])
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    # It is shown in mails and on other sites, and it is a picture and nothing else.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _gone() -> HttpResponse:
    response = HttpResponse("Not found", status=404, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    return response
