"""Drawing the designer: the whole page, or the parts that an htmx answer replaces."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string

from accounts.http import TenantRequest
from accounts.queries import now_of
from flows.clipboard import copied
from flows.designer import Designer
from flows.models import Flow
from flows.occupancy import PeopleInside
from flows.operations.drafts import DraftConflict
from flows.panels.base import Panel
from flows.panels.table import panel_for
from flows.visibility import visible_flows


def designer_of(request: TenantRequest, flow_id: int, *, part: str = "") -> Designer:
    """Return the designer of a flow that the member may see; not found otherwise."""
    flow = get_object_or_404(visible_flows(request.member).select_related("owner", "folder"), pk=flow_id)
    return over(request, flow, part=part)


def over(request: TenantRequest, flow: Flow, *, part: str = "", said: str = "", focus: str = "") -> Designer:
    """Return the designer of a flow as it is after an operation."""
    return Designer(
        flow=flow,
        tenant=request.tenant,
        member=request.member,
        now=now_of(request.tenant),
        part=part,
        query=(request.POST.get("q") or request.GET.get("q", "")).strip()[:100],
        said=said,
        focus=focus,
        copied=copied(request.session, tenant_id=request.tenant.pk),
    )


def panel_context(panel: Panel, form: Any = None) -> dict[str, Any]:
    """Return what a panel's template needs."""
    designer = panel.designer
    return {
        "designer": designer,
        "flow": designer.flow,
        "canvas": designer.canvas,
        "panel": panel,
        "problems": panel.problems(),
        "form": form if form is not None else panel.form(),
        **panel.context(),
    }


def panel_of(designer: Designer) -> Panel:
    """Return the panel of the designer's part; the palette where that part is gone."""
    try:
        panel = panel_for(designer, designer.part)
        panel.context()
    except Http404:
        designer.part = ""
        panel = panel_for(designer, "")
    return panel


def answer(request: HttpRequest, designer: Designer, *, keeps_panel: bool = False) -> HttpResponse:
    """Redraw canvas, panel, header and state after an operation; `keeps_panel` leaves the panel with what was typed."""
    context = {**panel_context(panel_of(designer)), "keeps_panel": keeps_panel}
    return render(request, "flows/designer/answer.html", context)


def panel_answer(
    request: HttpRequest,
    panel: Panel,
    form: Any = None,
    *,
    status: int = 200,
    lost: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """Redraw the panel alone. A form that was sent keeps the version that its editor saw: a change that somebody made
    meanwhile is still found when it is applied. `lost` asks first: it is what applying would empty."""
    context = {**panel_context(panel, form), "lost": lost}
    if form is not None:
        context["kept"] = request.POST
    response = render(request, panel.template, context, status=status)
    if status != 200:
        response["HX-Retarget"] = "#flow-panel"
        response["HX-Reswap"] = "innerHTML"
    return response


def refusal(
    request: HttpRequest,
    message: str,
    *,
    status: int = 422,
    reload: bool = False,
    people: tuple[int, Sequence[uuid.UUID]] | None = None,
    typed: bool = False,
    gone: bool = False,
) -> HttpResponse:
    """Say what could not be done; nothing else on the page changes. `people` (flow, steps) links those in the way;
    `typed` says it in the panel, whose input stays; `gone`: what it is about is no more."""
    context = {"message": message, "reload": reload, "people": people, "typed": typed, "gone": gone}
    html = render_to_string("flows/designer/notice.html", context, request)
    response = HttpResponse(html, status=status)
    response["HX-Trigger"] = "dialog:close"
    response["HX-Retarget"] = "#panel-conflict" if typed else "#flow-notice"
    response["HX-Reswap"] = "innerHTML"
    return response


def refused(request: HttpRequest, error: Exception, flow_id: int | None = None) -> HttpResponse:
    """Say why an operation was refused; with a link to the people where they stand in the way."""
    people = (flow_id, error.steps) if flow_id and isinstance(error, PeopleInside) else None
    return refusal(request, str(error), people=people)


def conflict(request: HttpRequest, error: DraftConflict) -> HttpResponse:
    """Tell the second of two editors who changed what; nothing was overwritten."""
    message = f"{_changed(request, error)} Your last change was not made."
    return refusal(request, message, status=409, reload=True)


def _changed(request: HttpRequest, error: DraftConflict) -> str:
    if error.user_id is not None and error.user_id == request.user.pk:
        return f"You changed this flow in another window ({error.what})."
    return f"{error.who} changed this flow while you were editing ({error.what})."


def typed_conflict(
    request: HttpRequest, error: DraftConflict, designer: Designer, *, gone: bool
) -> HttpResponse:
    """Tell it in the panel, where what was typed stays; and whether that very part was changed, or is `gone`."""
    message = f"{_changed(request, error)} Nothing was overwritten."
    if gone:
        message += " What is open here is gone: copy what you need."
    elif request.POST.get("seen", "") != designer.print:
        message += " What is open here was changed too: what you keep replaces it once you apply."
    return refusal(request, message, status=409, reload=True, typed=True, gone=gone)
