"""Pictures of forms in flow files: they come along, are drawn anew, and never point home."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Tenant
from content.forms.document import FormDocument
from content.models import Form, Image, ImageData
from core.tenancy import tenant_scope
from flows.exchange import bytes_told
from flows.exchange.matching import MAKE, OPEN, matched
from flows.exchange.reading import BadFile, read_file
from flows.models import Flow
from flows.operations.bring_in import CannotBringIn, bring_in
from tests.content.test_images import drawn, keep
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.exchange_files import exported, make_rich

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(acme: Tenant, alice: Person, world: World) -> Flow:
    """A flow whose form shows a picture."""
    rich = make_rich(acme, alice, world)
    image = keep(alice, drawn((40, 30)), "mill.png")
    with tenant_scope(acme.pk):
        Image.objects.filter(pk=image.pk).update(alt="A mill")
        for form in Form.objects.filter(deleted_at=None):
            document = FormDocument.model_validate(form.document).model_dump(mode="json")
            document["fields"].append(
                {"key": "picture", "kind": "image", "label": "A mill", "image": image.pk}
            )
            Form.objects.filter(pk=form.pk).update(document=document)
    return rich


def told(data: bytes) -> dict[str, Any]:
    (one,) = [one for one in json.loads(data)["uses"] if one["kind"] == "image"]
    return dict(one)


def pictures_of(tenant: Tenant) -> list[int | None]:
    with tenant_scope(tenant.pk):
        form = Form.objects.filter(deleted_at=None).order_by("-pk").first()
        assert form is not None
        return [one.image for one in FormDocument.model_validate(form.document).fields if one.kind == "image"]


def test_a_picture_comes_along_into_another_tenant(shown: Flow, alice: Person, charlie: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        data = exported(shown, alice)
        here = matched(read_file(data), member=alice.member)
        assert here.decisions["image", 1] == Image.objects.get().pk
    assert (told(data)["name"], told(data)["id"], told(data)["data"]["alt"]) == ("mill", 1, "A mill")
    with tenant_scope(charlie.tenant.pk):
        file = read_file(data)
        found = matched(file, member=charlie.member)
        decisions = {**found.decisions, ("image", 1): MAKE, ("form", 1): MAKE}
        bring_in(file=file, decisions=decisions, name="Here", member=charlie.member, now=NOW)
        image = Image.objects.get()
        assert (image.name, image.alt, image.width, image.height) == ("mill", "A mill", 40, 30)
        assert ImageData.objects.filter(image=image).count() == 1
    assert pictures_of(charlie.tenant) == [image.pk]


def test_what_has_no_room_is_told_by_name_and_left_open(
    shown: Flow, alice: Person, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytes_told, "MOST_PICTURES", 10)
    with tenant_scope(alice.tenant.pk):
        data = exported(shown, alice)
    assert told(data)["data"]["data"] == []
    with tenant_scope(charlie.tenant.pk):
        file = read_file(data)
        found = matched(file, member=charlie.member)
        assert found.decisions.get(("image", 1), OPEN) == OPEN
        decisions = {**found.decisions, ("form", 1): MAKE, ("image", 1): OPEN}
        bring_in(file=file, decisions=decisions, name="Here", member=charlie.member, now=NOW)
        assert not Image.objects.exists()
    assert pictures_of(charlie.tenant) == [None]


@pytest.mark.parametrize("bytes_", ["PGh0bWw-", "not base64!", "ø"])
def test_bytes_that_are_no_picture_make_nothing(
    shown: Flow, alice: Person, charlie: Person, bytes_: str
) -> None:
    with tenant_scope(alice.tenant.pk):
        plain = json.loads(exported(shown, alice))
    (one,) = [one for one in plain["uses"] if one["kind"] == "image"]
    one["data"]["data"] = [bytes_]
    with tenant_scope(charlie.tenant.pk):
        file = read_file(json.dumps(plain).encode())
        with pytest.raises(CannotBringIn, match="Image “mill”"):
            bring_in(
                file=file, decisions={("image", 1): MAKE}, name="Here", member=charlie.member, now=NOW
            )  # fmt: skip


def test_a_form_that_names_a_picture_of_which_nothing_is_told_is_refused(shown: Flow, alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        plain = json.loads(exported(shown, alice))
        plain["uses"] = [one for one in plain["uses"] if one["kind"] != "image"]
        with pytest.raises(BadFile, match="Names image 1, of which the file does not tell"):
            read_file(json.dumps(plain).encode())
