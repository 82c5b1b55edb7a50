"""What the flow list's URL asks for, and the small forms of folders and names."""

from __future__ import annotations

from django import forms
from django.http import QueryDict

from flows.models import FlowFolder
from participants.asked import number
from reporting.flow_filters import GROUPS, columns_of
from reporting.queries import SORTS, TABS, FlowListing

MOST_SEARCHED = 100


def asked_listing(data: QueryDict) -> FlowListing:
    """Read the list's URL: unknown values mean the ordinary ones. `sort=-name` is downwards."""
    tab = data.get("tab", "all")
    tab = tab if tab in TABS else "all"
    sort = data.get("sort", "")
    name = sort.removeprefix("-")
    if name not in SORTS:
        name, sort = ("opened" if tab == "recent" else "updated"), "-"
    return FlowListing(
        tab=tab,
        search=data.get("q", "").strip()[:MOST_SEARCHED],
        folder_id=number(data.get("folder", "")),
        sort=name,
        descending=sort.startswith("-"),
        status=data.get("status", ""),
        owner_id=number(data.get("owner", "")),
        uses=data.get("uses", "")[:40],
        group=data.get("group", "") if data.get("group", "") in GROUPS else "",
        columns=tuple(column.name for column in columns_of(data.getlist("col"))),
        page=min(number(data.get("page", "")) or 1, 10_000),
    )


class SavedViewForm(forms.Form):
    """A view's name, and whether others find it."""

    name = forms.CharField(max_length=60, label="Name")
    shared = forms.BooleanField(required=False, label="Share with everybody who sees flows")


class FolderForm(forms.Form):
    """A folder's name."""

    name = forms.CharField(max_length=80, label="Name")


class PlaceForm(forms.Form):
    """A place in the folders: one of them, or the top."""

    folder: forms.ModelChoiceField[FlowFolder] = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="Top level", label="Folder"
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["folder"].queryset = FlowFolder.objects.order_by("name")  # type: ignore[attr-defined]


class NameForm(forms.Form):
    """A flow's name."""

    name = forms.CharField(max_length=120, label="Name")
