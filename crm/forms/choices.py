"""The forms of sale types, stages, request types, categories and priorities."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from accounts.models import Group
from crm.forms.desk import id_field, offer, owner_choices
from crm.models import RequestCategory, SaleType


class NamedForm(forms.Form):
    """An entry that has only a name."""

    name = forms.CharField(max_length=80)
    ids: ClassVar[str] = "id_%s"

    def __init__(self, data: Any = None, *, choice: Any = None) -> None:
        names = [name for name in self.base_fields if choice is not None]
        super().__init__(data, initial={name: getattr(choice, name) for name in names}, auto_id=self.ids)
        self.prepare(choice)

    def prepare(self, choice: Any) -> None:
        """Fill in choices."""

    def values(self) -> dict[str, Any]:
        """Return the columns."""
        return dict(self.cleaned_data)


class SaleTypeForm(NamedForm):
    """A sale type."""

    default_days = forms.IntegerField(
        label="Days until the sale date", min_value=0, max_value=3_650, initial=30
    )


class SaleStageForm(NamedForm):
    """A stage of a sale type; it stands on one page with its type's form."""

    ids = "stage_%s"
    probability = forms.IntegerField(label="Probability (%)", min_value=0, max_value=100, initial=50)


class NewStageForm(SaleStageForm):
    """A new stage, where its type is not told by the page."""

    type_id = id_field("Sale type")

    def prepare(self, choice: Any) -> None:
        """Offer the types."""
        kinds = SaleType.objects.filter(retired=False).values_list("pk", "name")
        offer(self, "type_id", [("", "–"), *((str(pk), name) for pk, name in kinds)])
        self.order_fields(["type_id"])


class RequestCategoryForm(NamedForm):
    """A request category with its rule."""

    rule = forms.ChoiceField(
        label="Who gets its requests",
        choices=RequestCategory.Rule.choices,
        widget=forms.RadioSelect,
        initial=RequestCategory.Rule.NOBODY,
    )
    owner_id = id_field("User", required=False)
    group_id = id_field("Group", required=False)

    def prepare(self, choice: Any) -> None:
        """Offer users and groups."""
        chosen = choice.owner_id if choice else None
        offer(self, "owner_id", [("", "–"), *owner_choices(chosen, within=None)])
        groups = [(str(pk), name) for pk, name in Group.objects.values_list("pk", "name")]
        offer(self, "group_id", [("", "–"), *groups])

    def clean(self) -> dict[str, Any]:
        """A rule needs whom it names."""
        given = super().clean() or {}
        if given.get("rule") == "user" and not given.get("owner_id"):
            self.add_error("owner_id", "Choose a user.")
        if given.get("rule") == "group" and not given.get("group_id"):
            self.add_error("group_id", "Choose a group.")
        return given


FORMS: dict[str, type[NamedForm]] = {
    "sale-types": SaleTypeForm,
    "sale-stages": SaleStageForm,
    "request-categories": RequestCategoryForm,
}
