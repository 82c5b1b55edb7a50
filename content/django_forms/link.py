"""The editor of a registered tracked link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from content.actions import ContactActions
from content.django_forms.actions import ActionsForm
from content.links import is_tracked, link_problem
from content.models import TrackedLink
from content.operations.links import LinkDraft
from content.sandbox import check_tags
from content.tree import known_tree


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

    @classmethod
    def of(cls, link: TrackedLink | None, data: QueryDict | None = None) -> LinkForm:
        """Return the form of a link as it is kept, or of a new one."""
        if link is None:
            return cls(data, actions=ContactActions())
        names = ("name", "folder", "shows", "url", "heading", "text")
        initial = {name: getattr(link, name) for name in names}
        return cls(data, actions=ContactActions.model_validate(link.actions), initial=initial)

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
        return cleaned

    def draft(self) -> LinkDraft:
        """Return what the writer handed in."""
        data = self.cleaned_data
        return LinkDraft(
            name=" ".join(data["name"].split()), folder=" ".join(data["folder"].split()), shows=data["shows"],
            url=data["url"], heading=data["heading"].strip(), text=data["text"].replace("\r\n", "\n"),
            actions=self.actions(),
        )  # fmt: skip
