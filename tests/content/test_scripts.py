"""Scripts: hostile ones end, the next contact is not harmed, and only what was given can be read."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

import pytest

from accounts.models import AuditEntry, Tenant
from content.models import Script, ScriptVersion
from content.operations.scripts import ScriptChanged, ScriptRefused, delete_script, save_script
from content.scripts.runner import KILLED, Item, Ran, run_script, syntax_problem
from core.tenancy import tenant_scope
from crm.models import Usage
from crm.operations.usage import InUse
from tests.fixtures.people import LAST_MONDAY, Person


def run(source: str, *given: dict[str, Any], **shared: Any) -> list[Ran]:
    """Run for each of the values, and return what became of each in order."""
    items = [Item(number, values) for number, values in enumerate(given or ({},))]
    done = run_script(source, items, shared=shared, seconds=30)
    return [done[item.id] for item in items]


def test_a_script_computes_with_the_given_values_and_notes_what_it_prints() -> None:
    source = """
def doubled(x):
    return x * 2

for name in contact["interests"]:
    print("likes", name, 1, None)
result = {"score": doubled(contact["custom"]["score"]), "flow": flow["name"], "day": today}
updates = {"contact.job_title": "Chef " + contact["first_name"], "contact.custom.vip": True}
"""
    contact = {"first_name": "Åse 🎉", "interests": ["Tea"], "custom": {"score": 2.5}}
    [ran] = run(source, {"contact": contact}, flow={"name": "F"}, today="2026-11-24")
    assert ran.result == {"score": 5.0, "flow": "F", "day": "2026-11-24"}
    assert ran.updates == {"contact.job_title": "Chef Åse 🎉", "contact.custom.vip": True}
    assert (ran.log, ran.error) == (("likes Tea 1 None",), "")


def test_one_run_knows_nothing_of_another() -> None:
    source = "contact['seen'] = True\nresult = len(contact)\nshared.append(1)\nprint(len(shared))"
    found = run(source, {"contact": {}}, {"contact": {}}, shared=[])
    assert [(ran.result, ran.log) for ran in found] == [(1, ("1",)), (1, ("1",))]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("for i in range(1000000000): pass", "takes too long"),
        ("def f(n):\n  for i in range(1000000000): pass\nf(1)", "takes too long"),
        ("def f(n): return f(n + 1)\nf(0)", "call stack"),
        ("x = 'a' * 1000000000", KILLED),
        ("x = list(range(1000000000))", KILLED),
        ("x = 'a'\nfor i in range(60): x = x + x", KILLED),
        ("result = 'x' * 100000", "result is larger"),
        ("result = lambda x: x", "not supported"),
        ("x = {}\nx['a'] = x\nresult = x", "Cycle"),
        ("updates = 5", "updates is a dict"),
        ("updates = {'a': [1]}", "updates has texts"),
        ("updates = {1: 'a'}", "updates has texts"),
        ("updates = {'f%d' % i: 1 for i in range(21)}", "at most 20 fields"),
        ("updates = {'a': 'x' * 5000}", "4,000 characters"),
        ("x = 1\nx.y", "Line 2: Object of type"),
        ("fail('no luck')", "Line 1: fail: no luck"),
        ("result = 1 / 0", "division by zero"),
        ("open('/etc/passwd')", "not found"),
        ("load('os', 'environ')", "`load` is not allowed"),
        ("__import__('os')", "not found"),
        ("print.__self__", "__self__"),
        ("result = getattr(print, '__globals__')", "not supported"),
    ],
)
def test_a_hostile_or_broken_script_ends_with_its_reason(source: str, words: str) -> None:
    started = time.monotonic()
    [ran] = run(source)
    assert words in ran.error
    assert (ran.result, ran.updates) == (None, {})
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    "hostile",
    [
        "x = [i for i in range(1000000000)]",
        "many('a')",
        "list(range(len(many([0]))))",
        "fail('no')",
    ],
)
def test_the_next_contact_is_not_harmed(hostile: str) -> None:
    # Behind a function: what the compiler can compute it computes, also where it is never reached.
    many = "def many(x):\n    for i in range(40): x = x + x\n    return x"
    source = f"{many}\nif n == 1:\n    {hostile}\nprint('fine')\nresult = n"
    found = run(source, *({"n": number} for number in range(4)))
    assert [ran.result for ran in found] == [0, None, 2, 3]
    assert found[1].error
    assert [ran.log for ran in found] == [("fine",), (), ("fine",), ("fine",)]


def test_much_output_is_cut() -> None:
    [ran] = run("for i in range(1000): print('y' * 10000)")
    assert len(ran.log) == 20
    assert {len(line) for line in ran.log} == {200}


def test_whose_turn_does_not_come_is_left_for_the_next_call_and_nobody_is_lost() -> None:
    items = [Item(number, {}) for number in range(100)]
    done = run_script("for i in range(1000000000): pass", items, shared={}, seconds=1.5)
    assert 1 <= len(done) < 100
    assert {ran.error for ran in done.values()} == {"The script takes too long."}
    assert sorted(done) == list(range(len(done)))


def test_two_thousand_runs_are_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    real = subprocess.Popen

    def popen(*args: Any, **more: Any) -> Any:
        begun.append(more)
        return real(*args, **more)

    monkeypatch.setattr(subprocess, "Popen", popen)
    found = run("result = n * 2", *({"n": number} for number in range(2000)))
    assert [ran.result for ran in found] == [number * 2 for number in range(2000)]
    assert len(begun) == 1
    assert begun[0]["env"] == {}, "no secret of ours is in the child's environment"
    assert os.environ


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = = 1", "Line 1: Parse error"),
        ("x = 1\ndef f(:\n  pass", "Line 2: Parse error"),
        ("while True: pass", "reserved keyword"),
        ("load('a', 'b')", "`load` is not allowed"),
        ("import os", "Parse error"),
        ("(" * 20_000, "Parse error"),
        ("x = " + "[" * 9_000 + "]" * 9_000, ""),
    ],
)
def test_syntax_is_checked_at_its_line_and_also_a_monster_harms_nobody(source: str, words: str) -> None:
    problem = syntax_problem(source)
    assert words in problem
    assert len(problem) < 400


# --- keeping ------------------------------------------------------------------------------------------------------


def keep(actor: Person, *, script: Script | None = None, **changes: Any) -> Script:
    values = {"name": "Score", "description": "", "source": "result = 1", "revision": 0, **changes}
    return save_script(script_id=script.pk if script else None, actor=actor.user, now=LAST_MONDAY, **values)


def test_each_save_is_a_version_and_a_broken_one_changes_nothing(acme_scope: Tenant, alice: Person) -> None:
    script = keep(alice)
    keep(alice, script=script, source="result = 2", revision=1)
    with pytest.raises(ScriptRefused, match="Line 1"):
        keep(alice, script=script, source="= 3", revision=2)
    with pytest.raises(ScriptChanged):
        keep(alice, script=script, source="result = 4", revision=1)
    versions = ScriptVersion.objects.order_by("number").values_list("number", "source")
    assert list(versions) == [(1, "result = 1"), (2, "result = 2")]
    script.refresh_from_db()
    assert script.current is not None
    assert script.current.source == "result = 2"
    assert AuditEntry.objects.filter(action="script.saved").count() == 2


@pytest.mark.parametrize(
    "changes",
    [{"name": " "}, {"name": "Score"}, {"source": ""}, {"source": "x" * 20_001}, {"source": "x = '\x00'"}],
)
def test_a_script_that_cannot_be_kept_is_refused(
    acme_scope: Tenant, alice: Person, changes: dict[str, Any]
) -> None:
    keep(alice)
    with pytest.raises(ScriptRefused):
        keep(alice, **{"name": "Other", **changes})
    assert Script.objects.count() == 1


def test_a_script_that_a_step_names_is_not_deleted(acme_scope: Tenant, alice: Person) -> None:
    script = keep(alice)
    Usage.objects.create(
        used_kind="script", used_id=script.pk, user_kind="flow", user_id=1, user_name="Welcome", url="/x"
    )
    with pytest.raises(InUse):
        delete_script(script_id=script.pk, actor=alice.user, now=LAST_MONDAY)
    Usage.objects.all().delete()
    delete_script(script_id=script.pk, actor=alice.user, now=LAST_MONDAY)
    assert keep(alice).name == "Score", "the name is free again"


def test_the_pages_are_the_flow_administrators(
    acme: Tenant, bob: Person, wendy: Person, charlie: Person
) -> None:
    with tenant_scope(acme.pk):
        script = keep(bob)
    url = bob.url(f"content/scripts/{script.pk}/")
    assert "result = 1" in bob.client().get(url).content.decode()
    assert "Score" in bob.client().get(bob.url("content/scripts/")).content.decode()
    posted = {"name": "Score", "source": "x = = 1", "revision": 1}
    answer = bob.client().post(url, posted)
    assert (answer.status_code, "Line 1: Parse error" in answer.content.decode()) == (422, True)
    assert bob.client().post(url, {**posted, "source": "result = 3"}).status_code == 302
    made = bob.client().post(
        bob.url("content/scripts/new/"), {"name": "New", "source": "x = 1", "revision": 0}
    )
    assert made.status_code == 302
    assert wendy.client().get(url).status_code == 404
    assert charlie.client().get(charlie.url(f"content/scripts/{script.pk}/")).status_code == 404
    assert bob.client().post(f"{url}delete/").status_code == 302
    with tenant_scope(acme.pk):
        assert list(Script.objects.filter(deleted_at=None).values_list("name", flat=True)) == ["New"]
