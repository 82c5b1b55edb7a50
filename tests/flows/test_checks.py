"""The checks of a whole flow: each found where it is, said once, and not said where all is well."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Licence
from content.models import Email, Form, TrackedLink
from content.operations.forms import open_form
from content.operations.links import LinkDraft, change_link
from crm.criteria.schema import Criteria, Group, Line
from delivery.models import SmsConnector
from flows.checking import check_context
from flows.checks.base import opens
from flows.checks.table import CHECKS
from flows.document import Branch, ExitSettings, FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations.create import create_flow
from flows.validation import problems
from tests.fixtures.people import Person
from tests.flows.checks import closed as closed
from tests.flows.checks import found
from tests.flows.checks import mail as mail
from tests.flows.checks import offer as offer
from tests.flows.checks import scope as scope
from tests.flows.conftest import NOW, World
from tests.flows.documents import CHEFS, job, split, step
from tests.flows.test_documentation import DOCS, rows


def wait(**action: Any) -> StepNode:
    return step("wait_for_action", "Wait", actions=[action])


def both(*lines: Line) -> Criteria:
    return Criteria(groups=(Group(lines=lines),))


def titled(*texts: str) -> Criteria:
    return both(*(Line(field="contact.job_title", operator="is", values=(text,)) for text in texts))


def test_the_table_in_the_docs_is_the_codes() -> None:
    written = [tuple(row[:3]) for row in rows(DOCS / "checks.md")]
    assert written == [
        (f"[{check.label}](#{check.label.lower().replace(' ', '-')})", check.description,
         "warning" if check.is_warning else "error")
        for check in CHECKS
    ]  # fmt: skip
    text = (DOCS / "checks.md").read_text()
    assert [check.name for check in CHECKS if f"\n## {check.label}\n" not in text] == []


def test_lines_that_exclude_each_other_are_an_error_wherever_criteria_stand() -> None:
    never = titled("chef", "cook")
    said = "obody can match Job title is “chef” and Job title is “cook” at once"
    branch = Branch(name="Cooks", criteria=never)
    waiting = step("wait_for_action", "Wait", criteria=never.model_dump())
    assert found(
        "contradicting_lines",
        waiting,
        split(branch),
        triggers=(Trigger(kind="contact_created", criteria=never),),
        filter=never,
        success=(SuccessCriterion(kind="criteria", criteria=never),),
    ) == [
        ("Trigger: Contact created", f"N{said}", "criteria"),
        ("Filter", f"N{said}", "criteria"),
        ("Success criteria", f"N{said}", "criteria"),
        ("Wait", f"N{said}", "criteria"),
        ("Split", f"“Cooks”: n{said}", str(branch.id)),
    ]
    assert found("contradicting_lines", filter=CHEFS) == []
    chef, cook, baker = (titled(text).groups[0].lines[0] for text in ("chef", "cook", "baker"))
    either = Criteria(groups=(Group(lines=(cook,)), Group(lines=(baker,))))
    nested = Criteria(groups=(Group(lines=(chef, either)),))
    text = "Nobody can match Job title is “chef” and (Job title is “cook”, or Job title is “baker”) at once"
    assert found("contradicting_lines", filter=nested) == [("Filter", text, "criteria")]


def test_a_branch_that_one_left_of_it_takes_is_an_error_by_its_name() -> None:
    chefs, same = Branch(name="Chefs", criteria=CHEFS), Branch(name="Same", criteria=job("CHEF"))
    more = Criteria(groups=(Group(lines=(*CHEFS.groups[0].lines, *titled("cook").groups[0].lines)),))
    narrow, other = Branch(name="Narrow", criteria=more), Branch(name="Other", criteria=job("cook"))
    said = "nobody comes here, because “Chefs”, left of it, takes everyone it asks for"
    assert found("shadowed_branch", split(chefs, same, other, narrow)) == [
        ("Split", f"“Same”: {said}", str(same.id)),
        ("Split", f"“Narrow”: {said}", str(narrow.id)),
    ]
    assert found("shadowed_branch", split(narrow, chefs), split(Branch(name="A"), Branch(name="B"))) == []


@pytest.mark.parametrize(
    ("based_on", "left", "right"),
    [
        ("clicked", {"acts": [{"kind": "link", "id": 7}]}, {"acts": [{"kind": "link", "id": 7, "email": 3}]}),
        ("opened", {"acts": [{"kind": "open"}]}, {"acts": [{"kind": "open", "email": 3}]}),
        ("submitted", {"acts": [{"kind": "form", "id": 1}, {"kind": "form", "id": 2}]},
         {"acts": [{"kind": "form", "id": 2}]}),
        ("selection", {"selection": 4}, {"selection": 4}),
        ("form_data", {"field": "size", "operator": "set", "value": ""},
         {"field": "size", "operator": "is", "value": "9"}),
        ("form_data", {"lines": [{"field": "size", "operator": "set"}, {"field": "topic", "join": "or", "value": "A"}]},
         {"lines": [{"field": "topic", "value": "a"}, {"field": "size", "operator": "greater", "value": "9"}]}),
    ],
)  # fmt: skip
def test_every_basis_knows_what_takes_all_of_another(based_on: str, left: Any, right: Any) -> None:
    def node(*asked: Any) -> StepNode:
        branches = [Branch(name=str(n), settings=settings) for n, settings in enumerate(asked)]
        return split(*branches).model_copy(update={"settings": {"based_on": based_on}})

    assert len(found("shadowed_branch", node(left, right))) == 1
    swapped = found("shadowed_branch", node(right, left))
    assert len(swapped) == (1 if left == right else 0)
    assert found("shadowed_branch", node({}, {})) == []


def test_shares_and_unknown_bases_take_nothing_from_each_other() -> None:
    for based_on in ("random", "nonsense"):
        branches = [Branch(name=name, settings={"share": 10}) for name in "AB"]
        node = split(*branches).model_copy(update={"settings": {"based_on": based_on}})
        assert found("shadowed_branch", node) == []


def test_steps_say_which_licence_or_account_they_lack(acme: Any) -> None:
    steps = (step("send_sms", "Text"), step("notify_by_sms", "Tell"), step("create_sale", "Sale"))
    SmsConnector.objects.all().delete()
    Licence.objects.filter(code__in=["sms", "sales"]).delete()
    account = "No SMS account is connected: an administrator does that under Settings, SMS"
    assert found("missing_licence", *steps) == [
        ("Text", "This step needs the licence SMS connector", ""),
        ("Text", account, ""),
        ("Tell", "This step needs the licence SMS connector", ""),
        ("Tell", account, ""),
        ("Sale", f"This step needs the licence {Licence.Code.SALES.label}", ""),
    ]
    Licence.objects.create(code="sales", tenant=acme)
    assert found("missing_licence", steps[2], step("wait_for_time")) == []


def test_a_split_all_of_whose_branches_exit_is_a_warning() -> None:
    out = ExitSettings()
    node = split(Branch(name="A", exit=out), otherwise=Branch(name="Rest", exit=out))
    message = "Every branch ends in Exit flow, so nobody goes on after this split"
    assert found("nobody_goes_on", node, split(Branch(name="A", exit=out))) == [("Split", message, "")]


def test_a_wait_without_a_maximum_is_a_warning_at_its_tick() -> None:
    message = "Without a maximum wait people may stay here for ever"
    nodes = (step("wait_for_action", "Ever", limited=False), step("wait_for_action", "Week"))
    assert found("endless_wait", *nodes) == [("Ever", message, "limited")]


def test_a_closed_form_is_a_warning_wherever_the_flow_listens_to_it(closed: Form, alice: Person) -> None:
    settings = {"form": closed.pk}
    branch = Branch(name="Did", settings={"acts": [{"kind": "form", "id": closed.pk}]})
    nodes = (
        wait(kind="form", id=closed.pk),
        split(branch).model_copy(update={"settings": {"based_on": "submitted"}}),
        split(Branch(name="Answer"), title="Data").model_copy(
            update={"settings": {"based_on": "form_data", **settings}}
        ),
    )
    parts: dict[str, Any] = {
        "triggers": (Trigger(kind="form_submitted", settings=settings),),
        "success": (SuccessCriterion(kind="form_submitted", settings=settings),),
    }
    message = "“Sign-up” is closed: nobody can send it"
    assert found("closed_form", *nodes, **parts) == [
        ("Trigger: Form submitted", message, "form"),
        ("Success criteria", message, "form"),
        ("Wait", message, "acts"),
        ("Split", message, str(branch.id)),
        ("Data", message, "form"),
    ]
    open_form(form_id=closed.pk, actor=alice.user, now=NOW)
    assert found("closed_form", *nodes, **parts) == []


def test_a_link_or_open_that_nothing_earlier_sends_is_a_warning(
    mail: Email, world: World, offer: TrackedLink
) -> None:
    send, other = step("send_email", email=mail.pk), step("send_email", email=world.welcome.pk)
    asked: list[tuple[dict[str, Any], str]] = [
        ({"kind": "link", "id": offer.pk}, "No earlier message of the flow holds “Offer”"),
        ({"kind": "link", "id": offer.pk, "email": mail.pk}, "“News” is not sent before this step"),
        ({"kind": "url", "url": "https://b.test/x", "email": mail.pk}, "“News” is not sent before this step"),
        ({"kind": "open", "email": mail.pk}, "“News” is not sent before this step"),
        ({"kind": "open"}, "No email is sent before this step"),
        ({"kind": "email_link"}, "No email is sent before this step"),
    ]
    for action, message in asked:
        assert found("link_not_sent", wait(**action), send) == [("Wait", message, "acts")]
        assert found("link_not_sent", send, wait(**action)) == []
    welcome: dict[str, Any] = {"email": world.welcome.pk}
    assert found("link_not_sent", other, wait(kind="link", id=offer.pk, **welcome)) == [
        ("Wait", "“Welcome” does not hold “Offer”", "acts")
    ]
    assert found("link_not_sent", other, wait(kind="url", url="https://b.test/x", **welcome)) == [
        ("Wait", "“Welcome” does not hold https://b.test/x", "acts")
    ]
    text = step("send_sms", text=f"See {{{{ links.{offer.key} }}}}")
    assert found("link_not_sent", text, wait(kind="link", id=offer.pk)) == []


def test_what_counts_as_earlier_follows_the_branches_that_join(mail: Email) -> None:
    send, asks = step("send_email", email=mail.pk), wait(kind="open", email=mail.pk)
    joins = Branch(name="Joins", steps=(send,))
    assert found("link_not_sent", split(joins), asks) == []
    exits = joins.model_copy(update={"exit": ExitSettings()})
    assert len(found("link_not_sent", split(exits), asks)) == 1
    other = Branch(name="Other", steps=(asks,))
    assert len(found("link_not_sent", split(joins, other))) == 1
    branch = Branch(name="Opened", settings={"acts": [{"kind": "open", "email": mail.pk}]})
    asking = split(branch).model_copy(update={"settings": {"based_on": "opened"}})
    assert found("link_not_sent", asking) == [
        ("Split", "“Opened”: “News” is not sent before this step", str(branch.id))
    ]


def test_an_email_of_two_steps_is_a_warning_at_the_second(mail: Email) -> None:
    steps = [step("send_email", title, email=mail.pk) for title in ("First", "Second")]
    assert found("content_twice", *steps) == [("Second", "“News” is sent by “First” as well", "email")]
    assert found("content_twice", steps[0], step("send_email"), step("send_email")) == []


def test_an_email_that_other_flows_send_is_a_warning_that_names_them(mail: Email, alice: Person) -> None:
    document = FlowDocument(
        steps=tuple(step("send_email", title, email=mail.pk) for title in ("First", "Second"))
    )
    mine = create_flow(name="Mine", owner=alice.user, now=NOW, document=document)

    def said() -> list[tuple[str, str]]:
        ctx = check_context(document, flow_id=mine.pk)
        return [(one.title, one.message) for one in CHECKS["content_twice"].find(document, ctx)]

    own = ("Second", "“News” is sent by “First” as well")
    assert said() == [own]
    once = FlowDocument(steps=document.steps[:1])
    others = [
        create_flow(name=name, owner=alice.user, now=NOW, document=once) for name in ("Spring", "Autumn")
    ]
    assert said() == [("First", "“News” is sent by the flows “Autumn” and “Spring” as well"), own]
    Flow.objects.filter(pk=others[0].pk).update(deleted_at=NOW)
    assert said() == [("First", "“News” is sent by the flow “Autumn” as well"), own]
    for name in ("Fair 💚", "Winter"):
        create_flow(name=name, owner=alice.user, now=NOW, document=once)
    assert said()[0][1] == "“News” is sent by 3 other flows, “Autumn” among them, as well"


def test_view_flow_lists_what_the_designer_lists_and_leads_to_the_same_place(
    mail: Email, alice: Person, world: World
) -> None:
    branch = Branch(name="Cooks", criteria=titled("chef", "cook"))
    document = FlowDocument(
        settings=world.settings(),
        steps=(step("wait_for_time", "Wait"), split(branch), step("send_email", "Mail", email=mail.pk)),
    )
    mine = create_flow(name="Mine", owner=alice.user, now=NOW, document=document)
    create_flow(name="Spring", owner=alice.user, now=NOW, document=document)
    page = alice.client().get(alice.url(f"flows/{mine.pk}/")).content.decode()
    panel = alice.client().get(alice.url(f"flows/{mine.pk}/edit/panel/?part=problems")).content.decode()
    wait = document.steps[0]
    for text in (page, panel):
        assert "“News” is sent by the flow “Spring” as well" in text
        assert "nobody can match Job title is “chef” and Job title is “cook” at once" in text
    edit = alice.url(f"flows/{mine.pk}/edit/")
    ways = [html.unescape(way) for way in re.findall(rf'href="{re.escape(edit)}(\?part=[^"]*)"', page)]
    opened = re.findall(r'data-open="([^"]*:[^"]*|filter)"(?: data-field="([^"]*)")?', panel)
    assert ways == [
        f"?{urlencode({'part': part, **({'field': field} if field else {})})}" for part, field in opened
    ]
    assert f"?part=step%3A{wait.id}&field=amount" in ways
    assert f"?part=branch%3A{branch.id}" in ways


def test_addresses_that_are_still_examples_are_told_where_they_stand(mail: Email, offer: TrackedLink) -> None:
    assert found("example_address", step("send_email", email=mail.pk), step("send_email")) == []
    draft = LinkDraft(name="Offer", url="https://www.example.com/offer")
    change_link(link_id=offer.pk, draft=draft, actor=None, now=NOW)
    languages = [{"language": "nb", "text": "Se http://example.org"}]
    steps = (
        step("send_email", "Mail", email=mail.pk),
        step("send_sms", "Text", text="See https://acme.test", languages=languages),
        step("send_sms", "Fine", text="See https://example.community/"),
        step("webhook", "Call", url="https://example.com/hook"),
    )
    assert found("example_address", *steps) == [
        ("Mail", "A link in “News” still leads to example.com", "email"),
        ("Text", "A link in the text still leads to example.com", "text"),
        ("Call", "The address is still an example", "url"),
    ]


def test_a_branch_at_fault_opens_its_own_panel_and_a_field_its_parts(world: World) -> None:
    branch = Branch(name="Cooks", criteria=titled("chef", "cook"))
    document = FlowDocument(steps=(split(branch), step("wait_for_time", "Wait")))
    at = [opens(problem) for problem in problems(document, now=NOW) if problem.part.startswith("step:")]
    assert at == [(f"step:{document.steps[1].id}", "amount"), (f"branch:{branch.id}", "")]


def test_checking_asks_no_more_of_a_long_flow_than_of_a_short_one(mail: Email, offer: TrackedLink) -> None:
    def queries(times: int) -> int:
        steps: list[StepNode] = []
        for n in range(times):
            steps += [
                step("send_email", f"Mail {n}", email=mail.pk),
                wait(kind="link", id=offer.pk, email=mail.pk),
                split(Branch(name="A", criteria=titled("a", f"b{n}")), Branch(name="B", criteria=CHEFS)),
                step("send_sms", text=f"{{{{ links.{offer.key} }}}}"),
            ]
        document = FlowDocument(steps=tuple(steps))
        ctx = check_context(document)
        with CaptureQueriesContext(connection) as asked:
            for check in CHECKS:
                list(check.find(document, ctx))
        return len(asked)

    # The words of an email's version are read once a process.
    queries(1)
    assert queries(12) == queries(1)
