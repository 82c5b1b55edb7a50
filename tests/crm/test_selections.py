"""Dynamic and combined selections: who is in them, everywhere that asks; circles, uses, pages, other tenants' ids."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm import bulk
from crm.criteria.change import depends_on_today, event_kinds
from crm.criteria.memberships import MOST_NESTED
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import FROM, BadCriteria, compile_criteria
from crm.events import Origin
from crm.models import Contact, Project, ProjectMember, Selection, SelectionMember, Usage
from crm.operations.clubs import NameTaken, delete_club
from crm.operations.selections import BadSelection, Rule, change_selection, create_selection
from crm.operations.usage import InUse
from crm.queries.selections import count_members, member_ids, members_of
from tests.crm.conftest import NOW, UTC, make_contact
from tests.fixtures.people import Person


def asks(field: str, operator: str, *values: Any) -> Criteria:
    return Criteria(groups=(Group(lines=(Line(field=field, operator=operator, values=values),)),))


def chefs() -> Criteria:
    return asks("contact.job_title", "contains", "chef")


def dynamic(user: User, name: str, criteria: Criteria) -> Selection:
    return create_selection(name=name, description="", rule=Rule(criteria=criteria), actor=user, now=NOW)


def combined(user: User, name: str, combine: str, left: Selection, right: Selection) -> Selection:
    rule = Rule(left_id=left.pk, right_id=right.pk, combine=combine)
    return create_selection(name=name, description="", rule=rule, actor=user, now=NOW)


def static(name: str, *contacts: Contact) -> Selection:
    selection = Selection.objects.create(name=name, created_at=NOW)
    for contact in contacts:
        selection.members.create(contact=contact, added_at=NOW)
    return selection


def names(selection: Selection) -> list[str]:
    return list(members_of(selection, now=NOW).order_by("first_name").values_list("first_name", flat=True))


def matching(criteria: Criteria) -> list[str]:
    compiled = compile_criteria(criteria, now=NOW, zone=UTC)
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT c.first_name FROM {FROM} WHERE c.deleted_at IS NULL AND {compiled.sql} ORDER BY 1",
            compiled.params,
        )
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def people(bare: Tenant) -> dict[str, Contact]:
    """Ann and Ben are chefs; Ben and Cid are in the static selection of the tests."""
    return {
        "Ann": make_contact(first_name="Ann", job_title="Chef"),
        "Ben": make_contact(first_name="Ben", job_title="Sous-chef"),
        "Cid": make_contact(first_name="Cid", job_title="Baker"),
        "Dee": make_contact(first_name="Dee"),
    }


def test_a_dynamic_selection_holds_whoever_matches_now(anna: User, people: dict[str, Contact]) -> None:
    selection = dynamic(anna, "Chefs", chefs())
    assert names(selection) == ["Ann", "Ben"]
    Contact.objects.filter(first_name="Cid").update(job_title="Pastry chef")
    assert names(selection) == ["Ann", "Ben", "Cid"]
    assert count_members(selection, now=NOW) == 3
    ids = sorted(contact.pk for name, contact in people.items() if name != "Dee")
    assert member_ids(selection, now=NOW, after=ids[0], limit=1) == [ids[1]]
    Contact.objects.filter(first_name="Ann").update(
        deleted_at=NOW, first_name="", last_name="", email="", mobile="", phone=""
    )
    assert names(selection) == ["Ben", "Cid"]


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("only_a", ["Ann"]),
        ("only_b", ["Cid"]),
        ("both", ["Ben"]),
        ("either", ["Ann", "Ben", "Cid"]),
        ("exactly_one", ["Ann", "Cid"]),
    ],
)
def test_two_selections_are_combined_in_every_way(
    anna: User, people: dict[str, Contact], combine: str, expected: list[str]
) -> None:
    a = dynamic(anna, "Chefs", chefs())
    b = static("Invited", people["Ben"], people["Cid"])
    assert names(combined(anna, "Mixed", combine, a, b)) == expected


def test_criteria_ask_for_membership_of_every_kind(anna: User, people: dict[str, Contact]) -> None:
    a = dynamic(anna, "Chefs", chefs())
    b = static("Invited", people["Ben"], people["Cid"])
    c = combined(anna, "Not invited", "only_a", a, b)
    field = "contact.selections"
    assert matching(asks(field, "one_of", a.pk)) == ["Ann", "Ben"]
    assert matching(asks(field, "one_of", b.pk, c.pk)) == ["Ann", "Ben", "Cid"]
    assert matching(asks(field, "not_one_of", a.pk)) == ["Cid", "Dee"]
    assert matching(asks(field, "all_of", a.pk, b.pk)) == ["Ben"]
    assert matching(asks(field, "is_empty")) == ["Ann", "Dee"], "that asks for static ones"


def test_a_dynamic_selection_may_ask_for_others_at_several_depths(
    anna: User, people: dict[str, Contact]
) -> None:
    a = dynamic(anna, "Chefs", chefs())
    b = dynamic(anna, "Chefs again", asks("contact.selections", "one_of", a.pk))
    c = combined(anna, "Nobody", "exactly_one", a, b)
    assert names(b) == ["Ann", "Ben"]
    assert names(c) == []


def test_no_selection_leads_back_to_itself_or_too_deep(anna: User, people: dict[str, Contact]) -> None:
    a = dynamic(anna, "A", chefs())
    b = dynamic(anna, "B", asks("contact.selections", "one_of", a.pk))
    with pytest.raises(BadSelection, match="lead back to itself"):
        change_selection(
            selection_id=a.pk,
            name="A",
            description="",
            rule=Rule(criteria=asks("contact.selections", "one_of", b.pk)),
        )
    last = b
    for number in range(MOST_NESTED - 2):
        last = combined(anna, f"C{number}", "either", last, a)
    assert names(last) == ["Ann", "Ben"]
    with pytest.raises(BadSelection, match=f"at most {MOST_NESTED} deep"):
        combined(anna, "Too deep", "either", last, a)
    bottom = static("Bottom")
    new = dynamic(anna, "New", asks("contact.selections", "one_of", bottom.pk))
    with pytest.raises(BadSelection, match="deep"):
        change_selection(
            selection_id=a.pk,
            name="A",
            description="",
            rule=Rule(
                criteria=asks(
                    "contact.selections",
                    "one_of",
                    new.pk,
                )
            ),
        )


def test_a_circle_that_came_in_all_the_same_is_an_error_and_no_loop(
    anna: User, people: dict[str, Contact]
) -> None:
    a = dynamic(anna, "A", chefs())
    b = combined(anna, "B", "either", a, static("S"))
    Selection.objects.filter(pk=a.pk).update(
        criteria=asks("contact.selections", "one_of", b.pk).model_dump(mode="json")
    )
    with pytest.raises(BadCriteria, match="leads back to itself"):
        matching(asks("contact.selections", "one_of", a.pk))
    assert event_kinds(asks("contact.selections", "one_of", a.pk)) == {"selection.added", "selection.removed"}


def test_what_may_change_the_answer_is_what_the_selections_ask(
    anna: User, people: dict[str, Contact]
) -> None:
    plain = asks("contact.selections", "one_of", static("S").pk)
    a = dynamic(anna, "A", chefs())
    today = dynamic(anna, "T", asks("contact.date_of_birth", "today"))
    mixed = combined(anna, "M", "both", a, today)
    assert event_kinds(plain) == {"selection.added", "selection.removed"}
    assert not depends_on_today(plain)
    asked = asks("contact.selections", "one_of", mixed.pk)
    assert event_kinds(asked) >= {"contact.updated", "contact.created", "selection.added"}
    assert depends_on_today(asked)
    assert not depends_on_today(asks("contact.selections", "one_of", a.pk))


def test_nobody_is_put_into_a_selection_that_is_judged(
    bare: Tenant, anna: User, people: dict[str, Contact]
) -> None:
    selection = dynamic(anna, "Chefs", chefs())
    with raw_cursor() as cursor:
        added = bulk.add_to_selection(
            cursor,
            tenant_id=bare.pk,
            selection_id=selection.pk,
            contact_ids=[people["Dee"].pk],
            now=NOW,
            origin=Origin.USER,
        )
    assert added == []
    assert names(selection) == ["Ann", "Ben"]


def test_what_a_selection_uses_cannot_be_deleted(anna: User, people: dict[str, Contact]) -> None:
    fair = Project.objects.create(name="Fair", created_at=NOW)
    a = dynamic(anna, "At the fair", asks("contact.projects", "one_of", fair.pk))
    b = static("S")
    c = combined(anna, "Both", "both", a, b)
    for model, club in ((Project, fair), (Selection, a), (Selection, b)):
        with pytest.raises(InUse):
            delete_club(model=model, club_id=club.pk, actor=anna)
    delete_club(model=Selection, club_id=c.pk, actor=anna)
    delete_club(model=Selection, club_id=a.pk, actor=anna)
    delete_club(model=Project, club_id=fair.pk, actor=anna)
    assert not Usage.objects.exists()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(criteria=Criteria()), "Say who is in it"),
        (Rule(criteria=asks("contact.job_title", "is")), "."),
        (Rule(left_id=1, right_id=1, combine="both"), "Choose two"),
        (Rule(left_id=None, right_id=None, combine="both"), "Choose two"),
        (Rule(left_id=10**9, right_id=10**9 + 1, combine="both"), "Choose two selections"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(anna: User, bare: Tenant, rule: Rule, words: str) -> None:
    with pytest.raises(BadSelection) as caught:
        create_selection(name="X", description="", rule=rule, actor=anna, now=NOW)
    assert words in " ".join(caught.value.problems)
    assert not Selection.objects.exists()


def test_names_and_kinds_stay_apart(anna: User, bare: Tenant) -> None:
    a, s = dynamic(anna, "A", chefs()), static("S")
    with pytest.raises(NameTaken):
        dynamic(anna, "A", chefs())
    for selection, rule in (
        (s, Rule(criteria=chefs())),
        (a, Rule(left_id=a.pk, right_id=s.pk, combine="both")),
    ):
        with pytest.raises(BadSelection, match="kind"):
            change_selection(selection_id=selection.pk, name="N", description="", rule=rule)
    with pytest.raises(IntegrityError), transaction.atomic():
        Selection.objects.create(name="Odd", kind="dynamic", created_at=NOW)


# --- pages --------------------------------------------------------------------------------------------------------


CHEF_FORM = {
    "name": "Chefs",
    "rule.g0.l0.field": "contact.job_title",
    "rule.g0.l0.operator": "contains",
    "rule.g0.l0.v0": "chef",
}


def test_a_dynamic_selection_is_made_looked_at_and_changed(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        make_contact(first_name="Ann", job_title="Chef")
        make_contact(first_name="Cid", job_title="Baker")
    client = alice.client()
    assert client.get(alice.url("selections/new-dynamic/")).status_code == 200
    empty = client.post(alice.url("selections/new-dynamic/"), {"name": "Chefs"})
    assert empty.status_code == 422
    assert "Say who is in it." in empty.content.decode()
    answer = client.post(alice.url("selections/new-dynamic/"), CHEF_FORM)
    page = answer["Location"]
    shown = client.get(page).content.decode()
    assert "1 contact<" in shown
    assert "Ann" in shown
    assert "Cid" not in shown
    assert "Add contacts" not in shown
    rule = f"{page}rule/"
    assert 'value="chef"' in client.get(rule).content.decode()
    client.post(rule, {**CHEF_FORM, "rule.g0.l0.v0": "baker"})
    shown = client.get(page).content.decode()
    assert "Cid" in shown
    assert "Dynamic" in client.get(alice.url("selections/")).content.decode()
    assert client.post(f"{page}members/", {"do": "add", "ids": "1"}).status_code == 404


def test_a_combined_selection_is_counted_before_it_is_saved(alice: Person, charlie: Person) -> None:
    with tenant_scope(charlie.tenant.pk):
        foreign = static("Theirs").pk
    with tenant_scope(alice.tenant.pk):
        ann, ben = make_contact(first_name="Ann"), make_contact(first_name="Ben")
        a, b = static("A", ann, ben), static("B", ben)
    client = alice.client()
    new = alice.url("selections/new-combined/")
    form = {"name": "Only A", "left": a.pk, "right": b.pk, "combine": "only_a"}
    counted = client.post(new, {**form, "do": "count"})
    assert counted.status_code == 200
    assert "1 contact would be in it now." in counted.content.decode()
    assert client.post(new, {**form, "right": foreign}).status_code == 422
    assert client.post(new, {**form, "right": a.pk}).status_code == 422
    page = client.post(new, form)["Location"]
    shown = client.get(page).content.decode()
    assert "Only in A" in shown
    assert "Ann" in shown
    assert "Ben" not in shown
    assert client.get(f"{page}rule/").status_code == 200
    assert client.get(alice.url(f"selections/{a.pk}/rule/")).status_code == 404, "a static one has no rule"
    assert client.get(charlie.url(f"selections/{a.pk}/rule/")).status_code == 404


def test_a_rep_without_reach_sees_a_selection_but_not_whom_they_may_not_see(
    alice: Person, rory: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        selection = dynamic(alice.user, "Chefs", chefs())
        make_contact(first_name="Mine", job_title="Chef", our_contact=rory.user)
        make_contact(first_name="Theirs", job_title="Chef")
        rory.member.role.data_rights.filter(object="contact").update(read="own")
    shown = rory.client().get(rory.url(f"selections/{selection.pk}/")).content.decode()
    assert "Mine" in shown
    assert "Theirs" not in shown
    assert rory.client().post(rory.url(f"selections/{selection.pk}/rule/"), CHEF_FORM).status_code == 404


def test_queries_of_a_dynamic_selections_page_do_not_grow(alice: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        selection = dynamic(alice.user, "Chefs", chefs())
        make_contact(first_name="P", job_title="Chef")
    client, url = alice.client(), alice.url(f"selections/{selection.pk}/")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    with tenant_scope(alice.tenant.pk):
        for number in range(20):
            make_contact(first_name=f"P{number}", job_title="Chef")
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)


def test_the_list_counts_each_selection_and_project_so_far(
    alice: Person, charlie: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.queries.selections.MOST_COUNTED", 2)
    monkeypatch.setattr("crm.views.clubs.MOST_COUNTED", 2)
    for person in (alice, charlie):
        with tenant_scope(person.tenant.pk):
            ids = [make_contact(first_name=f"P{n}").pk for n in range(3)]
            for name, number in (("None", 0), ("Two", 2), ("Three", 3)):
                selection = Selection.objects.create(name=name, created_at=NOW)
                SelectionMember.objects.bulk_create(
                    SelectionMember(selection=selection, contact_id=pk, added_at=NOW) for pk in ids[:number]
                )
            project = Project.objects.create(name="Fair", created_at=NOW)
            ProjectMember.objects.create(project=project, contact_id=ids[0], added_at=NOW)
    page = alice.client().get(alice.url("selections/")).content.decode()
    numbers = re.findall(r'<td class="num">(?:<span title="Counted when you open it">)?([^<]*)<', page)
    assert numbers == ["0", "over 2", "2"]
    page = alice.client().get(alice.url("projects/")).content.decode()
    assert re.findall(r'<td class="num">([^<]*)<', page) == ["1"]
