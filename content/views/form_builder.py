"""The form builder: the form in the middle as people see it, the palette or the settings of one field at the right.

Each operation is saved at once, as on the canvas; htmx gets the builder anew, others are led on. What keeps an open
form from being changed so is said where it was tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.urls_for import turl
from content.django_forms.form import FieldSettingsForm, NewFieldForm
from content.django_forms.public_form import PublicForm
from content.forms import editing as form_editing
from content.forms.document import CHOOSING, COMPANY_NAME, KINDS, FormDocument, FormField
from content.forms.fields import Bound, bindable
from content.models import Form, Image
from content.operations import forms as operations
from content.views.forms import form_context, get_form, save_document
from content.views.library import WRITERS
from crm.bulk import target_named
from crm.models import ConsentPurpose, SubscriptionType
from crm.models.consent import E_MARKETING

ICONS = {
    "text": "text-t", "textarea": "text-align-left", "number": "hash", "date": "calendar-blank",
    "radio": "radio-button", "checkboxes": "check-square", "dropdown": "caret-circle-down", "rating": "star",
    "hidden": "eye-slash", "consent": "shield-check", "subscription": "bell", "section": "text-h",
    "paragraph": "paragraph", "page": "files", "image": "image", "file": "upload-simple",
}  # fmt: skip
# The palette's parts, each with its kinds in their order.
PALETTE = (
    (
        "Questions",
        ("text", "textarea", "number", "date", "radio", "checkboxes", "dropdown", "rating", "file"),
    ),
    ("Permission", ("consent", "subscription")),
    ("Layout", ("page", "section", "paragraph", "image", "hidden")),
)


@dataclass(frozen=True, slots=True)
class Card:
    """A field in the middle: as people see it, or (bound to something gone) without its input."""

    field: FormField
    kind: str
    shown: django_forms.BoundField | None
    picture: str = ""

    @property
    def name(self) -> str:
        """What the field is called in the builder."""
        return self.field.label or self.field.help[:60] or self.kind


def _cards(request: TenantRequest, document: FormDocument) -> list[Card]:
    bound = Bound.of(document)
    shown = PublicForm(document=document, bound=bound, country=request.tenant.country)
    inputs = {one.key: input_ for one, input_ in shown.parts}
    return [Card(one, KINDS[one.kind], inputs.get(one.key), bound.picture(one)) for one in document.fields]


def _palette(document: FormDocument) -> list[tuple[str, list[tuple[str, str, str]]]]:
    return [
        (group, [(kind, KINDS[kind], ICONS[kind]) for kind in kinds if kind in KINDS])
        for group, kinds in PALETTE
    ]


def _bindable(document: FormDocument) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the fields of the contact and company that the form does not have yet."""
    there = {one.target for one in document.fields if one.kind == "crm"}
    groups = [(group, [pair for pair in pairs if pair[0] not in there]) for group, pairs in bindable()]
    return [(group, pairs) for group, pairs in groups if pairs]


def _answer(
    request: TenantRequest,
    it: Form,
    *,
    key: str = "",
    editing: FieldSettingsForm | None = None,
    adding: NewFieldForm | None = None,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    """Draw the builder with a field chosen ("" none): the whole page, or for htmx its inside."""
    it.refresh_from_db()
    document = operations.document_of(it)
    field = document.field(key) if key else None
    if field is not None and editing is None:
        editing = FieldSettingsForm(field=field)
    target = target_named(field.target) if field and field.target else None
    context = form_context(
        request, it, "fields", cards=_cards(request, document), chosen=field, editing=editing,
        palette=_palette(document), bindable=_bindable(document), refused=refused, adding=adding,
        target="Company" if field and field.target == COMPANY_NAME else target and target.label,
        kind=KINDS[field.kind] if field else "",
    )  # fmt: skip
    template = "content/form_builder.html" if request.htmx else "content/form.html"
    response = render(request, template, context, status=status)
    if request.htmx:
        here = (
            turl(request.tenant, "content:form_field", it.pk, key)
            if field
            else turl(request.tenant, "content:form", it.pk)
        )
        response["HX-Replace-Url"] = here
    return response


def _led_on(request: TenantRequest, it: Form, key: str) -> HttpResponse:
    if request.htmx:
        return _answer(request, it, key=key)
    if key:
        return redirect(turl(request.tenant, "content:form_field", it.pk, key))
    return redirect(turl(request.tenant, "content:form", it.pk))


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def form(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the builder; a POST adds, moves, places, copies or removes a field."""
    it = get_form(form_id)
    if request.method != "POST":
        return _answer(request, it)
    if request.POST.get("do") == "add":
        return _added(request, it)
    document, key = operations.document_of(it), request.POST.get("key", "")
    then = key
    try:
        match request.POST.get("do"):
            case "up" | "down" as way:
                document = form_editing.move_field(document, key=key, by=-1 if way == "up" else 1)
            case "place":
                document = form_editing.place_field(document, key=key, at=_at(request))
            case "copy":
                document, then = form_editing.copy_field(document, key=key)
            case "remove":
                document, then = form_editing.remove_field(document, key=key), ""
            case _:
                raise Http404
        save_document(request, it, document)
    except (form_editing.IllegalEdit, operations.FormRefused) as refused:
        return _refused(request, it, str(refused), key)
    if not request.htmx:
        return redirect(turl(request.tenant, "content:form", it.pk))
    return _answer(request, it, key=then)


def _refused(request: TenantRequest, it: Form, words: str, key: str = "") -> HttpResponse:
    if request.htmx:
        return _answer(request, it, key=key, refused=words, status=422)
    messages.error(request, words)
    return redirect(turl(request.tenant, "content:form", it.pk))


def _at(request: TenantRequest) -> int | None:
    text = request.POST.get("at", "")
    return int(text) if text.isdecimal() and len(text) < 4 else None


def _added(request: TenantRequest, it: Form) -> HttpResponse:
    adding = NewFieldForm(request.POST, is_named=not request.htmx)
    if not adding.is_valid():
        words = " ".join(str(text) for texts in adding.errors.values() for text in texts)
        return _answer(request, it, adding=adding, refused=words, status=422)
    given = adding.cleaned_data
    target = (
        target_named(given["target"]) if given["kind"] == "crm" and given["target"] != COMPANY_NAME else None
    )
    more: dict[str, Any] = {}
    if given["kind"] == "consent":
        more["purpose"] = ConsentPurpose.objects.get(key=E_MARKETING).pk
    if given["kind"] == "subscription":
        more["subscription"] = (
            SubscriptionType.objects.filter(retired=False).values_list("pk", flat=True).first()
        )
    if given["kind"] == "image":
        more["image"] = Image.objects.order_by("-created_at", "-pk").values_list("pk", flat=True).first()
        if more["image"] is None and it.is_open:
            return _refused(request, it, "The library has no image yet. Upload one under Content, Images.")
    if given["kind"] in CHOOSING and request.htmx:
        # Something to write over, so that an open form stays whole.
        more["options"] = ("First choice", "Second choice")
    try:
        document, key = form_editing.add_field(
            operations.document_of(it),
            kind=given["kind"],
            label=given["label"],
            target=target,
            at=_at(request),
            **more,
        )
        save_document(request, it, document)
    except (form_editing.IllegalEdit, operations.FormRefused) as refused:
        if request.htmx:
            return _refused(request, it, str(refused))
        adding.add_error(None, str(refused))
        return _answer(request, it, adding=adding, refused=str(refused), status=422)
    return _led_on(request, it, key)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def form_field(request: TenantRequest, tenant: str, form_id: int, field_key: str) -> HttpResponse:
    """Show the builder with one field's settings; a POST saves them, or (preview) shows what they would make of it."""
    it = get_form(form_id)
    document = operations.document_of(it)
    field = document.field(field_key)
    if field is None:
        raise Http404
    if request.method != "POST":
        return _answer(request, it, key=field_key)
    editing = FieldSettingsForm(field=field, data=request.POST)
    is_good = editing.is_valid()
    if is_good:
        changed = form_editing.change_field(document, key=field_key, **editing.cleaned_data)
        if "preview" in request.POST:
            card = next(one for one in _cards(request, changed) if one.field.key == field_key)
            return render(request, "content/form_card_body.html", {"card": card, "it": it})
        try:
            save_document(request, it, changed)
        except operations.FormRefused as refused:
            editing.add_error(None, str(refused))
        else:
            if request.htmx:
                return _answer(request, it, key=field_key)
            messages.success(request, "Field saved.")
            return redirect(turl(request.tenant, "content:form", it.pk))
    if "preview" in request.POST:
        return HttpResponse(status=204)
    return _answer(request, it, key=field_key, editing=editing, status=422)
