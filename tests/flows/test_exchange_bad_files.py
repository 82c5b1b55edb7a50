"""Flow files that are not right, or mean harm: each says where, and makes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.models import Tenant
from core.tenancy import tenant_scope
from flows.exchange.reading import BadFile, read_file
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.exchange_files import exported, make_rich, spoiled


@pytest.fixture
def rich(acme: Tenant, alice: Person, world: World) -> Flow:
    return make_rich(acme, alice, world)


@pytest.fixture
def good(rich: Flow, alice: Person) -> dict[str, Any]:
    """The rich flow's file, to spoil."""
    with tenant_scope(alice.tenant.pk):
        found: dict[str, Any] = json.loads(exported(rich, alice))
    return found


@pytest.mark.parametrize(
    ("path", "value", "place", "message"),
    [
        ("format", "x", "", "This is no flow file"),
        ("version", 7, "", "The file is of version 7"),
        ("name", "", "name", "at least 1 character"),
        ("name", "a\nb", "name", "one line"),
        ("name", "a\x00b", "name", "a character that is none"),
        ("name", 7, "name", "valid string"),
        ("evil", 1, "evil", "not permitted"),
        ("document.steps.0.kind", "format_disk", "step “Say hello”", "There is no kind of step “format_disk”."),
        ("document.steps.0.settings.email", 812, "step “Say hello”", "Names email 812, of which"),
        ("document.steps.0.settings.email", "1 OR 1=1", "step “Say hello”", "email: "),
        ("document.steps.0.settings", {"hack": 1}, "step “Say hello”", "hack: "),
        ("document.steps.0.title", "x" * 201, "step “xxx", "200 characters at most"),
        ("document.steps.0", "boo", "document, steps 1", ""),
        ("document.steps.3.settings.selection", 10**30, "document, steps 4, settings, selection", "beyond all"),
        ("document.steps.2.branches", [], "document", "one branch and everyone else"),
        ("document.steps.2.branches.0.settings", {"selection": {"a": 1}}, "step “Who”", "branch “Large”"),
        ("document.steps.2.settings.based_on", "stars", "step “Who”", "not based on “stars”"),
        ("document.steps.2.branches.0.criteria.groups.0.lines.0.values", ["99"], "step “Who”, b", "list value 99"),
        ("document.triggers.0.settings.form", 99, "Trigger", "Names form 99"),
        ("document.filter.groups.0.lines.0.values", [77], "Filter", "Names selection 77"),
        ("document.settings.exclusions", [55], "Settings", "Names selection 55"),
        ("document.settings.timezone", "../../etc/passwd", "settings, timezone", "There is no timezone"),
        ("document.settings.messages.sender.email", "a@b.test\nBcc: c@d", "settings, messages, sender", "no e-mail"),
        ("document.settings.starts_at", "2026-11-02T09:00:00", "settings, starts_at", "Needs an offset"),
        ("uses.0.kind", "password", "uses “", "A flow uses no “password”."),
        ("uses.0.id", 0, "uses 1", "greater than or equal to 1"),
        ("uses.0.data", {"secret": 1}, "uses “", "secret: "),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_says_where(
    good: dict[str, Any], alice: Person, path: str, value: Any, place: str, message: str
) -> None:
    with tenant_scope(alice.tenant.pk), pytest.raises(BadFile) as bad:
        read_file(spoiled(good, path, value))
    found = [one for one in bad.value.problems if one.place.startswith(place) and message in one.message]
    assert found, bad.value.problems


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "not written in UTF-8"),
        (b'{"format": ', "line 1, column 12"),
        (b"[" * 100_000, "nested more than 100 deep"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "nested more than 100 deep"),
        (b" " * (3 * 1024 * 1024 + 1), "larger than 3 MB"),
        (b'{"format": "millrace-flow", "version": NaN}', "a number that cannot be read"),
        (b'{"format": "millrace-flow", "version": 1, "x": ' + b"9" * 5_000 + b"}", "a number that cannot be read"),
        (b"[]", "This is no flow file"),
        (b"null", "This is no flow file"),
    ],
)  # fmt: skip
def test_what_is_no_flow_file_says_so(data: bytes, message: str) -> None:
    with pytest.raises(BadFile) as bad:
        read_file(data)
    assert message in bad.value.problems[0].message
