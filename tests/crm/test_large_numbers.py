"""What numbers beyond a thousand look like: grouped where they are read, plain where they name a row."""

from __future__ import annotations

import re

import pytest
from django.template import Context, Engine
from django.utils import timezone

from core.tenancy import tenant_scope
from crm.models import Contact, Selection, SelectionMember
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db


def test_a_number_is_grouped_only_where_a_page_says_so() -> None:
    engine = Engine(libraries={"humanize": "django.contrib.humanize.templatetags.humanize"})
    page = '{% load humanize %}<input value="{{ n }}">{{ n|intcomma }}'
    assert engine.from_string(page).render(Context({"n": 1234567})) == '<input value="1234567">1,234,567'


def test_a_contact_beyond_the_thousandth_is_chosen_in_the_list(bob: Person) -> None:
    with tenant_scope(bob.tenant.pk):
        now = timezone.now()
        Contact.objects.create(
            pk=1_234_567, first_name="Late", last_name="Comer", created_at=now, updated_at=now
        )
        selection = Selection.objects.create(name="Late ones", created_at=now)
    page = bob.client().get(bob.url("contacts/")).content.decode()
    chosen = re.findall(r'name="ids" value="([^"]*)"', page)
    assert chosen == ["1234567"]
    answer = bob.client().post(
        bob.url("contacts/add-to-selection/"), {"ids": chosen, "selection": selection.pk}, follow=True
    )
    assert answer.status_code == 200
    with tenant_scope(bob.tenant.pk):
        assert list(SelectionMember.objects.values_list("contact_id", flat=True)) == [1_234_567]
