"""A form's public pages: fill in, thank you, confirm. They work without sign-in, cookies and scripts.

Another site cannot send a visitor's browser here: a post must come from a page of ours (Origin, Sec-Fetch-Site) and
carry the page token that we gave to it. No session speaks for anybody, so there is nothing to ride on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.middleware import client_ip
from accounts.models import Tenant
from content.django_forms.public_form import LONGEST, PREFIX, PublicForm
from content.forms import page as form_page
from content.forms.document import FormDocument
from content.forms.fields import Bound
from content.forms.mail import CONFIRM
from content.forms.proof import BITS, is_proven
from content.forms.words import words_of
from content.models import Form, FormSubmission
from content.operations import submissions, visits
from content.operations.form_effects import may_mail
from content.operations.forms import document_of
from content.views.form_readers import EMBED, languages_of, onward
from core import clock
from core.limits import within_limit
from core.signing import BadToken, read_lasting_token
from core.tenancy import tenant_scope
from core.texts import speaking
from delivery.machines import is_machine
from delivery.public import PublicRequest, busy, not_found
from delivery.tasks import wake_delivery
from delivery.tokens import MessageRef

P = ParamSpec("P")
# All answers of one post together; a person does not write a book.
MOST_BYTES = 256 * 1024
# So many in so many seconds: of one network to one form (a company, a fair's tablets), and of all to one form.
POSTS_OF_ONE, POSTS_OF_ALL = (60, 600), (1_800, 60)
# Without a proof of work (content.forms.proof): no scripts, or no person.
UNPROVEN_OF_ONE, UNPROVEN_OF_ALL = (6, 600), (120, 60)
# Looks that are noted, and what their scripts tell; beyond that nothing is, and the form works all the same.
VISITS_OF_ONE, TOLD_BY_ONE, MOST_BYTES_TOLD = (120, 600), (600, 600), 4_096
HONEYPOT = "website_url"


def _public(
    view: Callable[Concatenate[Any, Form, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Decorate a view that takes (request, form, …): reads the address, opens the scope, answers forgeries with 404."""

    @never_cache
    @wraps(view)
    def wrapped(request: Any, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            tenant_id, form_id = form_page.read_address(token)
            request.sender = Tenant.objects.get(pk=tenant_id)
        except (BadToken, Tenant.DoesNotExist):
            return not_found(request)
        request.now = clock.now() + request.sender.clock_offset
        request.address = f"/f/{token}/"
        try:
            with tenant_scope(tenant_id):
                form = Form.objects.filter(pk=form_id, deleted_at=None).first()
                if form is None:
                    return not_found(request)
                with speaking(request, *languages_of(request, form)):
                    response = view(request, form, *args, **kwargs)
        except OperationalError as error:
            return busy(request, error)
        response["X-Robots-Tag"] = "noindex, nofollow"
        if EMBED in request.GET:
            _allow_frames(response)
        return response

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def _allow_frames(response: HttpResponse) -> None:
    """Let any site show the page in a frame: it knows nobody, so there is nothing to trick anybody into."""
    response._csp_replace = {"frame-ancestors": ["*"]}  # type: ignore[attr-defined]
    response.xframe_options_exempt = True


def _shown(request: PublicRequest, document: FormDocument, **more: Any) -> dict[str, Any]:
    """Return what every page of a form needs."""
    return {
        "sender": request.sender, "document": document, "form_path": getattr(request, "address", ""),
        "embedded": EMBED in request.GET, "words": words_of(document), **more,
    }  # fmt: skip


def is_from_elsewhere(request: HttpRequest) -> bool:
    """Say whether another site sent the visitor's browser here: what browsers tell cannot be set by a page."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    ours = {request.get_host(), urlsplit(settings.PUBLIC_URL).netloc}
    return urlsplit(origin).netloc not in ours


@require_http_methods(["GET", "HEAD", "POST"])
@_public
def fill_in(request: PublicRequest, form: Form) -> HttpResponse:
    """Show the form; take it where it was sent."""
    if not submissions.takes_answers(form, request.now):
        return _again(request, form) or _closed(request, form)
    if request.method == "POST":
        return _sent(request, form)
    message = form_page.read_prefill(form, request.GET.get("p", ""))
    token = form_page.make_page(form, message)
    _note_visit(request, form, token, by_message=message is not None)
    return _page(request, form, _empty(request, form, message), token=token)


def _note_visit(request: PublicRequest, form: Form, token: str, *, by_message: bool) -> None:
    """Note that the page is looked at, for the form's statistics."""
    most, seconds = VISITS_OF_ONE
    if not within_limit(f"form-visit:{form.pk}:{_ip_hash(request)}", most=most, seconds=seconds):
        return
    visits.note_visit(
        form=form,
        key=form_page.read_page(form, token).key,
        place=visits.place_of(embed=request.GET.get(EMBED), by_message=by_message),
        site=visits.site_of(request.headers.get("Referer", ""), own_host=request.get_host()),
        is_machine=is_machine(request),
        now=request.now,
    )


@require_POST
@_public
def progress(request: PublicRequest, form: Form) -> HttpResponse:
    """Take what the page's script tells: that it is seen, which field was last, which page. It has no answer."""
    done = HttpResponse(status=204)
    if is_from_elsewhere(request) or int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES_TOLD:
        return done
    try:
        page = form_page.read_page(form, request.POST.get("page", ""))
    except BadToken:
        return done
    most, seconds = TOLD_BY_ONE
    if within_limit(f"form-progress:{form.pk}:{_ip_hash(request)}", most=most, seconds=seconds):
        at = request.POST.get("at", "")
        visits.note_progress(
            form=form,
            key=page.key,
            document=document_of(form),
            now=request.now,
            field=request.POST.get("field", ""),
            page=int(at) if at.isdecimal() and len(at) < 3 else 0,
            is_machine=is_machine(request),
        )
    return done


def _again(request: PublicRequest, form: Form) -> HttpResponse | None:
    """Answer whoever sends a page twice and took the last place with it: they are in."""
    try:
        page = form_page.read_page(form, request.POST.get("page", ""))
    except BadToken:
        return None
    known = FormSubmission.objects.filter(form=form, key=page.key).first()
    return _done(request, form, awaiting=known.status == FormSubmission.Status.AWAITING) if known else None


def _empty(request: PublicRequest, form: Form, message: MessageRef | None) -> PublicForm:
    document = document_of(form)
    bound = Bound.of(document)
    initial: dict[str, Any] = {}
    if message is not None and document.prefill:
        initial = form_page.prefilled(document, bound, message)
    for one in document.questions:
        if one.kind == "hidden":
            initial[one.key] = request.GET.get(one.key, one.value)[: LONGEST["hidden"]]
    return PublicForm(document=document, bound=bound, country=request.sender.country, initial=initial)


def _page(
    request: PublicRequest, form: Form, filled: PublicForm, *, token: str, notice: str = "", status: int = 200
) -> HttpResponse:
    filled.ask_for_files_again()
    context = _shown(
        request, filled.document, form=filled, page_token=token, honeypot=HONEYPOT, notice=notice, name=form.name,
        proof_bits=BITS,
    )  # fmt: skip
    response = render(request, "content/public_form.html", context, status=status)
    return _may_lead_to(response, filled.document.redirect_url)


def _may_lead_to(response: HttpResponse, address: str) -> HttpResponse:
    """Let a form on the page lead to the tenant's own address: browsers hold redirects behind a form to the policy."""
    if address:
        parts = urlsplit(address)
        response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
    return response


def _sent(request: PublicRequest, form: Form) -> HttpResponse:
    document = document_of(form)
    refused = _refused(request, _most_bytes(document))
    if refused is not None:
        return refused
    filled = PublicForm(
        request.POST, document=document, bound=Bound.of(document), country=request.sender.country,
        files=request.FILES,
    )  # fmt: skip
    token = request.POST.get("page", "")
    try:
        page = form_page.read_page(form, token)
    except BadToken:
        words = gettext(
            "This page had been open for too long. Please check your answers and send them again."
        )
        return _page(request, form, filled, token=form_page.make_page(form, None), notice=words, status=422)
    visits.note_progress(
        form=form, key=page.key, document=document, now=request.now, started=True,
        is_machine=bool(request.POST.get(HONEYPOT)),
    )  # fmt: skip
    if request.POST.get(HONEYPOT):
        # No person sees that field. A machine that hears of its mistake would mend it.
        return _done(request, form, awaiting=document.double_opt_in)
    if not _may_post(request, form, is_proven=is_proven(token, request.POST.get("proof", ""))):
        words = gettext("Too many forms were sent from your network. Please try again in a few minutes.")
        return _page(request, form, filled, token=token, notice=words, status=429)
    if page.is_hasty or not filled.is_valid():
        words = gettext("That was very fast. Please press the button once more.") if page.is_hasty else ""
        return _page(request, form, filled, token=token, notice=words, status=422)
    return _taken(request, form, filled, page)


def _most_bytes(document: FormDocument) -> int:
    """Return how long a post may be: its answers, and the files that it asks for."""
    files = sum(one.most_mb for one in document.questions if one.kind == "file")
    return MOST_BYTES + files * 1024 * 1024


def _refused(request: PublicRequest, most: int) -> HttpResponse | None:
    """Answer what is not even read: another site's post, and one that is far too long."""
    if is_from_elsewhere(request):
        return render(request, "content/form_elsewhere.html", {"sender": request.sender}, status=403)
    if int(request.META.get("CONTENT_LENGTH") or 0) > most:
        return render(request, "content/form_too_long.html", {"sender": request.sender}, status=413)
    return None


def _taken(request: PublicRequest, form: Form, filled: PublicForm, page: form_page.Page) -> HttpResponse:
    document = filled.document
    if document.double_opt_in and not may_mail(filled.email_norm):
        return _done(request, form, awaiting=True)
    address = (
        str(filled.cleaned_data.get(PREFIX + document.email_field.key, "")) if document.email_field else ""
    )
    sent = submissions.Sent(
        key=page.key, answers=filled.answers(), email=address, email_norm=filled.email_norm,
        wording=submissions.wording_of(document), ip_hash=_ip_hash(request), message=page.message,
        files=filled.uploads,
    )  # fmt: skip
    try:
        submission = submissions.submit_form(form_id=form.pk, sent=sent, now=request.now)
    except submissions.FormClosed:
        return _closed(request, form)
    _wake(request)
    return _done(request, form, awaiting=submission.status == FormSubmission.Status.AWAITING)


def _wake(request: PublicRequest) -> None:
    """Wake who sends. What is committed is safe without: no visitor hears that Redis did not answer."""
    tenant_id = request.sender.pk
    transaction.on_commit(lambda: wake_delivery(tenant_id), robust=True)


def _ip_hash(request: HttpRequest) -> str:
    return salted_hmac("millrace.form.ip", client_ip(request) or "", algorithm="sha256").hexdigest()[:32]


def _may_post(request: HttpRequest, form: Form, *, is_proven: bool) -> bool:
    one, everybody = f"form:{form.pk}:{_ip_hash(request)}", f"form:{form.pk}"
    if not is_proven and not (
        within_limit(f"{one}:unproven", most=UNPROVEN_OF_ONE[0], seconds=UNPROVEN_OF_ONE[1])
        and within_limit(f"{everybody}:unproven", most=UNPROVEN_OF_ALL[0], seconds=UNPROVEN_OF_ALL[1])
    ):
        return False
    most, seconds = POSTS_OF_ONE
    if not within_limit(one, most=most, seconds=seconds):
        return False
    most, seconds = POSTS_OF_ALL
    return within_limit(everybody, most=most, seconds=seconds)


def _done(request: PublicRequest, form: Form, *, awaiting: bool) -> HttpResponse:
    """Lead on from a post: a reload shall not send it again."""
    address = request.address  # type: ignore[attr-defined]
    query = onward(request, form)
    if awaiting:
        return HttpResponseRedirect(f"{address}check/{query}")
    # In a frame the thank-you page leads on: the site around it goes along.
    leads_on = "" if EMBED in request.GET else document_of(form).redirect_url
    return HttpResponseRedirect(leads_on or f"{address}thanks/{query}")


def _closed(request: PublicRequest, form: Form) -> HttpResponse:
    context = _shown(request, document_of(form), name=form.name)
    return render(request, "content/form_closed.html", context, status=410)


@require_safe
@_public
def thanks(request: PublicRequest, form: Form) -> HttpResponse:
    """Say thank you."""
    return render(request, "content/form_thanks.html", _shown(request, document_of(form)))


@require_safe
@_public
def check(request: PublicRequest, form: Form) -> HttpResponse:
    """Ask to look for the mail that confirms."""
    return render(request, "content/form_check.html", _shown(request, document_of(form)))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: Any, token: str) -> HttpResponse:
    """Show a button at GET, because scanners follow links; confirm at POST."""
    try:
        read = read_lasting_token(purpose=CONFIRM, token=token)
        request.sender = Tenant.objects.get(pk=read.tenant_id)
    except (BadToken, Tenant.DoesNotExist):
        return not_found(request)
    request.now = clock.now() + request.sender.clock_offset
    try:
        with tenant_scope(read.tenant_id):
            submission = FormSubmission.objects.select_related("form").filter(pk=read.values[0]).first()
            if submission is None:
                return not_found(request)
            with speaking(request, submission.form.document.get("language", ""), request.sender.language):
                return _confirmed(request, submission)
    except OperationalError as error:
        return busy(request, error)


confirm.csrf_exempt = True  # type: ignore[attr-defined]


def _confirmed(request: PublicRequest, submission: FormSubmission) -> HttpResponse:
    form = submission.form
    document = document_of(form)
    context = {**_shown(request, document, name=form.name), "form_path": form_page.form_path(form)}
    if request.method != "POST":
        over = submission.status == FormSubmission.Status.AWAITING and (
            submission.expires_at is None or submission.expires_at <= request.now
        )
        if over:
            return _too_late(request, form)
        return _may_lead_to(render(request, "content/form_confirm.html", context), document.redirect_url)
    try:
        submissions.confirm_submission(submission_id=submission.pk, now=request.now)
    except submissions.TooLate:
        return _too_late(request, form)
    except submissions.FormClosed:
        return _closed(request, form)
    _wake(request)
    return HttpResponseRedirect(document.redirect_url or f"{form_page.form_path(form)}thanks/")


def _too_late(request: PublicRequest, form: Form) -> HttpResponse:
    context = {"sender": request.sender, "url": form_page.form_path(form)}
    return render(request, "content/form_too_late.html", context, status=410)
