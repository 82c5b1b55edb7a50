"""Where a form or registered link of the flow does by itself what a step of the flow does, or the opposite.

A form or link of the flow is one that it listens to, or a registered link in an email or SMS that it sends. Warnings
only: it may be meant so. The form or link acts when it is processed or clicked, the step when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from content.actions import ContactActions
from content.forms.document import FormActions
from content.queries import links_of_emails
from content.queries_form import actions_of_forms
from content.queries_link import actions_of_links, link_names
from crm.bulk.targets import targets_by_key
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument, StepNode
from flows.steps.base import CheckContext

_MEMBERS = {"add_to_selection": True, "remove_from_selection": False}
_OF_NEW = {"new_category": ("contact.category", "category"), "new_business": ("contact.business", "business")}
Line = tuple[str, str, tuple[str, ...]]
# Actions after which a field has the same value whatever it had before.
_FIXES = {"set", "clear", "yes", "no", "replace", "today"}
_OPPOSITE = {"add": "remove", "remove": "add"}


class DoesTheSame(Check):
    """See the module."""

    name = "does_the_same"
    label = "A form or link that does the same"
    description = "A form or link of the flow does by itself what a step does, or the opposite."

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield the steps concerned. At most six queries; none without forms, links and emails."""
        acting = list(_acting(document, ctx))
        labels = labels_of([document]) if acting else {}
        for node in document.walk() if acting else ():
            for page, pk, name, actions in acting:
                for text in repeats_of(node, actions, labels):
                    yield self.at_step(node, f"“{name}” {text}", other=(page, pk, name))


def labels_of(documents: Iterable[FlowDocument]) -> dict[str, str]:
    """Return the names of the fields that the documents change, by key. At most one query."""
    fields = {line[0] for document in documents for node in document.walk() for line in _lines(node)}
    return {key: target.label for key, target in targets_by_key(fields).items()} if fields else {}


def repeats_of(node: StepNode, actions: ContactActions, labels: Mapping[str, str]) -> list[str]:
    """Say what the actions of a form or link do by themselves of what a step does, or the opposite of it."""
    return list(dict.fromkeys(_said_of(node, actions, labels)))


def _acting(document: FlowDocument, ctx: CheckContext) -> Iterator[tuple[str, int, str, ContactActions]]:
    """Yield the forms and links of the flow that do anything: the name of the page's URL, id, name and actions."""
    forms, links = sorted(ctx.names.get("form", ())), dict(ctx.names.get("link", {}))
    emails = [node.settings.get("email") for node in document.walk() if node.kind == "send_email"]
    sent = sorted({email for email in emails if isinstance(email, int)})
    held = {pk for found in (links_of_emails(sent) if sent else {}).values() for _, pk in found if pk}
    links |= link_names(sorted(held - set(links))) if held - set(links) else {}
    for pk, actions in (actions_of_forms(forms) if forms else {}).items():
        yield "content:form_actions", pk, ctx.name("form", pk) or "A form", actions
    for pk, acts in (actions_of_links(sorted(links)) if links else {}).items():
        yield "content:link", pk, links.get(pk) or "A link", acts


def _said_of(node: StepNode, actions: ContactActions, labels: Mapping[str, str]) -> Iterator[str]:
    if node.kind in _MEMBERS:
        yield from _of_members(node.settings, actions, adds=_MEMBERS[node.kind])
    if node.kind == "update_contact":
        yield from _of_fields(list(_lines(node)), actions, labels)
    if node.kind == "create_request" and getattr(actions, "request", False):
        yield "makes a request by itself already"
    if node.kind == "create_follow_up" and getattr(actions, "follow_up", False):
        yield "makes a follow-up by itself already"
    if node.kind == "run_script" and node.settings.get("script") in {actions.script} - {None}:
        yield "runs this script by itself already"
    answer = actions.respond_email if isinstance(actions, FormActions) else None
    if node.kind == "send_email" and answer is not None and node.settings.get("email") == answer:
        yield "answers with this email by itself already"


def _of_members(settings: Mapping[str, object], actions: ContactActions, *, adds: bool) -> Iterator[str]:
    for what, added, removed in (
        ("selection", actions.add_to_selections, actions.remove_from_selections),
        ("project", actions.add_to_projects, actions.remove_from_projects),
    ):
        chosen = settings.get(what)
        if chosen in (added if adds else removed):
            yield f"{'adds to' if adds else 'removes from'} this {what} by itself already"
        if chosen in (removed if adds else added):
            yield f"does the opposite by itself: it {'removes from' if adds else 'adds to'} this {what}"


def _lines(node: StepNode) -> Iterator[Line]:
    """Yield field, action and values of each change of an Update contact step that can be read."""
    lines = node.settings.get("lines", ()) if node.kind == "update_contact" else ()
    for line in lines if isinstance(lines, Sequence) else ():
        if isinstance(line, dict) and line.get("field"):
            yield str(line["field"]), str(line.get("action")), tuple(map(str, line.get("values") or ()))


def _of_fields(lines: Sequence[Line], actions: ContactActions, labels: Mapping[str, str]) -> Iterator[str]:
    for field, action, values in lines:
        label = labels.get(field, "a field")
        for change in actions.updates():
            if change.field == field:
                yield from _of_change(
                    label, (action, values), (change.action, tuple(map(str, change.values)))
                )
        for name, (target, word) in _OF_NEW.items():
            if target == field and getattr(actions, name, None) is not None:
                yield f"sets the {word} of new contacts by itself"


def _of_change(
    label: str, step: tuple[str, tuple[str, ...]], own: tuple[str, tuple[str, ...]]
) -> Iterator[str]:
    """Say how a change that the form or link makes stands to one that the step makes, of the same field."""
    if step[0] == own[0] and (step[1] == own[1] or (step[0] in _OPPOSITE and set(step[1]) <= set(own[1]))):
        yield f"changes {label} by itself in the same way already"
    elif _OPPOSITE.get(step[0]) == own[0] and set(step[1]) & set(own[1]):
        takes_off = own[0] == "remove"
        what = "takes off what this step adds" if takes_off else "puts on what this step removes"
        yield f"does the opposite by itself: it {what} in {label}"
    elif step[0] in _FIXES and own[0] in _FIXES:
        yield f"changes {label} by itself to another value: whichever comes last wins"
    elif step[0] not in _OPPOSITE:
        yield f"changes {label} by itself too"
