"""The CRM's things in a flow file: custom fields, list values, subscription types, selections, projects, and the lists
of sales and requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from accounts.models import Membership
from accounts.rights import DataObject, Reach, Right
from crm.criteria.fields import custom_key
from crm.criteria.schema import Criteria
from crm.models import (
    ConsentPurpose,
    CustomField,
    ListItem,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    SaleStage,
    SaleType,
    Selection,
    SubscriptionType,
)
from crm.operations import lists
from crm.operations.clubs import NameTaken, create_club
from crm.operations.selections import BadSelection, Rule, create_selection
from flows.exchange.kinds import CannotMake, Choice, Data, Making, UsedKind
from flows.exchange.schema import Used

LIST_EDITORS = (Right.MANAGE_LISTS, Right.ADMINISTRATOR)


class CustomFieldData(Data):
    """Where the field is, its key and its type."""

    on: Literal["contact", "company"]
    key: str
    type: Literal["text", "number", "money", "date", "bool", "list"]


class CustomFieldKind(UsedKind):
    """A custom field; documents name it by its key."""

    name = "custom_field"
    label = "Custom field"
    icon = "text-aa"
    Data = CustomFieldData
    model = CustomField

    def data_of(self, row: CustomField) -> Mapping[str, Any]:
        """Place, key and type."""
        return {"on": row.on, "key": row.key, "type": row.type}

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """By key, else by name; the type must be the same."""
        rows = list(self.rows(member))
        by_key = {(row.on, row.key, row.type): row.pk for row in rows}
        by_name = {(row.on, row.name, row.type): row.pk for row in rows}
        result = {}
        for one in wanted:
            data = CustomFieldData.model_validate(one.data)
            found = by_key.get((data.on, data.key, data.type)) or by_name.get((data.on, one.name, data.type))
            if found:
                result[one.id] = found
        return result

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """Fields of the same place and type."""
        data = CustomFieldData.model_validate(used.data)
        return [Choice(row.pk, row.name) for row in self.rows(member).filter(on=data.on, type=data.type)]

    def may_make(self, used: Used, member: Membership) -> bool:
        """Who edits the lists may."""
        return member.may(*LIST_EDITORS)

    def make(self, used: Used, data: CustomFieldData, making: Making) -> int:
        """A field of that type; its key is made from its name."""
        try:
            return lists.add_field(on=data.on, name=used.name, type_=data.type, actor=making.actor).pk
        except lists.AlreadyListed as taken:
            raise CannotMake(str(taken)) from None


class ListItemData(Data):
    """Which list it is a value of; `field` is the key of a custom field's list."""

    list: Literal["category", "business", "interest", "follow_up_type", "custom"]
    field: str = ""


class ListItemKind(UsedKind):
    """A value of a list. Those of a custom field follow the field that the import takes or makes."""

    name = "list_item"
    label = "List value"
    Data = ListItemData
    model = ListItem

    def rows(self, member: Membership) -> Any:
        """Every value, with its field."""
        return ListItem.objects.select_related("field")

    def data_of(self, row: ListItem) -> Mapping[str, Any]:
        """The list."""
        return {"list": row.list, "field": custom_key(row.field) if row.field else ""}

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """In the same list."""
        there = {
            (row.list, custom_key(row.field) if row.field else "", row.name): row.pk
            for row in self.rows(member).filter(name__in={one.name for one in wanted}, retired=False)
        }
        asked = {one.id: ListItemData.model_validate(one.data) for one in wanted}
        keys = {one.id: (asked[one.id].list, asked[one.id].field, one.name) for one in wanted}
        return {number: there[key] for number, key in keys.items() if key in there}

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """The list's values; those of a custom field that is here."""
        data = ListItemData.model_validate(used.data)
        rows = self.rows(member).filter(list=data.list, retired=False).order_by("rank", "name")
        return [
            Choice(row.pk, row.name)
            for row in rows
            if not data.field or (row.field and custom_key(row.field) == data.field)
        ]

    def may_make(self, used: Used, member: Membership) -> bool:
        """Who edits the lists may."""
        return member.may(*LIST_EDITORS)

    def make(self, used: Used, data: ListItemData, making: Making) -> int:
        """A value at the end of its list, or the one that is there meanwhile."""
        field = None
        if data.list == "custom":
            field = next((one for one in CustomField.objects.all() if custom_key(one) == data.field), None)
            if field is None or field.type != CustomField.Type.LIST:
                raise CannotMake(f"The list of “{used.name}” is not here.")
        there = ListItem.objects.filter(list=data.list, field=field, name=used.name).first()
        if there is not None:
            return there.pk
        try:
            made = lists.add_item(
                list_name=data.list, field_id=field.pk if field else None, name=used.name, actor=making.actor
            )
        except lists.AlreadyListed as taken:
            raise CannotMake(str(taken)) from None
        return made.pk


class SubscriptionTypeKind(UsedKind):
    """A subscription type."""

    name = "subscription_type"
    label = "Subscription type"
    icon = "envelope-simple"
    model = SubscriptionType

    def rows(self, member: Membership) -> Any:
        """Those that can be chosen."""
        return SubscriptionType.objects.filter(retired=False)

    def may_make(self, used: Used, member: Membership) -> bool:
        """Who edits the lists may."""
        return member.may(*LIST_EDITORS)

    def make(self, used: Used, data: Data, making: Making) -> int:
        """A type of that name."""
        try:
            made = lists.save_subscription_type(
                type_id=None, name=used.name, description="", actor=making.actor
            )
        except lists.AlreadyListed as taken:
            raise CannotMake(str(taken)) from None
        return made.pk


class PurposeKind(UsedKind):
    """What a contact may consent to."""

    name = "consent_purpose"
    label = "Consent"
    model = ConsentPurpose


class ProjectKind(UsedKind):
    """A project; its members stay where they are."""

    name = "project"
    label = "Project"
    icon = "briefcase"
    model = Project

    def may_make(self, used: Used, member: Membership) -> bool:
        """Who may create projects."""
        return member.reach(DataObject.PROJECT, "create") != Reach.NONE

    def make(self, used: Used, data: Data, making: Making) -> int:
        """An empty project."""
        try:
            return create_club(
                model=Project, name=used.name, description="", actor=making.actor, now=making.now
            ).pk
        except NameTaken as taken:
            raise CannotMake(str(taken)) from None


class SelectionData(Data):
    """How its members are found: put in by hand, by criteria, or of two selections."""

    how: Literal["static", "dynamic", "combined"] = "static"
    criteria: Criteria | None = None
    left: int | None = None
    right: int | None = None
    combine: str = ""


class SelectionKind(UsedKind):
    """A selection; the members of a static one stay where they are."""

    name = "selection"
    label = "Selection"
    icon = "funnel"
    Data = SelectionData
    model = Selection

    def data_of(self, row: Selection) -> Mapping[str, Any]:
        """Its rule."""
        if row.kind == Selection.Kind.DYNAMIC:
            return {"how": "dynamic", "criteria": row.criteria}
        if row.kind == Selection.Kind.COMBINED:
            return {"how": "combined", "left": row.left_id, "right": row.right_id, "combine": row.combine}
        return {"how": "static"}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Who may create selections."""
        return member.reach(DataObject.SELECTION, "create") != Reach.NONE

    def make(self, used: Used, data: SelectionData, making: Making) -> int:
        """An empty selection, or one with its rule."""
        common: Any = {"name": used.name, "description": "", "actor": making.actor, "now": making.now}
        rule = Rule(criteria=data.criteria, left_id=data.left, right_id=data.right, combine=data.combine)
        try:
            if data.how == "static":
                return create_club(model=Selection, **common).pk
            return create_selection(rule=rule, **common).pk
        except (NameTaken, BadSelection) as refused:
            raise CannotMake(str(refused)) from None


class StageData(Data):
    """The sale type that it is a stage of."""

    sale_type: int | None = None


class StageKind(UsedKind):
    """A stage of a sale type."""

    name = "sale_stage"
    label = "Sale stage"
    Data = StageData
    model = SaleStage

    def data_of(self, row: SaleStage) -> Mapping[str, Any]:
        """Its sale type."""
        return {"sale_type": row.type_id}

    def rows(self, member: Membership) -> Any:
        """Stages with their types."""
        return SaleStage.objects.select_related("type")

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """Every stage, under its type's name."""
        return [
            Choice(row.pk, f"{row.type}: {row.name}")
            for row in self.rows(member).order_by("type__name", "rank")
        ]


class SaleTypeKind(UsedKind):
    """A sale type."""

    name = "sale_type"
    label = "Sale type"
    model = SaleType


class RequestTypeKind(UsedKind):
    """A request type."""

    name = "request_type"
    label = "Request type"
    model = RequestType


class RequestCategoryKind(UsedKind):
    """A request category."""

    name = "request_category"
    label = "Request category"
    model = RequestCategory


class RequestPriorityKind(UsedKind):
    """A request priority."""

    name = "request_priority"
    label = "Request priority"
    model = RequestPriority
