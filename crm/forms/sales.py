"""The forms of a sale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms

from crm.currencies import CURRENCIES
from crm.forms.desk import OnceForm, id_field, offer, owner_choices
from crm.models import Project, Sale, SaleStage, SaleType

DATE = forms.TextInput({"type": "date", "autocomplete": "off"})


def stage_choices(type_id: int | None, stage_id: int | None) -> list[tuple[int, str, list[tuple[str, str]]]]:
    """Return types by id and name with their stages, as "type:stage"; retired ones only where they are chosen."""
    by_type: dict[int, list[SaleStage]] = {}
    for stage in SaleStage.objects.order_by("rank", "name"):
        by_type.setdefault(stage.type_id, []).append(stage)
    groups = []
    for kind in SaleType.objects.all():
        if kind.retired and kind.pk != type_id:
            continue
        stages = [s for s in by_type.get(kind.pk, []) if not s.retired or s.pk == stage_id]
        options = [(f"{kind.pk}:{s.pk}", f"{kind}: {s} ({s.probability} %)") for s in stages]
        if not options or (kind.pk == type_id and stage_id is None):
            options.insert(0, (f"{kind.pk}:", f"{kind}: no stage"))
        groups.append((kind.pk, str(kind), options))
    return groups


def sale_kind(made: str, pk: int) -> tuple[str, str]:
    """Return a `sale_type` or `sale_stage` that was just made as value and label of a choice of type and stage."""
    if made == "sale_type":
        return f"{pk}:", f"{SaleType.objects.get(pk=pk)}: its first stage"
    stage = SaleStage.objects.select_related("type").get(pk=pk)
    return f"{stage.type_id}:{pk}", f"{stage.type}: {stage} ({stage.probability} %)"


class SaleForm(OnceForm):
    """All fields of a sale; without one, those of a new one."""

    title = forms.CharField(max_length=200, widget=forms.TextInput({"autocomplete": "off"}))
    kind = forms.ChoiceField(label="Type and stage")
    amount = forms.DecimalField(max_digits=17, decimal_places=2, min_value=Decimal(0), initial=Decimal(0))
    currency = forms.ChoiceField()
    probability = forms.IntegerField(
        label="Probability (%)",
        min_value=0,
        max_value=100,
        required=False,
        help_text="Left empty: the stage's.",
    )
    date = forms.DateField(
        label="Sale date",
        required=False,
        widget=DATE,
        help_text="Left empty: as many days ahead as the type says.",
    )
    owner_id = id_field("Owner")
    project_id = id_field("Project", required=False)
    description = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea({"rows": 3}))

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        sale: Sale | None = None,
        owner_id: int | None = None,
        within: Sequence[int] | None = None,
        currency: str = "EUR",
    ) -> None:
        initial: dict[str, Any] = {"currency": currency, "owner_id": owner_id}
        if sale is not None:
            names = (
                "title",
                "amount",
                "currency",
                "probability",
                "date",
                "owner_id",
                "project_id",
                "description",
            )
            initial = {name: getattr(sale, name) for name in names}
            initial["kind"] = f"{sale.type_id}:{sale.stage_id or ''}"
        super().__init__(data, initial=initial)
        kinds = stage_choices(sale.type_id if sale else None, sale.stage_id if sale else None)
        offer(self, "kind", [(name, options) for _, name, options in kinds])
        offer(self, "currency", [(code, f"{code} {name}") for code, name in CURRENCIES.items()])
        offer(self, "owner_id", owner_choices(initial["owner_id"], within=within))
        projects = [(str(pk), name) for pk, name in Project.objects.values_list("pk", "name")[:500]]
        offer(self, "project_id", [("", "–"), *projects])

    def values(self) -> dict[str, Any]:
        """Return the columns of the sale; None is left to the type and stage."""
        given = {name: self.cleaned_data[name] for name in self.fields if name not in {"kind", "form_key"}}
        type_id, _, stage_id = self.cleaned_data["kind"].partition(":")
        return given | {"type_id": int(type_id), "stage_id": int(stage_id) if stage_id else None}

    def changes(self, sale: Sale) -> dict[str, Any]:
        """Return the columns for a sale that is there: what was left empty stays, or follows the stage."""
        values = self.values()
        if values["date"] is None:
            values["date"] = sale.date
        if values["probability"] is None:
            values["probability"] = self._probability_of_stage(values["stage_id"], sale)
        return values

    def _probability_of_stage(self, stage_id: int | None, sale: Sale) -> int:
        stage = SaleStage.objects.filter(pk=stage_id).first() if stage_id else None
        return stage.probability if stage else sale.probability


class ReasonForm(forms.Form):
    """Why a sale was lost or rests."""

    reason = forms.CharField(max_length=200, required=False)
