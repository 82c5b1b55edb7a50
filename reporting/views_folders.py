"""Folders of the flow list: make, rename, move, delete. Shells around flows.operations.folders."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from accounts.urls_for import turl
from flows.models import FlowFolder
from flows.operations import folders
from participants.asked import number
from participants.dialogs import form_dialog, go
from reporting.forms import FolderForm, PlaceForm


def _list_url(request: TenantRequest, folder_id: int | None) -> str:
    base = turl(request.tenant, "reporting:flows")
    return f"{base}?folder={folder_id}" if folder_id else base


def _folder(folder_id: int) -> FlowFolder:
    folder = FlowFolder.objects.filter(pk=folder_id).first()
    if folder is None:
        raise Http404
    return folder


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a folder, inside ?parent=id or at the top."""
    parent_id = number(request.GET.get("parent", ""))
    parent = _folder(parent_id) if parent_id else None
    form = FolderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            folder = folders.create_folder(name=form.cleaned_data["name"], parent_id=parent_id)
        except folders.FolderRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, f"Folder {folder.name} made.")
            return go(request, _list_url(request, folder.pk))
    title = f"New folder in {parent.name}" if parent else "New folder"
    return form_dialog(
        request, title=title, form=form, verb="Make folder", back=_list_url(request, parent_id)
    )


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def rename(request: TenantRequest, tenant: str, folder_id: int) -> HttpResponse:
    """Give a folder another name."""
    folder = _folder(folder_id)
    form = FolderForm(request.POST or None, initial={"name": folder.name})
    if request.method == "POST" and form.is_valid():
        try:
            folders.rename_folder(folder_id=folder_id, name=form.cleaned_data["name"])
        except folders.FolderRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, "Folder renamed.")
            return go(request, _list_url(request, folder_id))
    return form_dialog(
        request,
        title=f"Rename {folder.name}",
        form=form,
        verb="Rename",
        back=_list_url(request, folder_id),
    )


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def move(request: TenantRequest, tenant: str, folder_id: int) -> HttpResponse:
    """Put a folder into another one, or at the top."""
    folder = _folder(folder_id)
    form = PlaceForm(request.POST or None, initial={"folder": folder.parent_id})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["folder"]
        try:
            folders.move_folder(folder_id=folder_id, parent_id=chosen.pk if chosen else None)
        except folders.FolderRefused as refused:
            form.add_error("folder", str(refused))
        else:
            messages.success(request, f"{folder.name} moved.")
            return go(request, _list_url(request, folder_id))
    return form_dialog(
        request, title=f"Move {folder.name}", form=form, verb="Move", back=_list_url(request, folder_id)
    )


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, folder_id: int) -> HttpResponse:
    """Delete a folder that is empty."""
    folder = _folder(folder_id)
    try:
        name = folders.delete_folder(folder_id=folder_id)
    except folders.FolderRefused as refused:
        messages.error(request, str(refused))
        return redirect(_list_url(request, folder_id))
    messages.success(request, f"Folder {name} deleted.")
    return redirect(_list_url(request, folder.parent_id))
