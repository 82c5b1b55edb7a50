"""The trigger *contact updated*: real changes through real doors suggest; what only confirms a value does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from core.db.cursors import raw_cursor
from core.text import norm
from crm.bulk import Change, update_fields
from crm.events import Origin
from crm.models import Company, Contact, CustomField, ListItem
from crm.operations.companies import edit_company
from crm.operations.consent import opt_in, opt_out, record_consent
from crm.operations.contacts import edit_contact
from flows.checking import check_context
from flows.document import FlowDocument, Trigger
from flows.part_form import part_form
from flows.triggers.contact_updated import ContactUpdated, FieldChange, accepts
from flows.triggers.watched_fields import watched_fields
from participants.intake import take_events
from participants.models import Participant, Suggestion
from tests.participants.conftest import World, update, wait

KIND = ContactUpdated()


def trigger(*fields: Mapping[str, Any]) -> Trigger:
    """Build the trigger."""
    return Trigger(kind="contact_updated", settings={"fields": list(fields)})


def suggested(world: World) -> list[int]:
    """Take the inbox and return who was suggested, in order of their ids."""
    take_events(tenant_id=world.tenant.pk, now=world.now)
    return sorted(Suggestion.objects.values_list("contact_id", flat=True))


def change(world: World, contact: Contact, *changes: Change, origin: Origin = Origin.USER) -> None:
    """Change fields by a door."""
    with raw_cursor() as cursor:
        update_fields(
            cursor,
            tenant_id=world.tenant.pk,
            contact_ids=[contact.pk],
            changes=changes,
            now=world.now,
            origin=origin,
        )


def title(text: str) -> Change:
    """Set the job title."""
    return Change("contact.job_title", "set", (text,))


def test_a_value_that_really_changed_suggests_and_the_same_value_again_does_not(world: World) -> None:
    anna, bob = world.contact("Anna"), world.contact("Bob", job_title="Chef")
    flow = world.flow(wait(1), triggers=(trigger(),))
    edit_contact(contact_id=anna.pk, changes=[title("Chef")], now=world.now)
    edit_contact(contact_id=bob.pk, changes=[title("Chef")], now=world.now)
    assert suggested(world) == [anna.pk]
    data = Participant.objects.get(flow_id=flow.pk).event_data
    assert data is not None
    assert data["changes"] == [{"field": "contact.job_title", "old": "", "new": "Chef"}]


@pytest.mark.parametrize("text", ["1.0e9999999999", "-1.5E-9999999999", "sNaN.", "1" + "0" * 110 + ".0"])
def test_a_text_like_a_number_without_end_is_compared_as_text(world: World, text: str) -> None:
    """Whoever fills in a form may write it; the worker that reads the change must neither fail nor fill its memory."""
    anna = world.contact("Anna")
    field = {"field": "contact.job_title", "was": [], "becomes": [text]}
    world.flow(wait(1), triggers=(trigger(field),))
    edit_contact(contact_id=anna.pk, changes=[title(text)], now=world.now)
    assert suggested(world) == [anna.pk]


@pytest.mark.parametrize(
    ("origin", "enters"),
    [("user", True), ("api", True), ("form", True), ("link", True), ("import", False), ("bulk", False)],
)
def test_imports_and_bulk_updates_do_not_count_and_every_other_door_does(
    world: World, origin: str, enters: bool
) -> None:
    anna = world.contact("Anna")
    world.flow(wait(1), triggers=(trigger(),))
    change(world, anna, title("Chef"), origin=Origin(origin))
    assert suggested(world) == ([anna.pk] if enters else [])


def test_a_step_of_another_flow_counts_and_one_of_the_same_flow_does_not(world: World) -> None:
    anna = world.contact("Anna")
    writer = world.flow(update("contact.job_title", "set", "Chef"), name="Writer", triggers=(trigger(),))
    reader = world.flow(wait(1), name="Reader", triggers=(trigger(),))
    world.suggest(writer, anna)
    world.advance(writer)
    take_events(tenant_id=world.tenant.pk, now=world.now)
    assert [s.flow_id for s in Suggestion.objects.exclude(source="manual")] == [reader.pk]


def test_consent_and_subscription_count_once_each_change(world: World) -> None:
    anna = world.contact("Anna", consent=None)
    world.flow(wait(1), triggers=(trigger(),))
    record_consent(contact_id=anna.pk, given=False, at=world.now)  # none before: still no
    assert suggested(world) == []
    record_consent(contact_id=anna.pk, given=True, at=world.now)
    record_consent(contact_id=anna.pk, given=True, at=world.now)  # only confirms it
    opt_out(contact_id=anna.pk, type_id=world.news.pk, at=world.now)
    opt_in(contact_id=anna.pk, type_id=world.news.pk, at=world.now)
    assert suggested(world) == [anna.pk] * 3


def test_a_named_consent_or_subscription_may_ask_for_its_direction(world: World) -> None:
    anna = world.contact("Anna", consent=True)
    wanted = {"field": "consent.e-marketing", "becomes": ["no"]}
    left = {"field": f"subscription.{world.news.pk}", "was": ["yes"]}
    world.flow(wait(1), triggers=(trigger(wanted, left),))
    record_consent(contact_id=anna.pk, given=True, at=world.now)
    assert suggested(world) == []
    record_consent(contact_id=anna.pk, given=False, at=world.now)
    opt_out(contact_id=anna.pk, type_id=world.news.pk, at=world.now)
    opt_in(contact_id=anna.pk, type_id=world.news.pk, at=world.now)
    assert suggested(world) == [anna.pk] * 2


def employed(world: World) -> tuple[Company, Contact, Contact]:
    """A company with two contacts, and the category Customer to become."""
    company = Company.objects.create(
        name="Acme",
        name_norm=norm("Acme"),
        created_at=world.now,
        updated_at=world.now,
        category=world.prospect,
    )
    return company, world.contact("Anna", company=company), world.contact("Bob", company=company)


def test_a_company_change_counts_only_where_the_trigger_names_it_and_then_for_all_colleagues(
    world: World,
) -> None:
    _, anna, bob = employed(world)
    alone = world.contact("Carl")
    any_field = world.flow(wait(1), name="Any", triggers=(trigger(),))
    named = world.flow(wait(1), name="Named", triggers=(trigger({"field": "contact.category"}),))
    for contact in (anna, alone):
        change(world, contact, Change("contact.category", "set", (world.customer.pk,)))
    take_events(tenant_id=world.tenant.pk, now=world.now)
    who = Suggestion.objects.order_by("contact_id")
    assert list(who.filter(flow_id=any_field.pk).values_list("contact_id", flat=True)) == [alone.pk]
    assert list(who.filter(flow_id=named.pk).values_list("contact_id", flat=True)) == [
        anna.pk,
        bob.pk,
        alone.pk,
    ]


def test_a_company_that_is_renamed_is_told_to_its_contacts(world: World) -> None:
    company, anna, bob = employed(world)
    world.flow(wait(1), triggers=(trigger({"field": "company.name", "becomes": ["ACME AG"]}),))
    edit_company(company_id=company.pk, name="Acme AG", changes=[], now=world.now, actor_id=None)
    assert suggested(world) == [anna.pk, bob.pk]


def test_from_and_to_are_chosen_values(world: World) -> None:
    anna = world.contact("Anna")
    lead = world.category("Lead")
    sold = {"field": "contact.category", "was": [str(world.prospect.pk)], "becomes": [str(world.customer.pk)]}
    world.flow(wait(1), triggers=(trigger(sold),))
    change(world, anna, Change("contact.category", "set", (lead.pk,)))
    change(world, anna, Change("contact.category", "set", (world.customer.pk,)))
    assert suggested(world) == []
    change(world, anna, Change("contact.category", "set", (world.prospect.pk,)))
    change(world, anna, Change("contact.category", "set", (world.customer.pk,)))
    assert suggested(world) == [anna.pk]


def test_an_interest_that_is_put_on_or_taken_off(world: World) -> None:
    anna = world.contact("Anna")
    golf, wine = (
        ListItem.objects.create(list="interest", name=n, name_norm=norm(n)) for n in ("Golf", "Wine")
    )
    world.flow(wait(1), triggers=(trigger({"field": "contact.interests", "becomes": [str(golf.pk)]}),))
    change(world, anna, Change("contact.interests", "add", (wine.pk,)))
    assert suggested(world) == []
    change(world, anna, Change("contact.interests", "add", (golf.pk,)))
    change(world, anna, Change("contact.interests", "remove", (golf.pk,)))
    change(world, anna, Change("contact.interests", "remove", (wine.pk,)))
    assert suggested(world) == [anna.pk]


@pytest.mark.parametrize(
    ("type_", "old", "new", "wanted"),
    [
        ("number", "50", "12.5", "12.50"),
        ("date", "2026-01-01", "2026-11-30", "2026-11-30"),
        ("text", "x", "STRASSE 5", "straße 5"),
        ("bool", None, None, "yes"),
    ],
)
def test_custom_fields_of_every_type(world: World, type_: str, old: Any, new: Any, wanted: str) -> None:
    anna = world.contact("Anna")
    CustomField.objects.create(on="contact", key="own", name="Own", type=type_)
    world.flow(wait(1), triggers=(trigger({"field": "contact.custom.own", "becomes": [wanted]}),))
    for value in (old, new):
        last = Change("contact.custom.own", "set", (value,)) if value else Change("contact.custom.own", "yes")
        change(world, anna, last)
    assert suggested(world) == [anna.pk]


# --- matching, pure ---------------------------------------------------------------------------------------------------

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.lists(st.integers(0, 3)))
LINES = st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from(["contact.a", "company.b", "contact.c"]), "old": VALUES, "new": VALUES},
        optional={"company": st.just(True)},
    ),
    max_size=4,
)
WANTED = st.lists(
    st.builds(
        FieldChange,
        field=st.sampled_from(["", "contact.a", "company.b"]),
        was=st.lists(st.text(max_size=4), max_size=2).map(tuple),
        becomes=st.lists(st.text(max_size=4), max_size=2).map(tuple),
    ),
    max_size=3,
)


@given(WANTED, LINES)
def test_matching_never_fails_and_a_wish_without_values_is_the_fields_change(
    wanted: Sequence[FieldChange], lines: list[dict[str, Any]]
) -> None:
    found = accepts(wanted, {"changes": lines})
    named = {change.field for change in wanted}
    if found and wanted:
        assert named & {line["field"] for line in lines}
    open_wishes = {change.field for change in wanted if not change.was and not change.becomes}
    if open_wishes & {line["field"] for line in lines}:
        assert found
    if not wanted:
        own = [x for x in lines if not x.get("company") and not x["field"].startswith("company.")]
        assert found == bool(own)


# --- panel ------------------------------------------------------------------------------------------------------------


def form(kept: Trigger, posted: str | None = None) -> Any:
    """Return the panel's form."""
    return part_form(KIND, kept, flow_id=1, data=QueryDict(posted) if posted is not None else None)


def test_the_panel_reads_back_what_it_shows(world: World) -> None:
    kept = trigger({"field": "contact.category", "was": [], "becomes": [str(world.customer.pk)]})
    [line] = form(kept).line_views
    assert [(side.label, side.values) for side in line.sides] == [
        ("From", ()),
        ("To", (str(world.customer.pk),)),
    ]
    again = form(kept, f"line-0-field=contact.category&line-0-becomes={world.customer.pk}")
    assert again.is_valid()
    assert KIND.Settings.model_validate(again.settings()) == KIND.settings(kept)


def test_lines_are_added_and_dropped_and_a_changed_field_forgets_the_other_ones_values(world: World) -> None:
    posted = "line-0-field=contact.country&line-0-was=NO&line-1-field=contact.phone&line-1-becomes=1"
    assert [line[0] for line in form(trigger(), posted + "&drop=0").lines] == ["contact.phone"]
    assert [line[0] for line in form(trigger(), posted + "&more=1").lines] == [
        "contact.country",
        "contact.phone",
        "",
    ]
    [line] = form(trigger(), "line-0-field=contact.category&line-0-was=NO&line-0-was=999999").lines
    assert line == ("contact.category", (), ())


def test_what_is_gone_is_said(world: World) -> None:
    gone = trigger(
        {"field": "contact.custom.gone"}, {"field": ""}, {"field": "contact.category", "was": ["999"]}
    )
    ctx = check_context(FlowDocument(triggers=(gone,)))
    assert [problem.message for problem in KIND.problems(gone, ctx)] == [
        "A field that is watched does not exist any more",
        "Choose the field that changes",
        "Category: a chosen value does not exist any more",
    ]


def test_the_card_says_which_changes(world: World) -> None:
    ctx = check_context(FlowDocument())
    wanted = {
        "field": "contact.category",
        "was": [],
        "becomes": [str(world.customer.pk), str(world.prospect.pk)],
    }
    assert KIND.summary(trigger(), ctx) == "Contact updated: any field"
    assert KIND.summary(trigger(wanted, {"field": "contact.country", "was": ["NO"]}), ctx) == (
        "Contact updated: Category to Customer or Prospect, or Country from Norway"
    )


def test_what_it_names_is_in_use(world: World) -> None:
    own = CustomField.objects.create(on="contact", key="own", name="Own", type="text")
    named = trigger(
        {"field": "contact.custom.own"}, {"field": "contact.category", "was": [str(world.customer.pk)]}
    )
    found = [(reference.kind, reference.id) for reference in KIND.references(named)]
    assert found == [("custom_field", own.pk), ("list_item", world.customer.pk)]


def test_every_field_that_can_be_written_can_be_watched(world: World) -> None:
    labels = [watched.label for watched in watched_fields()]
    assert {"Job title", "Interests", "Company name", "Consent: E-marketing", "Subscribes to News"} <= set(
        labels
    )
    assert len(labels) == len(set(labels))
