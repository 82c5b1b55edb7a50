"""The control group in the Reports tab: exact numbers, the people behind them, and what may be chance."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from crm.models import Contact
from participants.control import ControlGroup
from participants.models import HeldOut, Participant
from reporting.reports.control import Compared, interval
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    """Four people in the flow; two more are held out, one of whom met success."""
    made = make_stage(bob)
    add_people(made)
    with made.scope() as world:
        first = Participant.objects.order_by("enrolled_at")[0].enrolled_at
        out = [world.contact("Olga"), world.contact("Pål")]
        for contact in out:
            HeldOut.objects.create(
                flow_id=made.flow.pk, contact_id=contact.pk, held_at=first - dt.timedelta(minutes=1)
            )
        HeldOut.objects.filter(contact_id=out[1].pk).update(success_at=first + dt.timedelta(days=1))
    return made


def words(html: str) -> str:
    """Return the page in words."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def names(stage: Stage, query: str) -> list[str]:
    """Return who is listed."""
    html = stage.person.client().get(stage.url(f"control-group/{query}")).content.decode()
    return re.findall(r"<a data-row-main[^>]*><bdi>([^<]+)</bdi>", html)


def test_the_groups_stand_beside_each_other_and_open_their_people(stage: Stage) -> None:
    html = stage.person.client().get(stage.url("reports/outcomes/?period=all")).content.decode()
    text = words(html)
    assert "In the flow 4 0 0.0 %" in text
    assert "Held out 2 1 50.0 %" in text
    assert "Those in the flow are 50.0 percentage points behind." in text
    assert "it may be chance" in text
    assert stage.url("control-group/") in html
    assert names(stage, "") == ["Pål", "Olga"]
    assert names(stage, "?success=met") == ["Pål"]
    assert names(stage, "?success=not-met") == ["Olga"]
    assert names(stage, "?success=nonsense") == ["Pål", "Olga"]


def test_the_numbers_of_those_in_the_flow_open_them(stage: Stage) -> None:
    """Who entered before there was a control group is neither counted nor listed."""
    with stage.scope() as world:
        world.suggest(stage.flow, world.contact("Early"))
        early = world.one(stage.flow, Contact.objects.get(first_name="Early"))
        before = HeldOut.objects.earliest("held_at").held_at - dt.timedelta(days=1)
        Participant.objects.filter(pk=early.pk).update(enrolled_at=before)
        late = Participant.objects.get(contact_id=stage.contacts["Late"].pk)
        Participant.objects.filter(pk=late.pk).update(success_at=late.enrolled_at)
    client = stage.person.client()
    html = client.get(stage.url("reports/outcomes/?period=all")).text
    assert "In the flow 4 1 25.0 %" in words(html)
    everybody, met = re.findall(r'href="([^"]*participants/[?]since=[^"]*)"', html)
    for link, people in ((everybody, 4), (met, 1)):
        page = client.get(link.replace("&amp;", "&")).text
        assert page.count("<tr data-row") == people
        assert "Early" not in page
        assert "Take this filter away: Entered since" in page
    assert "with success</bdi>" in page
    # What is no moment, or one without an offset, narrows nothing.
    for nonsense in ("yesterday", "2026-11-18T10:00:00", "0001-01-01T00:00:00Z", "%00"):
        assert client.get(stage.url(f"participants/?since={nonsense}")).text.count("<tr data-row") == 5


def test_without_a_control_group_there_is_no_comparison(bob: Person) -> None:
    empty = make_stage(bob)
    assert "Control group" not in empty.person.client().get(empty.url("reports/outcomes/")).text
    page = empty.person.client().get(empty.url("control-group/"))
    assert (page.status_code, "Nobody here" in page.text) == (200, True)


def test_strangers_and_reps_see_nobody(stage: Stage, charlie: Person, rory: Person) -> None:
    for person in (charlie, rory):
        assert person.client().get(stage.url("control-group/")).status_code == 404


def test_nobody_entered_since_is_said_and_not_divided_by(stage: Stage) -> None:
    with stage.scope():
        HeldOut.objects.update(held_at=dt.datetime(2099, 1, 1, tzinfo=dt.UTC))
    text = words(stage.person.client().get(stage.url("reports/outcomes/")).text)
    assert "In the flow 0 0 –" in text
    assert "Nobody has entered since the first contact was held out." in text


@pytest.mark.parametrize(
    ("group", "least", "most", "chance"),
    [
        # By hand: 101/1002 - 51/1002 = 4.99; 1.96 * sqrt((51 * 951 + 101 * 901) / 1002^3) = 2.31.
        (ControlGroup(1_000, 50, 1_000, 100), 2.68, 7.30, False),
        (ControlGroup(20, 1, 20, 2), -14.16, 23.25, True),
        (ControlGroup(10, 0, 10, 0), -22.12, 22.12, True),
    ],
)
def test_the_interval_is_the_one_by_hand(
    group: ControlGroup, least: float, most: float, chance: bool
) -> None:
    compared = Compared(group, *interval(group))
    assert compared.least == pytest.approx(least, abs=0.01)
    assert compared.most == pytest.approx(most, abs=0.01)
    assert compared.may_be_chance is chance
