"""The editor of a registered tracked link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from content.django_forms.actions import ActionsForm, choices_of
from content.link_actions import LinkActions
from content.links import is_tracked, link_problem
from content.models import TrackedLink
from content.operations.links import LinkDraft
from content.sandbox import check_tags
from content.tree import known_tree
from crm.criteria.choices import users
from crm.models import RequestCategory, RequestPriority, RequestType

REQUESTS: dict[str, Any] = {
    "request_type": RequestType,
    "request_category": RequestCategory,
    "request_priority": RequestPriority,
}
OWN = (
    "follow_up",
    "follow_up_title",
    "follow_up_days",
    "fallback_user",
    "request",
    "request_title",
    *REQUESTS,
)


def address_problems(url: str) -> list[str]:
    """Return why a click cannot lead to an address; what is wrong with its merge tags goes first."""
    tags = [str(problem.message) for problem in check_tags(field="url", source=url, tree=known_tree())]
    found = link_problem(url) or (None if is_tracked(url) else "A tracked link begins with https://.")
    return tags or ([found] if found else [])


class LinkForm(ActionsForm):
    """Name, place, what a click shows, and what it does."""

    name = forms.CharField(max_length=120, label="Name", help_text="For your team; recipients do not see it.")
    folder = forms.CharField(
        max_length=80,
        required=False,
        label="Folder",
        help_text="A name that is new makes a new folder.",
        widget=forms.TextInput({"autocomplete": "off", "list": "link-folders"}),
    )
    shows = forms.ChoiceField(
        label="A click", choices=TrackedLink.Shows.choices, widget=forms.RadioSelect, initial="address"
    )
    url = forms.CharField(
        max_length=2_000,
        required=False,
        label="Address",
        help_text="Begins with https://. Merge tags may stand after the site's name.",
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "off"}),
    )
    heading = forms.CharField(max_length=200, required=False, label="Heading of the page")
    text = forms.CharField(
        max_length=20_000, required=False, label="Text of the page", widget=forms.Textarea({"rows": 6})
    )

    follow_up = forms.BooleanField(label="Create a follow-up", required=False)
    follow_up_title = forms.CharField(label="Title of the task", required=False, max_length=160)
    follow_up_days = forms.IntegerField(
        label="Due after days", required=False, min_value=0, max_value=365, help_text="0 is today."
    )
    fallback_user = forms.TypedChoiceField(
        label="If there is nobody",
        required=False,
        coerce=int,
        empty_value=None,
        help_text="The task is for our contact. Who gets it where there is none?",
    )
    request = forms.BooleanField(
        label="Register a request", required=False, help_text="Its owner is the one of the category."
    )
    request_title = forms.CharField(label="Title of the request", required=False, max_length=160)
    request_type = forms.TypedChoiceField(label="Request type", required=False, coerce=int, empty_value=None)
    request_category = forms.TypedChoiceField(
        label="Request category", required=False, coerce=int, empty_value=None
    )
    request_priority = forms.TypedChoiceField(
        label="Request priority", required=False, coerce=int, empty_value=None
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        actions: LinkActions,
        initial: dict[str, Any] | None = None,
        has_service: bool = False,
    ) -> None:
        self.kept = actions
        own = {name: getattr(actions, name) for name in OWN}
        super().__init__(data, actions=actions, initial={**own, **(initial or {})})
        people = [(one.value, one.name) for one in users() if not one.retired]
        chosen = actions.fallback_user
        gone = [(str(chosen), "Not here any more")] if chosen and str(chosen) not in dict(people) else []
        self.fields["fallback_user"].choices = [("", "Nobody"), *people, *gone]  # type: ignore[attr-defined]
        for name, model in REQUESTS.items():
            rows = model.objects.filter(retired=False).order_by("rank", "name")
            offered = choices_of(rows, getattr(actions, name), first="The first in the list")
            self.fields[name].choices = offered  # type: ignore[attr-defined]
        if not has_service:
            for name in ("request", "request_title", *REQUESTS):
                del self.fields[name]

    @classmethod
    def of(
        cls, link: TrackedLink | None, data: QueryDict | None = None, *, has_service: bool = False
    ) -> LinkForm:
        """Return the form of a link as it is kept, or of a new one."""
        if link is None:
            return cls(data, actions=LinkActions(), has_service=has_service)
        names = ("name", "folder", "shows", "url", "heading", "text")
        initial = {name: getattr(link, name) for name in names}
        kept = LinkActions.model_validate(link.actions)
        return cls(data, actions=kept, initial=initial, has_service=has_service)

    def clean_url(self) -> str:
        """An address is one that the tenant writes out, so that no value can choose where a click leads."""
        url: str = self.cleaned_data["url"].strip()
        if not url:
            return ""
        found = address_problems(url)
        if found:
            raise forms.ValidationError(found)
        return url

    def clean(self) -> dict[str, Any]:
        """There must be something to show."""
        cleaned = super().clean()
        if (
            cleaned.get("shows") == TrackedLink.Shows.ADDRESS
            and not cleaned.get("url")
            and "url" not in self.errors
        ):
            self.add_error("url", "Write the address that a click leads to.")
        if cleaned.get("shows") == TrackedLink.Shows.TEXT and not cleaned.get("text"):
            self.add_error("text", "Write the text that a click shows.")
        for name in ("follow_up", "request"):
            if cleaned.get(name) and not cleaned.get(f"{name}_title", "").strip():
                self.add_error(f"{name}_title", "Give it a title.")
        return cleaned

    def draft(self) -> LinkDraft:
        """Return what the writer handed in."""
        data = self.cleaned_data
        return LinkDraft(
            name=" ".join(data["name"].split()), folder=" ".join(data["folder"].split()), shows=data["shows"],
            url=data["url"], heading=data["heading"].strip(), text=data["text"].replace("\r\n", "\n"),
            actions=self.link_actions(),
        )  # fmt: skip

    def link_actions(self) -> LinkActions:
        """Return what the valid form says; what a missing licence hides stays as it was."""
        own = {name: self.cleaned_data.get(name, getattr(self.kept, name)) for name in OWN}
        own["follow_up_days"] = own["follow_up_days"] or 0
        return LinkActions.model_validate({**self.actions().model_dump(), **own})
