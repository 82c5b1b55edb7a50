"""Lines that exclude each other, and criteria that imply others: told from the lines alone, and never too often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from core.tenancy import tenant_scope
from crm.criteria.contradictions import contradictions
from crm.criteria.implied import implies
from crm.criteria.schema import Criteria, Group, Line
from crm.models import CustomField
from tests.fixtures.people import Person


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def line(field: str, operator: str, *values: Any, **more: Any) -> Line:
    return Line(field=field, operator=operator, values=values, **more)


def all_of(*lines: Any) -> Criteria:
    return Criteria(groups=(Group(lines=lines),))


def job(operator: str, *values: Any) -> Line:
    return line("contact.job_title", operator, *values)


def size(operator: str, *values: Any) -> Line:
    return line("contact.custom.size", operator, *values)


def born(operator: str, *values: Any) -> Line:
    return line("contact.date_of_birth", operator, *values)


def got(operator: str, *values: Any, **more: Any) -> Line:
    return line("event.clicked", operator, *values, **more)


def category(operator: str, *values: Any) -> Line:
    return line("contact.category", operator, *values)


def interests(operator: str, *values: Any) -> Line:
    return line("contact.interests", operator, *values)


EXCLUDE = [
    (job("is", "Chef"), job("is", "cook")),
    (job("is", "Chef"), job("is_not", "  CHEF ")),
    (job("is", "Chef"), job("contains", "x")),
    (job("is", "Chef"), job("not_begins_with", "CH")),
    (job("is_empty"), job("is_set")),
    (job("is_empty"), job("ends_with", "f")),
    (job("begins_with", "ab"), job("begins_with", "ac")),
    (job("begins_with", "abc"), job("not_contains", "B")),
    (job("ends_with", "abc"), job("not_ends_with", "c")),
    (line("contact.email", "is", "a@b.test"), line("contact.email", "is", "c@b.test")),
    (size("gt", "10"), size("lt", "10")),
    (size("ge", "10"), size("lt", "10.0")),
    (size("eq", "5"), size("ne", "5.0")),
    (size("between", "1", "3"), size("between", "4", "6")),
    (size("is_empty"), size("le", "3")),
    (born("before", "2000-01-01"), born("on", "2000-01-01")),
    (born("after", "2000-01-01"), born("between", "1990-01-01", "2000-01-01")),
    (born("today"), born("after_today")),
    (born("is_empty"), born("anniversary_in", 3)),
    (line("contact.former_employee", "yes"), line("contact.former_employee", "no")),
    (category("one_of", 1), category("one_of", 2, 3)),
    (category("one_of", "1", "2"), category("not_one_of", 1, 2, 3)),
    (interests("all_of", 1, 2), interests("not_one_of", 2)),
    (interests("one_of", 1), interests("is_empty")),
    (got("at_least", 3), got("fewer", 3)),
    (got("exactly", 1), got("at_least", 2)),
    (got("fewer", 2), got("at_least", 2)),
    (got("fewer", 0), got("fewer", 9)),
]
AGREE = [
    (job("is", "Chef"), job("begins_with", "che")),
    (job("is", "Chef"), job("is_not", "cook")),
    (job("is_empty"), job("is_not", "cook")),
    (job("is_empty"), job("not_contains", "x")),
    (job("begins_with", "a"), job("begins_with", "ab")),
    (job("contains", "a"), job("contains", "b")),
    (job("begins_with", "ab"), job("not_ends_with", "ab")),
    (job("is", ""), job("is", "cook")),
    (size("ge", "10"), size("le", "10")),
    (size("gt", "1"), size("ne", "2")),
    (size("is_empty"), size("ne", "2")),
    (size("gt", "many"), size("lt", "1")),
    (born("on", "2000-01-01"), born("between", "2000-01-01", "2000-12-31")),
    (born("on", "2000-01-01"), born("today")),
    (category("one_of", 1, 2), category("one_of", 2, 3)),
    (category("one_of", 1, 2), category("not_one_of", 1)),
    (category("is_empty"), category("not_one_of", 1)),
    (interests("one_of", 1), interests("one_of", 2)),
    (interests("one_of", 1, 2), interests("not_one_of", 1)),
    (got("at_least", 2), got("at_least", 3)),
    (got("at_least", 1), got("fewer", 2)),
    (got("at_least", 3, days=7), got("fewer", 3)),
    (got("at_least", 3, which=(1,)), got("fewer", 3, which=(2,))),
    (job("is", "Chef"), line("contact.first_name", "is", "Ann")),
    (line("contact.gone", "is", "a"), line("contact.gone", "is", "b")),
]


@pytest.mark.parametrize(("one", "other"), EXCLUDE)
def test_lines_that_can_never_both_hold_are_found_in_either_order(one: Line, other: Line) -> None:
    CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    assert contradictions([all_of(one, other), all_of(other, one)]) == [[(one, other)], [(other, one)]]


@pytest.mark.parametrize(("one", "other"), AGREE)
def test_lines_that_may_both_hold_are_left_alone(one: Line, other: Line) -> None:
    CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    assert contradictions([all_of(one, other), all_of(other, one)]) == [[], []]


def test_groups_are_judged_alone_and_nested_ones_of_one_group_with_their_lines() -> None:
    chef, cook = job("is", "chef"), job("is", "cook")
    either = Criteria(groups=(Group(lines=(chef,)), Group(lines=(cook,))))
    assert contradictions([either, all_of(chef, either), all_of(job("is_set"), either)]) == [[], [], []]
    assert contradictions([all_of(chef, all_of(cook))]) == [[(chef, cook)]]
    inner = Criteria(groups=(Group(lines=(chef, cook)), Group(lines=(chef,))))
    assert contradictions([all_of(job("is_set"), inner)]) == [[(chef, cook)]]
    assert contradictions([]) == []


def test_nested_groups_every_one_of_which_is_excluded_are_found() -> None:
    chef, cook, baker, empty = job("is", "chef"), job("is", "cook"), job("is", "baker"), job("is_empty")
    either = Criteria(groups=(Group(lines=(cook,)), Group(lines=(baker, size("gt", 3)))))
    assert contradictions([all_of(chef, either), all_of(empty, either)]) == [
        [(chef, either)],
        [(empty, either)],
    ]
    assert contradictions([all_of(chef, all_of(either))]) == [[(chef, either)]]
    with_chef = Criteria(groups=(*either.groups, Group(lines=(chef,))))
    assert contradictions([all_of(chef, with_chef)]) == [[]]
    CustomField.objects.create(on="contact", key="size", name="Size", type="number")
    big = size("gt", 10)
    small_or_cook = Criteria(groups=(Group(lines=(size("lt", 5),)), Group(lines=(cook,))))
    [[(lines, nested)]] = contradictions([all_of(chef, big, small_or_cook)])
    assert (lines, nested) == (all_of(big, chef), small_or_cook)
    assert contradictions([all_of(big, small_or_cook)]) == [[]]


def test_criteria_imply_those_whose_lines_they_have_all() -> None:
    chef, new = job("is", "Chef"), born("today")
    assert implies(all_of(chef), all_of(job("is", " chef ")))
    assert implies(all_of(chef, new), all_of(new))
    assert implies(all_of(category("one_of", 1, 2)), all_of(category("one_of", "2", "1")))
    assert not implies(all_of(new), all_of(chef, new))
    either = Criteria(groups=(Group(lines=(chef,)), Group(lines=(new,))))
    assert implies(all_of(chef), either)
    assert not implies(either, all_of(chef))
    assert not implies(Criteria(), Criteria())
    assert not implies(all_of(line("", "")), all_of(line("", "")))
    assert not implies(all_of(got("at_least", 1, days=7)), all_of(got("at_least", 1)))
