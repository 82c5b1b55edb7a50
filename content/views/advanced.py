"""The drag-and-drop editor: the same source as the block editor's, on a canvas.

GrapesJS puts styles on everything that it draws, so this page alone allows them inline; and pictures of the sites that
the email itself shows some of, as an imported one may.
What is saved is the server's: the source goes through the same check and compile as ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content import queries
from content.blocks.canvas import Eyes, Piece, for_canvas, from_canvas, pieces_for_canvas, shown_as_source
from content.blocks.looks import look_of
from content.blocks.tokens import names_of
from content.blocks.tree import Unreadable
from content.brand import BrandValues, brand_values, defaults_of, with_values
from content.direction import MIRRORED, direction_of
from content.flows_above import flow_name, hidden_flows
from content.image_urls import sites_in
from content.models import Email, EmailVariant
from content.operations.emails import Draft, EmailRefused, compile_draft, save_email
from content.previews import keep_preview
from content.problems import Problem, problem_at
from content.rendering import render_preview
from content.tree import known_tree
from content.views.editor import piece_of
from content.views.library import WRITERS, get_email
from delivery.rendering import RenderFailed

MOST_SITES = 40
_ATTRIBUTES = re.compile(r"<mj-attributes\b[^>]*>.*?</mj-attributes\s*>", re.DOTALL)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def advanced(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Show the canvas; a POST previews what stands there (do=preview) or saves it."""
    email = get_email(request.member, email_id)
    piece = piece_of(request, email)
    language = piece.language if isinstance(piece, EmailVariant) else ""
    back = turl(request.tenant, "content:edit", email.pk) + (f"?language={language}" if language else "")
    if queries.locks_of(email.pk, hidden=hidden_flows(request.member)):
        messages.info(request, "The email is locked: nothing can be changed now.")
        return redirect(back)
    return (
        _posted(request, email, piece, back) if request.method == "POST" else _canvas(request, email, piece)
    )


def _posted(request: TenantRequest, email: Email, piece: Email | EmailVariant, back: str) -> HttpResponse:
    language = piece.language if isinstance(piece, EmailVariant) else ""
    try:
        source = from_canvas(_written(request), piece.mjml, brand_values().tags())
    except Unreadable as unreadable:
        return _canvas(request, email, piece, problems=[Problem("mjml", str(unreadable))], status=422)
    own = piece.text if piece.text_is_own else None
    draft = Draft(email.name, piece.subject, source, piece.preheader, own, language=piece.language)
    if request.POST.get("do") == "preview":
        return _preview(request, draft)
    try:
        saved = save_email(
            email_id=email.pk, draft=draft, revision=_revision(request), actor=request.user,
            now=tenant_now(request.tenant.pk), language=language,
        )  # fmt: skip
    except EmailRefused as refused:
        return _canvas(request, email, piece, source, [Problem("", str(refused))], status=409)
    if not saved.is_saved:
        return _canvas(request, email, piece, source, saved.problems, status=422)
    if parts := shown_as_source(source):
        messages.info(
            request, f"The block editor shows these as source: {', '.join(parts)}. Nothing is lost."
        )
    return redirect(f"{back}{'&' if language else '?'}saved")


def _written(request: TenantRequest) -> str:
    """Return what stands on the canvas. Raises Unreadable: an answer without it would empty the email."""
    written = request.POST.get("mjml", "").replace("\r\n", "\n")
    if not written.strip():
        raise Unreadable(0, "Nothing came from the canvas. Reload the page and try again.")
    return written


def _revision(request: TenantRequest) -> int:
    given = request.POST.get("revision", "")
    return int(given) if given.isdigit() and len(given) < 9 else -1


def _canvas(
    request: TenantRequest,
    email: Email,
    piece: Email | EmailVariant,
    source: str = "",
    problems: Sequence[Problem] = (),
    *,
    status: int = 200,
) -> HttpResponse:
    source = source or piece.mjml
    brand, tree = brand_values(), known_tree()
    names = names_of(tree.groups)
    eyes = Eyes(brand.tags(), names, lambda node: look_of(node, brand, names))
    try:
        opened, pieces = for_canvas(source, eyes), pieces_for_canvas(source, eyes)
    except Unreadable as unreadable:
        place = problem_at("mjml", source, unreadable.offset, str(unreadable))
        messages.error(request, f"The source cannot be read: {place}. Mend it there first.")
        return redirect(turl(request.tenant, "content:edit", email.pk) + "?mode=source")
    context = {
        "email": email, "language": piece.language if isinstance(piece, EmailVariant) else "", "opened": opened,
        "problems": problems, "flow_name": flow_name(request.member, email.flow_id),
        "revision": request.POST.get("revision", email.revision), "groups": tree.groups,
        "canvas": {
            "names": names, "pieces": [_offered(one) for one in pieces], **_dress(brand, source, piece.language),
        },
    }  # fmt: skip
    response = render(request, "content/advanced.html", context, status=status)
    response._csp_update = {  # type: ignore[attr-defined]
        "style-src": ["'unsafe-inline'"],
        "img-src": _picture_sites(source),
    }
    return response


def _picture_sites(source: str) -> list[str]:
    """Return whose pictures the canvas may show: ours under their public address, and those that the email has already.

    A new one comes from the tenant's images. So many sites that no proxy takes the header are every site.
    """
    sites = sites_in(source)
    return ["https:", "http:"] if len(sites) > MOST_SITES else [settings.PUBLIC_URL, *sites]


def _offered(piece: Piece) -> dict[str, Any]:
    category = "Sections" if piece.is_section else "Blocks"
    name = f"{'section' if piece.is_section else 'block'}-{piece.name}"
    return {"id": name, "label": piece.label, "icon": piece.icon, "category": category, "content": piece.mjml}


def _dress(brand: BrandValues, source: str, language: str) -> dict[str, str]:
    """Return what the canvas draws by: the brand's defaults, then the email's own, as compiling takes them."""
    attributes, style = defaults_of(brand)
    own = [text for text in _ATTRIBUTES.findall(with_values(source, brand)) if "{" not in text]
    direction = direction_of(language)
    mirrored = MIRRORED if direction == "rtl" else ""
    return {"head": "".join((mirrored, attributes, *own)), "style": style, "direction": direction or "ltr"}


def _preview(request: TenantRequest, draft: Draft) -> HttpResponse:
    """Show the server's own mail of what stands on the canvas."""
    result = compile_draft(draft)
    rendered = render_preview(result.compiled, contact_id=None) if result.compiled else None
    if rendered is None or isinstance(rendered, RenderFailed):
        found = result.problems or [Problem("mjml", rendered.error if rendered else "")]
        return render(request, "content/advanced_preview.html", {"problems": found})
    return render(
        request, "content/advanced_preview.html", {"frame_url": keep_preview(request, rendered.html)}
    )
