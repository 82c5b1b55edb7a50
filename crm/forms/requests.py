"""The forms of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from crm.bulk.requests import LONGEST_MESSAGE
from crm.forms.desk import OnceForm, id_field, named_choices, offer, owner_choices
from crm.models import Request, RequestCategory, RequestPriority, RequestType

NOBODY, AUTOMATIC = "nobody", "automatic"


class RequestForm(OnceForm):
    """The fields of a request; without one, those of a new one with its first message."""

    title = forms.CharField(max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    type_id = id_field("Type")
    category_id = id_field("Category")
    priority_id = id_field("Priority")
    owner = forms.ChoiceField(label="Owner")
    message = forms.CharField(required=False, max_length=LONGEST_MESSAGE, widget=forms.Textarea({"rows": 4}))

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        request: Request | None = None,
        within: Sequence[int] | None = None,
    ) -> None:
        names = ("title", "type_id", "category_id", "priority_id")
        initial: dict[str, Any] = {"owner": AUTOMATIC}
        if request is not None:
            initial = {name: getattr(request, name) for name in names}
        if request is not None:
            initial["owner"] = str(request.owner_id or NOBODY)
        else:
            normal = RequestPriority.objects.filter(retired=False)[2:3]
            initial["priority_id"] = normal[0].pk if normal else None
        super().__init__(data, initial=initial)
        for name, model in (
            ("type_id", RequestType),
            ("category_id", RequestCategory),
            ("priority_id", RequestPriority),
        ):
            offer(self, name, named_choices(model.objects.all(), initial.get(name)))
        owner_id = request.owner_id if request else None
        rules = [(AUTOMATIC, "By the category's rule")] if owner_id is None else []
        offer(self, "owner", [*rules, (NOBODY, "Unassigned"), *owner_choices(owner_id, within=within)])
        if request is not None:
            del self.fields["message"]

    @property
    def is_automatic(self) -> bool:
        """Whether the category's rule chooses the owner."""
        return bool(self.cleaned_data["owner"] == AUTOMATIC)

    def values(self) -> dict[str, Any]:
        """Return the columns of the request."""
        owner = self.cleaned_data["owner"]
        names = ("title", "type_id", "category_id", "priority_id")
        given = {name: self.cleaned_data[name] for name in names}
        return given | {"owner_id": int(owner) if owner.isdecimal() else None}


class MessageForm(OnceForm):
    """An entry for the log."""

    body = forms.CharField(label="Message", max_length=LONGEST_MESSAGE, widget=forms.Textarea({"rows": 3}))
    is_note = forms.BooleanField(label="Internal note", required=False, help_text="Only your team sees it.")
