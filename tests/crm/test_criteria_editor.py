"""The criteria editor: posted fields become criteria, each operation does one thing, strangers see nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import Tenant
from content.models import Email
from core.tenancy import tenant_scope
from crm.criteria.drawing import Drawer, LineView
from crm.criteria.editor import apply, read_criteria
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.validate import problems
from crm.models import ListItem
from tests.crm.conftest import NOW, make_contact
from tests.fixtures.people import Person

CHEF = Line(field="contact.job_title", operator="contains", values=("chef",))
EMPTY = Line(field="", operator="")


def of(*groups: tuple[Line | Criteria, ...]) -> Criteria:
    """Build criteria."""
    return Criteria(groups=tuple(Group(lines=lines) for lines in groups))


def fields_of(criteria: Criteria, prefix: str = "filter") -> QueryDict:
    """Return what a browser would post for an editor with these criteria."""
    data = QueryDict(mutable=True)
    data["criteria_prefix"] = prefix

    def put(line: LineView) -> None:
        for inner in [one for group in (line.nested.groups if line.nested else ()) for one in group.lines]:
            put(inner)
        if line.nested:
            return
        data[f"{line.name}.field"], data[f"{line.name}.operator"] = line.field_key, line.operator
        drawn = [*line.slots, line.which, line.currency, line.when, *line.when_slots]
        for slot in filter(None, drawn):
            values = sorted(slot.chosen) if slot.kind == "choices" else [slot.value]
            data.setlist(slot.name, values)

    for group in Drawer(prefix).draw(criteria).groups:
        for line in group.lines:
            put(line)
    return data


def test_what_is_drawn_is_read_back(acme_scope: Tenant) -> None:
    items = [str(pk) for pk in ListItem.objects.filter(list="category").values_list("pk", flat=True)[:2]]
    category = Line(field="contact.category", operator="one_of", values=tuple(sorted(items)))
    period = Line(field="contact.created_at", operator="in_period", values=("last", "3", "week"))
    criteria = of((CHEF, of((category,), (period, CHEF))), (EMPTY,))
    assert read_criteria(fields_of(criteria), "filter") == criteria
    assert problems(of((CHEF, of((category,), (period, CHEF))))) == []


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"days": 30},
        {"days": "soon"},
        {"when": "today"},
        {"when": "in_period", "when_values": ("this", "1", "quarter")},
        {"when": "days_ago", "when_values": ("14",)},
        {"when": "between", "when_values": ("2026-01-01", "2026-02-01")},
    ],
)
def test_what_counts_and_since_when_is_read_back(acme_scope: Tenant, more: dict[str, Any]) -> None:
    email = Email.objects.create(name="Welcome", created_at=NOW, updated_at=NOW)
    opened = Line(
        field="event.opened", operator="at_least", values=("2",), which=(str(email.pk), "999999"), **more
    )
    [group] = Drawer("filter").draw(of((opened,))).groups
    [view] = group.lines
    assert view.which is not None
    assert view.which.summary == "Welcome, A value that is gone"
    assert read_criteria(fields_of(of((opened,))), "filter") == of((opened,))


@pytest.mark.parametrize(
    ("op", "path", "after"),
    [
        ("add-group", (), of((CHEF,), (CHEF, EMPTY), (EMPTY,))),
        ("add-line", (0,), of((CHEF, EMPTY), (CHEF, EMPTY))),
        ("nest", (0,), of((CHEF, of((EMPTY,), (EMPTY,))), (CHEF, EMPTY))),
        ("remove-line", (1, 0), of((CHEF,), (EMPTY,))),
        ("remove-line", (0, 0), of((CHEF, EMPTY))),
        ("remove-group", (1,), of((CHEF,))),
        ("remove-group", (7,), of((CHEF,), (CHEF, EMPTY))),
        ("evil", (0,), of((CHEF,), (CHEF, EMPTY))),
    ],
)
def test_each_operation_does_one_thing(op: str, path: tuple[int, ...], after: Criteria) -> None:
    assert apply(of((CHEF,), (CHEF, EMPTY)), op, path) == after


def test_operations_reach_into_nested_groups() -> None:
    criteria = of((CHEF, of((CHEF,), (EMPTY,))))
    assert apply(criteria, "add-line", (0, 1, 0)) == of((CHEF, of((CHEF, EMPTY), (EMPTY,))))
    assert apply(criteria, "remove-line", (0, 1, 1, 0)) == of((CHEF, of((CHEF,))))
    assert apply(criteria, "add-group", (0, 1)) == of((CHEF, of((CHEF,), (EMPTY,), (EMPTY,))))


def read_one(text: str) -> Line:
    part = read_criteria(QueryDict("f.g0.l0.field=event.got&f.g0.l0.operator=at_least&" + text), "f")
    line = part.groups[0].lines[0]
    assert isinstance(line, Line)
    return line


def test_a_period_that_was_just_chosen_begins_with_a_number_and_any_time_is_none() -> None:
    assert read_one("f.g0.l0.when=last").days == 30
    assert read_one("f.g0.l0.when=last&f.g0.l0.days=").days is None
    assert read_one("f.g0.l0.when=last&f.g0.l0.days=7").days == 7
    for text in ("f.g0.l0.when=ever&f.g0.l0.days=7&f.g0.l0.w0=3", ""):
        plain = read_one(text)
        assert (plain.days, plain.when, plain.when_values) == (None, "", ())
    # As it was posted before there was a choice of periods.
    assert read_one("f.g0.l0.days=7").days == 7
    month = read_one("f.g0.l0.when=in_period&f.g0.l0.days=7&f.g0.l0.w0=this&f.g0.l0.w1=1&f.g0.l0.w2=month")
    assert (month.days, month.when, month.when_values) == (None, "in_period", ("this", "1", "month"))


def test_sums_of_money_begin_with_the_tenants_currency(acme_scope: Tenant) -> None:
    Tenant.objects.filter(pk=acme_scope.pk).update(country="NO")
    line = Line(field="sale.amount_sold", operator="gt", values=("1000",))
    [view] = Drawer("filter").draw(of((line,))).groups[0].lines
    assert view.currency is not None
    assert (view.currency.value, ("EUR", "EUR") in view.currency.options) == ("NOK", True)
    wrong = [problems(of((line.model_copy(update={"currency": code}),)))[0] for code in ("", "XXX")]
    assert wrong == [
        "Amount of sales won >: choose the currency: until then only amounts in NOK are added up.",
        "Amount of sales won >: “XXX” is no currency.",
    ]
    assert problems(of((line.model_copy(update={"currency": "NOK"}),))) == []


def test_garbage_is_no_error() -> None:
    data = QueryDict("filter.g0.l0.field=x&filter.g0.l0.field.g1=y&filter.g0=z&filter.gx.l9=1&filter..=2")
    assert read_criteria(data, "filter").groups == (Group(lines=(Line(field="x", operator=""),)),)


def test_the_editor_is_drawn_anew_and_tells_the_page(client: Client, alice: Person) -> None:
    data = fields_of_in(alice, of((CHEF,)))
    data["criteria_op"], data["criteria_path"] = "add-line", "0"
    response = alice.client().post(alice.url("contacts/criteria/"), data)
    assert response.status_code == 200
    assert "criteria:changed" in response["HX-Trigger-After-Settle"]
    assert b'name="filter.g0.l0.v0" value="chef"' in response.content
    assert b'name="filter.g0.l1.field"' in response.content


def fields_of_in(person: Person, criteria: Criteria) -> QueryDict:
    """As fields_of, inside the person's tenant."""
    with tenant_scope(person.tenant.pk):
        return fields_of(criteria)


def test_the_live_count_counts_or_says_what_is_missing(alice: Person, charlie: Person) -> None:
    for person in (alice, charlie):
        with tenant_scope(person.tenant.pk):
            make_contact(last_name="Ek", job_title="Head chef")
            make_contact(last_name="Bo", job_title="Cook")
    url = alice.url("contacts/criteria/count/")
    found = alice.client().post(url, fields_of_in(alice, of((CHEF,)))).content.decode()
    assert '<b class="num">1</b> contact match' in found
    missing = alice.client().post(url, fields_of_in(alice, of((CHEF, EMPTY)))).content.decode()
    assert "A line has no field." in missing


def test_strangers_find_nothing(alice: Person, charlie: Person) -> None:
    for path in ("contacts/criteria/", "contacts/criteria/count/"):
        assert charlie.client().post(alice.url(path), {"criteria_prefix": "filter"}).status_code == 404


@pytest.mark.parametrize("prefix", ["", "a b", "<x>", "1a"])
def test_a_prefix_that_is_no_name_is_not_found(alice: Person, prefix: str) -> None:
    assert (
        alice.client().post(alice.url("contacts/criteria/"), {"criteria_prefix": prefix}).status_code == 404
    )


@pytest.mark.parametrize(
    ("without", "words"),
    [
        ("", "No criteria: everyone matches."),
        ("waits", "No criteria: only what is chosen above ends the wait."),
        ("missing", "No criteria yet: nobody is meant."),
        ("nonsense", "No criteria: everyone matches."),
    ],
)
def test_an_editor_without_criteria_says_what_that_means_here_and_keeps_saying_it(
    alice: Person, without: str, words: str
) -> None:
    with tenant_scope(alice.tenant.pk):
        data, none = fields_of(of((CHEF,))), fields_of(of())
    data["criteria_op"], data["criteria_path"] = "remove-group", "0"
    data["filter_without"] = none["filter_without"] = without
    client = alice.client()
    assert words in client.post(alice.url("contacts/criteria/"), data).content.decode()
    counted = client.post(alice.url("contacts/criteria/count/"), none).content.decode()
    assert ("match" in counted) == (without not in {"waits", "missing"})


def test_this_quarter_asks_for_no_number_and_keeps_the_one_that_was_there(acme_scope: Tenant) -> None:
    def drawn(*values: str) -> list[tuple[str, str, str, bool]]:
        line = Line(field="contact.created_at", operator="in_period", values=values)
        [group] = Drawer("f").draw(of((line,))).groups
        return [(slot.kind, slot.value, slot.label, slot.redraws) for slot in group.lines[0].slots]

    period = "Created is in: this, next or last"
    assert drawn("this", "3", "quarter") == [
        ("period", "this", period, True),
        ("hidden", "3", "Created is in: how many", False),
        ("unit", "quarter", "Created is in: days, weeks or longer", False),
    ]
    assert drawn("last", "3", "quarter")[1] == ("count", "3", "Created is in: how many", False)
    # Just chosen: this day, with a number for later.
    assert [slot[:2] for slot in drawn()] == [("period", "this"), ("hidden", "1"), ("unit", "day")]
    kept = of((Line(field="contact.created_at", operator="in_period", values=("this", "3", "quarter")),))
    assert read_criteria(fields_of(kept), "filter") == kept


def test_this_quarter_of_counted_rows_asks_for_no_number_either(acme_scope: Tenant) -> None:
    line = Line(
        field="event.got",
        operator="at_least",
        values=("1",),
        when="in_period",
        when_values=("this", "1", "year"),
    )
    [group] = Drawer("f").draw(of((line,))).groups
    assert [(slot.kind, slot.value) for slot in group.lines[0].when_slots] == [
        ("period", "this"), ("hidden", "1"), ("unit", "year"),
    ]  # fmt: skip


def test_groups_and_lines_say_where_they_are(alice: Person, acme_scope: Tenant) -> None:
    criteria = of((CHEF, of((CHEF,), (CHEF, of((CHEF,))))), (CHEF,))
    first, second = Drawer("f").draw(criteria).groups
    assert (first.words, second.words) == ("group 1", "group 2")
    nested = first.lines[1].nested
    assert nested is not None
    assert [one.words for one in nested.groups] == [
        "group 1 in line 2 of group 1",
        "group 2 in line 2 of group 1",
    ]
    deepest = nested.groups[1].lines[1].nested
    assert deepest is not None
    assert deepest.groups[0].words == "group 1 in line 2 of group 2 in line 2 of group 1"
    data = fields_of(criteria)
    data["criteria_op"] = "refresh"
    page = alice.client().post(alice.url("contacts/criteria/"), data).content.decode()
    assert "Group 2 in line 2 of group 1: all of these lines" in page
    assert 'aria-label="Line 1 of group 2 in line 2 of group 1"' in page
    assert 'aria-label="Line 2 of group 1: any of its groups"' in page
