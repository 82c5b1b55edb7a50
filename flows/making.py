"""What may be made beside a choice in a panel, without leaving it: one small form for each kind of thing.

A thing is made by the operation of the app that it belongs to, with that app's rights; the panel stays as it is.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.looking import who_looks
from accounts.models import Licence, Membership
from accounts.rights import DataObject, Reach, Right
from content.django_forms.form import NewFormForm
from content.django_forms.link import address_problems
from content.operations.forms import FormNameTaken, create_form
from content.operations.links import LinkDraft, LinkNameTaken, create_link
from content.operations.scripts import STARTER, ScriptRefused, save_script
from core.kinds import KindTable
from crm.forms.choices import FORMS, NamedForm, NewStageForm, SaleTypeForm
from crm.forms.sales import sale_kind
from crm.forms.small import ClubForm, NameForm, SubscriptionTypeForm
from crm.models import CustomField, ListItem, Project, Selection
from crm.operations.choices import KINDS, save_choice
from crm.operations.clubs import NameTaken, create_club
from crm.operations.desk import NoSuchOwner
from crm.operations.lists import AlreadyListed, add_item, save_subscription_type
from flows.searched import CHOOSABLE
from flows.steps.action_choices import code_of
from flows.steps.actions import Action

LIST_EDITORS = (Right.MANAGE_LISTS, Right.ADMINISTRATOR)


class Refused(ValueError):
    """The thing cannot be made so; `field` says where, the message is for the user."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Maker:
    """Who makes it, when, and beside which choice."""

    member: Membership
    now: dt.datetime
    kind: str = ""


class QuickLinkForm(forms.Form):
    """A tracked link that leads somewhere; what a click does beside that is set on its page."""

    name = forms.CharField(max_length=120, help_text="For your team; recipients do not see it.")
    url = forms.CharField(
        max_length=2_000,
        label="Address",
        help_text="Begins with https://.",
        widget=forms.TextInput({"inputmode": "url", "autocomplete": "off"}),
    )

    def clean_url(self) -> str:
        """As on the link's own page."""
        url: str = self.cleaned_data["url"].strip()
        if found := address_problems(url):
            raise forms.ValidationError(found)
        return url


@dataclass(frozen=True, slots=True)
class Thing:
    """A kind of thing: the form that is asked, who may make it, how it is made (its id is returned), and its page."""

    name: str
    noun: str
    form: Callable[..., forms.Form]
    may: Callable[[Membership], bool]
    make: Callable[[dict[str, Any], Maker], int]
    page: str = ""


def _club(model: Any) -> Callable[[dict[str, Any], Maker], int]:
    def make(given: dict[str, Any], maker: Maker) -> int:
        try:
            return int(create_club(model=model, **given, actor=maker.member.user, now=maker.now).pk)
        except NameTaken as taken:
            raise Refused("name", str(taken)) from None

    return make


def _form(given: dict[str, Any], maker: Maker) -> int:
    name = " ".join(given["name"].split())
    try:
        made = create_form(name=name, actor=maker.member.user, now=maker.now, managed_by=maker.member.group)
    except FormNameTaken as taken:
        raise Refused("name", str(taken)) from None
    return made.pk


def _link(given: dict[str, Any], maker: Maker) -> int:
    draft = LinkDraft(name=given["name"], url=given["url"])
    try:
        return create_link(draft=draft, actor=maker.member.user, now=maker.now).pk
    except LinkNameTaken as taken:
        raise Refused("name", str(taken)) from None


def _script(given: dict[str, Any], maker: Maker) -> int:
    try:
        made = save_script(
            script_id=None,
            name=given["name"],
            description="",
            source=STARTER,
            revision=0,
            actor=maker.member.user,
            now=maker.now,
        )
    except ScriptRefused as refusal:
        raise Refused("name", str(refusal)) from None
    return made.pk


def _subscription_type(given: dict[str, Any], maker: Maker) -> int:
    try:
        return save_subscription_type(type_id=None, **given, actor=maker.member.user).pk
    except AlreadyListed as taken:
        raise Refused("name", str(taken)) from None


def _listed(name: str) -> Callable[[dict[str, Any], Maker], int]:
    """A value of a list; of a custom field where the choice says which (`list:custom:7`)."""

    def make(given: dict[str, Any], maker: Maker) -> int:
        field_id = int(maker.kind.rpartition(":")[2]) if name == ListItem.List.CUSTOM else None
        try:
            made = add_item(list_name=name, field_id=field_id, name=given["name"], actor=maker.member.user)
        except AlreadyListed as taken:
            raise Refused("name", str(taken)) from None
        return made.pk

    return make


def _choice(slug: str) -> Callable[[dict[str, Any], Maker], int]:
    def make(given: dict[str, Any], maker: Maker) -> int:
        values = {name: value for name, value in given.items() if name != "type_id"}
        type_id, actor = given.get("type_id"), maker.member.user
        try:
            made = save_choice(kind=KINDS[slug], choice_id=None, values=values, actor=actor, type_id=type_id)
            return int(made.pk)
        except AlreadyListed as taken:
            raise Refused("name", str(taken)) from None
        except NoSuchOwner as refusal:
            raise Refused("owner_id", str(refusal)) from None

    return make


def _creates(what: DataObject) -> Callable[[Membership], bool]:
    return lambda member: member.reach(what, "create") != Reach.NONE


def _writes(member: Membership) -> bool:
    return member.may(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


def _edits_lists(member: Membership) -> bool:
    return member.may(*LIST_EDITORS)


def _edits_requests(member: Membership) -> bool:
    return member.may(*LIST_EDITORS) and Licence.Code.SERVICE in member.licences


def _edits_sales(member: Membership) -> bool:
    return member.may(*LIST_EDITORS) and Licence.Code.SALES in member.licences


def _of_requests(name: str, slug: str) -> Thing:
    return Thing(name, KINDS[slug].word, FORMS.get(slug, NamedForm), _edits_requests, _choice(slug))


def _of_list(name: str, noun: str) -> Thing:
    return Thing(name, noun, NameForm, _edits_lists, _listed(name))


THINGS: KindTable[Thing] = KindTable(
    "thing to make",
    [
        Thing(
            "selection",
            "selection",
            ClubForm,
            _creates(DataObject.SELECTION),
            _club(Selection),
            "crm:selection",
        ),
        Thing("project", "project", ClubForm, _creates(DataObject.PROJECT), _club(Project), "crm:project"),
        Thing("form", "form", NewFormForm, _writes, _form, "content:form"),
        Thing("link", "tracked link", QuickLinkForm, _writes, _link, "content:link"),
        Thing(
            "script",
            "script",
            NameForm,
            lambda member: member.may(Right.FLOW_ADMINISTRATOR),
            _script,
            "content:script",
        ),
        Thing(
            "subscription_type", "subscription type", SubscriptionTypeForm, _edits_lists, _subscription_type
        ),
        _of_list(ListItem.List.FOLLOW_UP_TYPE, "follow-up type"),
        _of_list(ListItem.List.CATEGORY, "category"),
        _of_list(ListItem.List.BUSINESS, "business"),
        _of_list(ListItem.List.INTEREST, "interest"),
        _of_list(ListItem.List.CUSTOM, "value"),
        Thing("sale_type", "sale type", SaleTypeForm, _edits_sales, _choice("sale-types")),
        Thing("sale_stage", "stage", NewStageForm, _edits_sales, _choice("sale-stages")),
        _of_requests("request_type", "request-types"),
        _of_requests("request_category", "request-categories"),
        _of_requests("request_priority", "request-priorities"),
    ],
)

# What may be made beside a choice of a kind, where that is another kind or several.
BESIDE: Mapping[str, tuple[str, ...]] = {
    "any_selection": ("selection",),
    "click": ("link",),
    "submission": ("form",),
    "action": ("link", "form"),
    "type_and_stage": ("sale_type", "sale_stage"),
}
# A choice among the values of a list: `list:category`, or `list:custom:7` of a custom field.
_LIST = re.compile(r"list:(category|business|interest|custom(?=:\d)):?(\d{1,18})?")


def list_kind(name: str, field_id: int | None) -> str:
    """Return the kind of a choice among the values of a list."""
    return f"list:{name}:{field_id}" if field_id else f"list:{name}"


def made_beside(kind: str) -> tuple[str, ...]:
    """Return what a choice of this kind may get beside it."""
    if found := _LIST.fullmatch(kind):
        name, field = found.groups()
        return (name,) if bool(field) == (name == ListItem.List.CUSTOM) and _is_list(field) else ()
    return BESIDE.get(kind, (kind,) if kind in THINGS else ())


def _is_list(field: str | None) -> bool:
    return field is None or CustomField.objects.filter(pk=field, type=CustomField.Type.LIST).exists()


@dataclass(frozen=True, slots=True)
class Offer:
    """A button beside a choice."""

    kind: str
    thing: Thing


def offers_beside(kind: str) -> list[Offer]:
    """Return the buttons of a choice of this kind that whoever the page is drawn for may press."""
    member = who_looks()
    if member is None:
        return []
    return [Offer(kind, THINGS[name]) for name in made_beside(kind) if THINGS[name].may(member)]


def page_of(kind: str) -> str:
    """Return the page of what a choice of this kind names by its id; "" where it has none."""
    return THINGS[kind].page if made_beside(kind) == (kind,) else ""


def as_choice(kind: str, thing: Thing, pk: int, flow_id: int, name: str) -> tuple[str, str]:
    """Return a made thing as the value and label of a choice of the kind."""
    acts = kind in {"action", "click", "submission"}
    value = code_of(Action.model_validate({"kind": thing.name, "id": pk})) if acts else str(pk)
    if kind == "type_and_stage":
        return sale_kind(thing.name, pk)
    if kind not in CHOOSABLE:
        return value, name
    return value, CHOOSABLE[kind].labels(flow_id, [value]).get(value, name)
