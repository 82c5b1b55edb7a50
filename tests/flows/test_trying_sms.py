"""Preview and test of an SMS step: the text as it stands in the panel, for one contact; nothing of the flow changes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.models import Licence
from content.models import SmsVersion
from core.tenancy import tenant_scope
from crm.models import Contact
from delivery.models import Message
from delivery.operations.connectors import connect_sms
from delivery.operations.sending import send_batch
from flows.document import StepNode
from flows.models import Flow
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, Twilio
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.test_designer import with_steps
from tests.flows.test_steps import contact

pytestmark = pytest.mark.django_db(transaction=True)


class Panel:
    """The panel of an SMS step, and what is posted from it."""

    def __init__(self, alice: Person) -> None:
        self.alice = alice
        self.node = step("send_sms", "Last call", text="Saved text", sender="Acme")
        self.flow: Flow = with_steps(alice, self.node, step("wait_for_time", "Wait"))

    def post(
        self, what: str = "", *, person: Person | None = None, node: StepNode | None = None, **fields: Any
    ) -> Any:
        """Post from the panel or its dialog."""
        who = person or self.alice
        path = f"flows/{self.flow.pk}/edit/sms/{(node or self.node).id}/{what}"
        return who.client().post(who.url(path), fields)

    def messages(self) -> list[Message]:
        """What was queued."""
        with tenant_scope(self.alice.tenant.pk):
            return list(Message.objects.order_by("id"))


@pytest.fixture
def panel(alice: Person, world: World) -> Panel:
    """A step with a saved text, and an account to send from."""
    with tenant_scope(alice.tenant.pk):
        connect_sms(account_sid=SID, auth_token=TOKEN, senders=["Acme"], actor=alice.user, now=NOW)
    return Panel(alice)


def someone(panel: Panel, **fields: Any) -> Contact:
    with tenant_scope(panel.alice.tenant.pk):
        return contact("Åse", **fields)


def test_the_preview_is_the_text_of_the_panel_as_the_contact_would_get_it(panel: Panel) -> None:
    ase = someone(panel, language="de", mobile="+4791234567")
    text = "Hei {{ contact.first_name|default('du') }} 🎉"
    assert "Hei du 🎉" in panel.post("preview/", text=text).text
    german: dict[str, Any] = {"language-0": "de", "language-0-text": "Hallo {{ contact.first_name }}"}
    shown = panel.post("preview/", text=text, sender="Acme", contact=ase.pk, **german).text
    assert "Hallo Åse" in shown
    assert "From Acme, to Åse" in shown
    # Å is a character of GSM-7.
    assert "9 characters, 1 segment (GSM-7)" in shown
    assert "2 segments" in panel.post("preview/", text="x" * 161).text
    assert "Hei &lt;b&gt;" in panel.post("preview/", text="Hei <b>").text
    problem = panel.post("preview/", text="Hei {{ contact.nmae }}").text
    assert "nmae" in problem
    assert "characters" not in problem
    # A locked panel sends no fields: what the step has is shown.
    assert "Saved text" in panel.post("preview/").text
    assert panel.messages() == []


def test_links_of_a_preview_are_as_long_as_real_ones(panel: Panel) -> None:
    shown = panel.post("preview/", text="See https://acme.test/offer").text
    assert "acme.test/offer" not in shown
    assert re.search(r":8000/x{17,19}1<", shown)


def test_a_test_goes_out_as_it_stands_and_the_steps_own_text_stays(panel: Panel, twilio: Twilio) -> None:
    ase = someone(panel, mobile="+4791234567")
    answer = panel.post(
        "test/",
        text="Hi {{ contact.first_name }}",
        sender="",
        contact=ase.pk,
        numbers="90 00 01 15; +4790000116",
    )
    assert "On its way" in answer.text
    assert "The test is on its way." in answer["HX-Trigger"]
    done = send_batch(tenant_id=panel.alice.tenant.pk)
    assert done.handed == 2, [(one.status, one.error, one.reason) for one in panel.messages()]
    sent = [(sms.to, sms.sender, sms.text) for sms in twilio.sent]
    assert sent == [("+4790000115", "Acme", "Hi Åse"), ("+4790000116", "Acme", "Hi Åse")]
    with tenant_scope(panel.alice.tenant.pk):
        assert not SmsVersion.objects.filter(step_id=panel.node.id).exists()
        assert {message.is_test for message in Message.objects.all()} == {True}
    client = panel.alice.client()
    lines = client.get(panel.alice.url(f"flows/{panel.flow.pk}/edit/sms/{panel.node.id}/tests/"))
    assert "+4790000115" in lines.text
    assert "+4791234567" not in lines.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"numbers": ""}, "Write at least one number."),
        ({"numbers": "12"}, "“12” is no phone number"),
        ({"numbers": ",".join(f"+479000000{n}" for n in range(6))}, "At most 5 numbers."),
        ({"numbers": "+4790000115", "text": "Hi {{ contact.nmae }}"}, "nmae"),
        ({"numbers": "+4790000115", "text": " "}, "Write a text."),
    ],
)
def test_what_cannot_be_tested_is_answered_at_its_place(
    panel: Panel, fields: dict[str, Any], said: str
) -> None:
    answer = panel.post("test/", **{"text": "Hi", **fields})
    assert answer.status_code == 422
    assert said in answer.text
    assert panel.messages() == []


def test_without_an_account_or_a_licence_no_test_goes(alice: Person, world: World) -> None:
    panel = Panel(alice)
    assert "No SMS account is connected" in panel.post(text="Hi").text
    assert panel.post("test/", text="Hi", numbers="+4790000115").status_code == 422
    with tenant_scope(alice.tenant.pk):
        Licence.objects.filter(code=Licence.Code.SMS).delete()
    assert "no licence for SMS" in panel.post(text="Hi").text
    assert panel.messages() == []


def test_nobody_else_may_try_and_no_other_step_can_be_tried(
    panel: Panel, charlie: Person, wendy: Person, rory: Person
) -> None:
    for person in (charlie, wendy, rory):
        for what in ("", "preview/", "test/"):
            answer = panel.post(what, person=person, text="Hi", numbers="+4790000115")
            assert answer.status_code == 404, (person.user.first_name, what)
    with tenant_scope(panel.alice.tenant.pk):
        wait = next(node for node in panel.flow.draft["steps"] if node["kind"] == "wait_for_time")
    other = StepNode.model_validate(wait)
    assert panel.post("test/", node=other, text="Hi", numbers="+4790000115").status_code == 404
    assert panel.messages() == []
    # A contact that one may not read is nobody in particular.
    with tenant_scope(charlie.tenant.pk):
        strange = contact("Strange")
    assert "Hei ." in panel.post("preview/", text="Hei {{ contact.first_name }}.", contact=strange.pk).text
