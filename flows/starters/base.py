"""What a flow template is, and short words for writing one: a document with its emails, selections, forms.

Ids are the file's own numbers (docs/flow-file.md). Emails are plain on purpose: neutral colours, the company's name
from merge tags, one thing to press.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, FlowDocument, FlowSettings, MessageSettings, Note, StepNode, Timeframe
from flows.exchange.export import as_bytes
from flows.exchange.reading import read_file
from flows.exchange.schema import FlowFile, Used
from flows.thumbnail import Picture, picture_of

ADDRESS = "https://example.com/"
_FRAME = Path(__file__).parent / "letter.mjml"


@dataclass(frozen=True)
class FlowTemplate:
    """A template as *New flow* offers it: what it is for, what it makes, what is left to choose."""

    name: str
    label: str
    description: str
    makes: str
    chooses: tuple[str, ...]
    plain: FlowFile

    @cached_property
    def file(self) -> FlowFile:
        """The file, through the same reading as one that is handed in."""
        return read_file(as_bytes(self.plain))

    @cached_property
    def picture(self) -> Picture:
        """Its picture, the whole of it."""
        return picture_of(self.file.document.model_dump(mode="json"), whole=True)

    @property
    def emails(self) -> list[Used]:
        """The emails that come with it."""
        return [used for used in self.file.uses if used.kind == "email"]

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return sum(1 for _ in self.file.document.walk())


def settings(**more: Any) -> FlowSettings:
    """Return settings with messages of the file's first subscription type, on workdays between eight and five."""
    messages = MessageSettings(subscription_type=1, timeframe=Timeframe())
    return FlowSettings(messages=messages, **more)


def when(field: str, operator: str, *values: Any) -> Criteria:
    """Return criteria of one line."""
    return Criteria(groups=(Group(lines=(Line(field=field, operator=operator, values=values),)),))


def step(kind: str, title: str, **values: Any) -> StepNode:
    """Return a step."""
    return StepNode(kind=kind, title=title, settings=values)


def send(number: int, title: str) -> StepNode:
    """Return a step that sends one of the file's emails."""
    return step("send_email", title, email=number)


def wait(amount: int, unit: str = "days") -> StepNode:
    """Return a wait: `Wait 3 days`."""
    word = unit.removesuffix("s") if amount == 1 else unit
    return step("wait_for_time", f"Wait {amount} {word}", amount=amount, unit=unit)


def until(title: str) -> StepNode:
    """Return a wait until a moment that only the user can choose."""
    return step("wait_for_time", title, mode="moment")


def wait_for_click(number: int, title: str, amount: int, unit: str = "days") -> StepNode:
    """Return a wait for a click on any link of an email, at most so long."""
    return step(
        "wait_for_action", title, actions=[{"kind": "email_link", "email": number}], since="entering",
        amount=amount, unit=unit,
    )  # fmt: skip


def clicked(number: int, title: str, *, yes: tuple[StepNode, ...], no: tuple[StepNode, ...] = ()) -> StepNode:
    """Return a split on a click in an email."""
    acts = {"acts": [{"kind": "email_link", "email": number}]}
    return StepNode(
        kind="split", title=title, settings={"based_on": "clicked"},
        branches=(Branch(name="Clicked", settings=acts, steps=yes), Branch(name="Everyone else", steps=no)),
    )  # fmt: skip


def task(title: str, subject: str, agenda: str, *, days: int = 1, what: str = "task") -> StepNode:
    """Return a follow-up for our contact, some workdays later."""
    return step(
        "create_follow_up", title, what=what, subject=subject, agenda=agenda, when="after", amount=days, unit="workdays"
    )  # fmt: skip


def subscription(name: str) -> Used:
    """Return the subscription type of the flow's messages."""
    return Used(kind="subscription_type", id=1, name=name)


def category(number: int, name: str) -> Used:
    """Return a value of the list of categories."""
    return Used(kind="list_item", id=number, name=name, data={"list": "category"})


def email(
    number: int, name: str, *, subject: str, preheader: str, heading: str, text: tuple[str, ...],
    button: str = "", address: str = ADDRESS,
) -> Used:  # fmt: skip
    """Return an email: a heading, paragraphs (HTML and merge tags), perhaps a button."""
    mjml = _letter(heading, text, button, address)
    return Used(
        kind="email", id=number, name=name, data={"subject": subject, "preheader": preheader, "mjml": mjml}
    )


def form(number: int, name: str, *, heading: str, introduction: str, button: str, thanks: str) -> Used:
    """Return a form that asks for name and address, and for consent to e-marketing."""
    fields = [
        {"key": "email", "kind": "crm", "target": "contact.email", "label": "E-mail address", "required": True},
        {"key": "first_name", "kind": "crm", "target": "contact.first_name", "label": "First name"},
        {"key": "last_name", "kind": "crm", "target": "contact.last_name", "label": "Last name"},
        {"key": "news", "kind": "consent", "purpose": 1, "label": "You may write to me by e-mail.", "required": True},
    ]  # fmt: skip
    document = {
        "fields": fields, "heading": heading, "introduction": introduction, "button": button, "thanks_text": thanks
    }  # fmt: skip
    return Used(kind="form", id=number, name=name, data={"document": document})


CONSENT = Used(kind="consent_purpose", id=1, name="E-marketing")


def hint(text: str, at: StepNode | None = None) -> Note:
    """Return a sticky note for whoever finishes the flow."""
    return Note(text=text, step=at.id if at else None)


def document(**parts: Any) -> FlowDocument:
    """Return the document."""
    return FlowDocument(**parts)


def _letter(heading: str, text: tuple[str, ...], button: str, address: str) -> str:
    paragraphs = "\n".join(f"        <mj-text>{paragraph}</mj-text>" for paragraph in text)
    press = (
        f'\n        <mj-button href="{address}" background-color="#26313d" color="#ffffff" font-size="16px" '
        f'font-weight="600" border-radius="6px" inner-padding="14px 28px" align="left" padding="8px 40px 20px">'
        f"{button}</mj-button>"
        if button
        else ""
    )
    return _FRAME.read_text().replace("@heading@", heading).replace("@text@", paragraphs + press)
