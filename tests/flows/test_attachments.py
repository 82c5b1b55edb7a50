"""A flow's copy carries the files of its emails; a file that names them is bounded."""

from __future__ import annotations

import io
import json

import pytest

from accounts.models import Tenant
from content.models import Email
from content.operations.attachments import keep_file
from content.operations.emails import Draft, save_email
from content.operations.variants import add_variant
from content.queries_attachment import attached_to
from core.tenancy import tenant_scope
from flows.exchange.reading import BadFile, read_file
from flows.models import Flow
from flows.operations.create import copy_flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.exchange_files import exported, make_rich

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n"


@pytest.fixture
def carrying(acme: Tenant, alice: Person, world: World) -> Flow:
    """A flow whose first email carries a price list, in Norwegian another one."""
    rich = make_rich(acme, alice, world)
    with tenant_scope(acme.pk):
        email = Email.objects.get(pk=draft_of(rich).steps[0].settings["email"])
        for language, name in (("", "Price list.pdf"), ("nb", "Prisliste 🚀.pdf")):
            email.refresh_from_db()
            if language:
                add_variant(email_id=email.pk, language="nb", revision=email.revision, actor=None, now=NOW)
            data = PDF + name.encode()
            file = keep_file(file=io.BytesIO(data), name=name, size=len(data), beside=(), now=NOW)
            email.refresh_from_db()
            draft = Draft(email.name, email.subject, email.mjml, attachments=(file,))
            saved = save_email(
                email_id=email.pk, draft=draft, revision=email.revision, actor=None, now=NOW, language=language
            )  # fmt: skip
            assert saved.is_saved, saved.problems
    return rich


def names(flow: Flow) -> list[list[str]]:
    email = Email.objects.get(pk=draft_of(flow).steps[0].settings["email"])
    versions = [email.current_id, email.variants.get(language="nb").current_id]
    return [[file.name for file in attached_to(version)] for version in versions]


def test_a_copy_of_a_flow_carries_the_files_of_its_emails(carrying: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        copy = copy_flow(flow=carrying, actor=alice.user, now=NOW)
        assert names(copy) == [["Price list.pdf"], ["Prisliste 🚀.pdf"]]


def test_a_file_that_names_too_many_or_too_long_is_refused(carrying: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        plain = json.loads(exported(carrying, alice))
        (email,) = [one for one in plain["uses"] if one["kind"] == "email" and one["name"] == "Welcome"]
        for files in (["x"] * 21, ["x" * 201]):
            email["data"]["files"] = files
            with pytest.raises(BadFile):
                read_file(json.dumps(plain).encode())
