"""Panels of the flow's two ends: who comes in (triggers, filter) and what counts as success, and where people go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django import forms
from django.http import Http404, QueryDict

from flows.canvas_words import start_lines
from flows.criteria_field import CriteriaForm
from flows.document import ExitSettings, Finish, FlowDocument, SuccessCriterion, Trigger
from flows.editing.frame import update_success, update_trigger, with_filter, with_finish, with_settings
from flows.operations.drafts import Change
from flows.panels.base import Panel
from flows.part_form import PartForm, part_form
from flows.steps.forms import offer, to_number
from flows.success.base import SuccessKind
from flows.success.table import SUCCESS_KINDS
from flows.triggers.base import TriggerKind
from flows.triggers.table import TRIGGER_KINDS

K = TypeVar("K", bound=TriggerKind | SuccessKind)


def grouped(kinds: Iterable[K]) -> list[tuple[str, list[K]]]:
    """Return the kinds under their headings, both in the order of the table."""
    found: dict[str, list[K]] = {}
    for kind in kinds:
        found.setdefault(kind.group, []).append(kind)
    return list(found.items())


class StartPanel(Panel):
    """The triggers, the filter, and what keeps people out: a list that opens each."""

    template = "flows/panel/start.html"
    heading = "Who enters"

    def context(self) -> dict[str, Any]:
        """Summaries of everything that decides about entering."""
        document, ctx = self.designer.document, self.designer.ctx
        triggers = [
            (t, TRIGGER_KINDS[t.kind], TRIGGER_KINDS[t.kind].summary(t, ctx)) for t in document.triggers
        ]
        selections = [ctx.name("selection", number) for number in document.settings.exclusions]
        filter_text = next(
            (line[8:] for line in start_lines(document, ctx) if line.startswith("Only if ")), ""
        )
        return {
            "triggers": triggers,
            "groups": grouped(TRIGGER_KINDS),
            "filter_text": filter_text,
            "exclusions": [name for name in selections if name],
        }


class TriggerPanel(Panel):
    """Settings of one trigger."""

    template = "flows/panel/trigger.html"
    heading = "Trigger"

    @property
    def trigger(self) -> Trigger:
        """The trigger; not found where it is gone."""
        trigger = next((t for t in self.designer.document.triggers if t.id == self.id), None)
        if trigger is None:
            raise Http404
        return trigger

    def form(self, data: QueryDict | None = None) -> PartForm:
        """The form of its kind."""
        kind = TRIGGER_KINDS[self.trigger.kind]
        return part_form(kind, self.trigger, flow_id=self.designer.flow.pk, data=data)

    def context(self) -> dict[str, Any]:
        """The trigger and its kind."""
        kind = TRIGGER_KINDS[self.trigger.kind]
        return {
            "trigger": self.trigger,
            "kind": kind,
        }

    def change(self, form: PartForm) -> Change:
        """Store settings and criteria."""
        settings, criteria, trigger_id = form.settings(), form.criteria(), self.id
        return lambda d: update_trigger(d, trigger_id=trigger_id, settings=settings, criteria=criteria)


class FilterPanel(Panel):
    """The filter: judged once, when somebody is suggested."""

    template = "flows/panel/filter.html"
    heading = "Filter"

    def form(self, data: QueryDict | None = None) -> CriteriaForm:
        """The criteria alone."""
        return CriteriaForm(data, criteria=self.designer.document.filter)

    def change(self, form: CriteriaForm) -> Change:
        """Store the filter."""
        criteria = form.criteria()
        return lambda document: with_filter(document, criteria=criteria)


class FinishForm(forms.Form):
    """Whether success ends it, and where people go on to."""

    move_to_finish = forms.BooleanField(label="Whoever meets it moves to Finish at once", required=False)
    success_selection = forms.TypedChoiceField(
        label="Add to selection", required=False, coerce=to_number, empty_value=None
    )
    success_flow = forms.TypedChoiceField(
        label="Suggest for flow", required=False, coerce=to_number, empty_value=None
    )
    other_selection = forms.TypedChoiceField(
        label="Add to selection", required=False, coerce=to_number, empty_value=None
    )
    other_flow = forms.TypedChoiceField(
        label="Suggest for flow", required=False, coerce=to_number, empty_value=None
    )

    def __init__(self, *, document: FlowDocument, flow_id: int, data: QueryDict | None = None) -> None:
        finish = document.finish
        initial = {
            "move_to_finish": document.settings.move_to_finish,
            "success_selection": finish.success.selection,
            "success_flow": finish.success.flow,
            "other_selection": finish.no_success.selection,
            "other_flow": finish.no_success.flow,
        }
        super().__init__(data, initial=initial)
        for name in ("success", "other"):
            offer(self, f"{name}_selection", "selection", empty="None")
            offer(self, f"{name}_flow", "flow", flow_id=flow_id, empty="None")

    def finish(self) -> Finish:
        """Return what happens at Finish."""
        given = self.cleaned_data
        return Finish(
            success=ExitSettings(flow=given["success_flow"], selection=given["success_selection"]),
            no_success=ExitSettings(flow=given["other_flow"], selection=given["other_selection"]),
        )


class FinishPanel(Panel):
    """Success criteria, and what Finish does."""

    template = "flows/panel/finish.html"
    heading = "Finish"

    def form(self, data: QueryDict | None = None) -> FinishForm:
        """The form of Finish."""
        return FinishForm(document=self.designer.document, flow_id=self.designer.flow.pk, data=data)

    def context(self) -> dict[str, Any]:
        """The success criteria."""
        ctx = self.designer.ctx
        listed = [
            (c, SUCCESS_KINDS[c.kind], SUCCESS_KINDS[c.kind].summary(c, ctx))
            for c in self.designer.document.success
        ]
        return {"criteria_list": listed, "groups": grouped(SUCCESS_KINDS)}

    def change(self, form: FinishForm) -> Change:
        """Store both."""
        finish, move = form.finish(), form.cleaned_data["move_to_finish"]

        def changed(document: FlowDocument) -> FlowDocument:
            settings = document.settings.model_copy(update={"move_to_finish": move})
            return with_finish(with_settings(document, settings=settings), finish=finish)

        return changed


class SuccessPanel(Panel):
    """One success criterion."""

    template = "flows/panel/success.html"
    heading = "Success criterion"

    @property
    def criterion(self) -> SuccessCriterion:
        """The criterion; not found where it is gone."""
        criterion = next((c for c in self.designer.document.success if c.id == self.id), None)
        if criterion is None:
            raise Http404
        return criterion

    def form(self, data: QueryDict | None = None) -> PartForm:
        """The form of its kind."""
        kind = SUCCESS_KINDS[self.criterion.kind]
        return part_form(kind, self.criterion, flow_id=self.designer.flow.pk, data=data)

    def context(self) -> dict[str, Any]:
        """The criterion and its kind."""
        kind = SUCCESS_KINDS[self.criterion.kind]
        return {
            "criterion": self.criterion,
            "kind": kind,
        }

    def change(self, form: PartForm) -> Change:
        """Store settings and criteria; an event that is a success has none."""
        settings, success_id = form.settings(), self.id
        criteria = form.criteria() if SUCCESS_KINDS[self.criterion.kind].asks_criteria else None
        return lambda d: update_success(d, success_id=success_id, settings=settings, criteria=criteria)
