"""A flow that names one of everything, its file, and how to spoil that."""

from __future__ import annotations

import json
from typing import Any

from accounts.models import Group, Tenant
from content.operations.emails import Draft, save_email
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import save_script
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Line
from crm.criteria.schema import Group as Lines
from crm.models import Project
from crm.operations.lists import add_field, add_item
from crm.operations.selections import Rule, create_selection
from flows.document import (
    Branch,
    ExitSettings,
    Finish,
    FlowDocument,
    Note,
    StepNode,
    SuccessCriterion,
    Trigger,
)
from flows.exchange.export import as_bytes, flow_file
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import MJML, NOW, World
from tests.flows.documents import step


def line(field: str, operator: str, *values: Any, **more: Any) -> Criteria:
    """Return criteria of one line."""
    return Criteria(groups=(Lines(lines=(Line(field=field, operator=operator, values=values, **more),)),))


def make_rich(acme: Tenant, alice: Person, world: World) -> Flow:
    """A flow that names something of every kind."""
    with tenant_scope(acme.pk):
        size = add_field(on="contact", name="Size", type_="list", actor=alice.user)
        large = add_item(list_name="custom", field_id=size.pk, name="Large", actor=alice.user)
        link = create_link(
            draft=LinkDraft("Price list", url="https://acme.test/prices"), actor=alice.user, now=NOW
        )
        save_email(
            email_id=world.welcome.pk,
            draft=Draft("Welcome", "Hi", MJML.replace("</mj-text>", f"<a href='{link.tag}'>x</a></mj-text>")),
            revision=world.welcome.revision,
            actor=alice.user,
            now=NOW,
        )
        form = create_form(name="Sign-up 🎉", actor=alice.user, now=NOW)
        script = save_script(
            script_id=None, name="Score", description="", source="result = 1", revision=0, actor=alice.user, now=NOW
        )  # fmt: skip
        project = Project.objects.create(name="Fair", created_at=NOW)
        busy = create_selection(
            name="Large ones", description="", actor=alice.user, now=NOW,
            rule=Rule(criteria=line("contact.custom.size", "one_of", str(large.pk))),
        )  # fmt: skip
        steps = (
            step("send_email", "Say hello", email=world.welcome.pk),
            step(
                "wait_for_action",
                "Wait",
                exits=True,
                exit_selection=world.selection.pk,
                actions=[
                    {"kind": "link", "id": link.pk},
                    {"kind": "email_link", "email": world.welcome.pk},
                    {"kind": "form", "id": form.pk},
                ],
            ),
            StepNode(
                kind="split",
                title="Who",
                settings={"based_on": "contact"},
                branches=(
                    Branch(
                        name="Large",
                        criteria=line("contact.custom.size", "one_of", str(large.pk)),
                        steps=(step("run_script", "Score", script=script.pk),),
                    ),
                    Branch(
                        name="Said no",
                        criteria=line(f"subscription.{world.newsletter.pk}", "no"),
                        exit=ExitSettings(selection=world.excluded.pk),
                    ),
                    Branch(name="Everyone else"),
                ),
            ),
            step("add_to_selection", "Keep", selection=world.selection.pk, project=project.pk),
            step(
                "update_contact",
                "Mark",
                lines=[
                    {"field": "contact.category", "action": "set", "values": [str(world.customer.pk)]},
                    {"field": "contact.custom.size", "action": "set", "values": [str(large.pk)]},
                ],
            ),
            step("create_follow_up", "Call", subject="Call", who="named", user=alice.user.pk),
            step(
                "distribute_to_owner",
                "Turn",
                users=[alice.user.pk],
                groups=[Group.objects.get(name="Marketing").pk],
            ),
        )
        made = create_flow(
            name="Rich <b>flow</b>", owner=alice.user, now=NOW,
            document=FlowDocument(
                settings=world.settings().model_copy(update={"exclusions": (busy.pk,)}),
                triggers=(
                    Trigger(kind="form_submitted", settings={"form": form.pk}),
                    Trigger(kind="contact_created", criteria=line("contact.category", "one_of", world.prospect.pk)),
                ),
                filter=line("contact.selections", "one_of", str(world.selection.pk)),
                success=(SuccessCriterion(kind="link_clicked", settings={"link": link.pk}),),
                steps=steps,
                finish=Finish(success=ExitSettings(selection=world.selection.pk)),
                notes=(Note(text="Ask Alice", step=steps[0].id),),
            ),
        )  # fmt: skip
        # A flow that goes on to itself.
        document = draft_of(made)
        finish = document.finish.model_copy(update={"no_success": ExitSettings(flow=made.pk)})
        made.draft = document.model_copy(update={"finish": finish}).model_dump(mode="json")
        made.save(update_fields=["draft"])
        return made


def exported(flow: Flow, person: Person) -> bytes:
    return as_bytes(flow_file(flow, member=person.member))


def spoiled(file: dict[str, Any], path: str, value: Any) -> bytes:
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    inner: Any = file
    for part in way:
        inner = inner[part]
    inner[last] = value
    return json.dumps(file).encode()
