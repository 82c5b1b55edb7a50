"""A small form as a dialog where htmx asks, as a page of its own where nothing does: the same view serves both."""

from __future__ import annotations

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from accounts.http import TenantRequest


def form_dialog(
    request: TenantRequest,
    *,
    title: str,
    form: Form,
    verb: str,
    back: str,
    text: str = "",
    is_danger: bool = False,
) -> HttpResponse:
    """Show the form; with errors in it the answer is 422, which htmx swaps in place."""
    context = {"title": title, "form": form, "verb": verb, "back": back, "text": text, "is_danger": is_danger}
    name = "participants/form_dialog.html" if request.htmx else "participants/form_page.html"
    return render(request, name, context, status=422 if form.is_bound and form.errors else 200)


def go(request: TenantRequest, url: str) -> HttpResponse:
    """Leave the dialog for a page."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
