"""A form on other sites: the script that puts it there, and the style sheet of its page. No session is read."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from content.brand import brand_values
from content.forms import page as form_page
from content.forms.style import style_sheet
from content.models import Form
from content.operations.forms import document_of
from core.signing import BadToken
from core.tenancy import tenant_scope

SCRIPT = "bundle/form-embed.js"


@lru_cache(maxsize=1)
def _script() -> str:
    found = finders.find(SCRIPT)
    if not isinstance(found, str):
        raise FileNotFoundError(SCRIPT)
    return Path(found).read_text()


@require_safe
def script(request: HttpRequest, token: str) -> HttpResponse:
    """The script. It is the same for every form; a forged address gets none."""
    if _form(token) is None:
        return _gone()
    return _shared(request, _script(), "text/javascript; charset=utf-8")


@require_safe
def sheet(request: HttpRequest, token: str) -> HttpResponse:
    """The style sheet of the form's page."""
    form = _form(token)
    if form is None:
        return _gone()
    with tenant_scope(form_page.read_address(token)[0]):
        css = style_sheet(document_of(form).style, brand_values())
    return _shared(request, css, "text/css; charset=utf-8")


def _form(token: str) -> Form | None:
    try:
        tenant_id, form_id = form_page.read_address(token)
    except BadToken:
        return None
    with tenant_scope(tenant_id):
        return Form.objects.filter(pk=form_id, deleted_at=None).first()


def _shared(request: HttpRequest, text: str, kind: str) -> HttpResponse:
    """Answer what every site may load and keep for five minutes."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    known = tag in request.headers.get("If-None-Match", "")
    response = HttpResponseNotModified() if known else HttpResponse(text, content_type=kind)
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=300"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _gone() -> HttpResponse:
    response = HttpResponse("Not found", status=404, content_type="text/plain")
    response["Cache-Control"] = "no-store"
    return response
