"""Panels of a step and of a branch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, QueryDict

from crm.criteria.describe import describe
from flows.criteria_field import CriteriaForm
from flows.document import Branch, ExitSettings, FlowDocument, StepNode
from flows.editing.branches import end_branch, update_branch
from flows.editing.steps import update
from flows.editing.tree import IllegalEdit, find_branch
from flows.event_tags import event_tags
from flows.operations.drafts import Change
from flows.panels.base import Panel
from flows.steps.forms import StepForm, offer, offer_many, to_number
from flows.steps.split import basis_of
from flows.steps.table import STEP_KINDS


class StepPanel(Panel):
    """Settings of one step."""

    template = "flows/panel/step.html"

    @property
    def node(self) -> StepNode:
        """The step; not found where it is gone."""
        node = self.designer.document.step(self.id)
        if node is None:
            raise Http404
        return node

    @property
    def heading(self) -> str:  # type: ignore[override]
        """The step's title."""
        return self.node.title

    def form(self, data: QueryDict | None = None) -> StepForm:
        """The kind's own form."""
        kind = STEP_KINDS[self.node.kind]
        return kind.Form(kind=kind, node=self.node, flow_id=self.designer.flow.pk, data=data)

    def context(self) -> dict[str, Any]:
        """Kind, step and branches."""
        node = self.node
        card = next((c for c in cards(self.designer) if c.id == node.id), None)
        return {
            "kind": STEP_KINDS[node.kind],
            "event_tags": event_tags(self.designer.document),
            "node": node,
            "card": card,
        }

    def change(self, form: StepForm) -> Change:
        """Store title, note and settings."""
        title, note, settings = form.cleaned_data["title"], form.cleaned_data["note"], form.settings()
        return lambda document: update(document, step_id=self.id, title=title, note=note, settings=settings)

    def loses(self, form: StepForm) -> list[tuple[str, str]]:
        """What the branches ask for, where the split is to be based on something else."""
        after = self.change(form)(self.designer.document).step(self.id)
        kept = after.branches if after else ()
        return [
            (branch.name, self._asked(branch))
            for branch, then in zip(self.node.branches, kept, strict=False)
            if (branch.criteria, branch.settings) != (then.criteria, then.settings)
            and (branch.criteria or any(branch.settings.values()))
        ]

    def _asked(self, branch: Branch) -> str:
        if branch.criteria is not None:
            return describe(branch.criteria)
        return basis_of(self.node).summary(self.node, branch, self.designer.ctx)

    def label(self, form: StepForm) -> str:
        """Name the step."""
        return f"changed “{form.cleaned_data['title']}”"


class BranchForm(CriteriaForm):
    """Name, criteria and end of a branch. Everyone else has no criteria."""

    name = forms.CharField(label="Name", max_length=60)
    ending = forms.ChoiceField(
        label="At its end",
        widget=forms.RadioSelect,
        choices=[("join", "Goes on after the split"), ("exit", "Exit flow")],
    )
    exit_selection = forms.TypedChoiceField(
        label="Then add to selection", required=False, coerce=to_number, empty_value=None
    )
    exit_flow = forms.TypedChoiceField(
        label="Then suggest for flow", required=False, coerce=to_number, empty_value=None
    )

    def __init__(
        self, *, split: StepNode, branch: Branch, flow_id: int, data: QueryDict | None = None
    ) -> None:
        exit_ = branch.exit or ExitSettings()
        initial = {
            "name": branch.name,
            "ending": "exit" if branch.exit is not None else "join",
            "exit_selection": exit_.selection,
            "exit_flow": exit_.flow,
        }
        super().__init__(data, initial=initial, criteria=branch.criteria)
        offer(self, "exit_selection", "selection", empty="None")
        offer(self, "exit_flow", "flow", flow_id=flow_id, empty="None")
        is_else = branch is split.branches[-1]
        self.basis = None if is_else else basis_of(split)
        self.asked = () if self.basis is None else tuple(self.basis.fields(split, branch, flow_id).items())
        self.fields.update(self.asked)
        self.asking = self.basis.asking(split, branch, data) if self.basis else None
        self._offer_searched(branch, flow_id)

    def _offer_searched(self, branch: Branch, flow_id: int) -> None:
        """Offer what the fields of the split's basis choose from."""
        if self.basis is None:
            return
        chosen = self.basis.chosen(branch)
        for name, kind in self.basis.searched.items():
            if isinstance(self.fields[name], forms.MultipleChoiceField):
                offer_many(self, name, kind, flow_id=flow_id, chosen=chosen.get(name) or ())
            else:
                offer(self, name, kind, chosen=chosen.get(name))

    @property
    def asked_fields(self) -> list[forms.BoundField]:
        """The fields of what the split is based on."""
        return [self[name] for name, _ in self.asked]

    def settings(self) -> dict[str, Any]:
        """Return what the branch asks for, where that is not criteria."""
        if self.asking is not None:
            return self.asking.settings()
        return {} if self.basis is None else self.basis.settings(self.cleaned_data)

    def exit(self) -> ExitSettings | None:
        """Return the exit, or None for a branch that joins."""
        if self.cleaned_data["ending"] != "exit":
            return None
        return ExitSettings(
            flow=self.cleaned_data["exit_flow"], selection=self.cleaned_data["exit_selection"]
        )


class BranchPanel(Panel):
    """Settings of one branch."""

    template = "flows/panel/branch.html"
    heading = "Branch"

    def found(self) -> tuple[StepNode, int]:
        """The split and the branch's position; not found where it is gone."""
        try:
            return find_branch(self.designer.document, self.id)
        except IllegalEdit:
            raise Http404 from None

    @property
    def is_else(self) -> bool:
        """Whether it is everyone else."""
        split, position = self.found()
        return position == len(split.branches) - 1

    def form(self, data: QueryDict | None = None) -> BranchForm:
        """The branch's form."""
        split, position = self.found()
        flow_id = self.designer.flow.pk
        return BranchForm(split=split, branch=split.branches[position], flow_id=flow_id, data=data)

    def context(self) -> dict[str, Any]:
        """The split, and whether it is everyone else."""
        split, position = self.found()
        return {
            "split": split,
            "is_else": self.is_else,
            "branch": split.branches[position],
            "by_criteria": basis_of(split).by_criteria,
        }

    def change(self, form: BranchForm) -> Change:
        """Store name, criteria and end."""
        by_criteria = form.basis is not None and form.basis.by_criteria
        criteria, settings = form.criteria() if by_criteria else None, form.settings()
        name, exit_, branch_id = form.cleaned_data["name"], form.exit(), self.id

        def changed(document: FlowDocument) -> FlowDocument:
            named = update_branch(
                document, branch_id=branch_id, name=name, criteria=criteria, settings=settings
            )
            return end_branch(named, branch_id=branch_id, exit_=exit_)

        return changed

    def label(self, form: BranchForm) -> str:
        """Name the branch."""
        return f"changed branch “{form.cleaned_data['name']}”"


def cards(designer: Any) -> list[Any]:
    """Every step's card on the canvas, top to bottom."""
    found: list[Any] = []

    def collect(places: Any) -> None:
        for place in places:
            found.append(place.card)
            for branch in place.card.branches:
                collect(branch.places)

    collect(designer.canvas.places)
    return found
