"""The mailbox pages: every mail of a trial installation, as its recipients would see it. There only in a trial.

Outside the tenants, like a mail client: an invited user has no sign-in yet. Must not know where mails come from.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_POST

from trial.mailbox import Mail, Mailbox

PER_PAGE = 50
# A mail brings inline styles and pictures, and may bring scripts: it gets a sandbox of its own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
SHOP = {
    "autumn": "The autumn range",
    "offer": "Ten per cent for your first order",
    "repairs": "Our repair service",
    "stores": "Where to find us",
}
VIEWS = {"html": "HTML", "text": "Text", "headers": "Headers", "source": "Source"}


def trial_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hide the page where the installation is no trial."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.TRIAL:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def _mailbox() -> Mailbox:
    return Mailbox(settings.HOME / "mailbox")


def _mail(mail_id: str) -> Mail:
    mail = _mailbox().get(mail_id)
    if mail is None:
        raise Http404
    return mail


@trial_only
@require_GET
def mail_list(request: HttpRequest) -> HttpResponse:
    """Show the mails, newest first, with search by recipient, sender and subject."""
    search = request.GET.get("q", "")
    pages = Paginator(_mailbox().summaries(search), PER_PAGE)
    return render(
        request, "trial/mail_list.html", {"page": pages.get_page(request.GET.get("page")), "search": search}
    )


@trial_only
@require_GET
def mail_detail(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Show one mail: HTML, text, headers or source."""
    mail = _mail(mail_id)
    shown = request.GET.get("view", "html" if mail.html else "text")
    if shown not in VIEWS:
        raise Http404
    context = {
        "mail": mail,
        "shown": shown,
        "views": VIEWS,
        "one_click_url": _own(request, mail.one_click_url),
    }
    return render(request, "trial/mail_detail.html", context)


@trial_only
@require_GET
@xframe_options_sameorigin
def mail_html(request: HttpRequest, mail_id: str) -> HttpResponse:
    """Return the mail's HTML for the frame; its links open in a new tab."""
    html = f'<base target="_blank">{_mail(mail_id).html}'
    response = HttpResponse(html)
    response["Content-Security-Policy"] = MAIL_POLICY
    return response


@trial_only
@require_GET
def mail_file(request: HttpRequest, mail_id: str, number: int) -> HttpResponse:
    """Return an attachment, always as a download."""
    found = next((file for file in _mail(mail_id).attachments if file.number == number), None)
    if found is None:
        raise Http404
    response = HttpResponse(found.content, content_type="application/octet-stream")
    name = "".join(c if c.isalnum() or c in "._- " else "_" for c in found.name)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@trial_only
@require_POST
def mail_empty(request: HttpRequest) -> HttpResponse:
    """Throw all mails away."""
    _mailbox().empty()
    return redirect("mailbox:list")


@trial_only
@require_GET
def shop(request: HttpRequest, page: str) -> HttpResponse:
    """Stand in for the demo company's own site, where the links of its mails lead."""
    if page not in SHOP:
        raise Http404
    return render(request, "trial/shop.html", {"title": SHOP[page], "query": request.GET.items()})


def _own(request: HttpRequest, url: str) -> str:
    """Return the address if it is one of this installation: the page may post to no other."""
    return url if urlsplit(url).netloc == request.get_host() else ""
