"""The demo's sign-up form and its one registered link."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from accounts.models import Group, User
from content.forms.document import EMAIL, FormActions, FormDocument, FormField
from content.link_actions import LinkActions
from content.models import Form, TrackedLink
from content.operations.forms import create_form, open_form
from content.operations.links import LinkDraft, create_link
from crm.models import ConsentPurpose, ListItem, SubscriptionType
from crm.models.consent import E_MARKETING
from trial.seed.selections import Selections


def seed_link(*, writer: User, now: dt.datetime) -> TrackedLink:
    """Make the link of the offer's button; whoever clicks is interested in offers."""
    interest = ListItem.objects.get(list=ListItem.List.INTEREST, name="Offers")
    draft = LinkDraft(
        name="First order offer",
        folder="Welcome",
        url=f"{settings.PUBLIC_URL}/mailbox/shop/offer/?code=SNOW10&from=welcome",
        actions=LinkActions(add_interests=(interest.pk,)),
    )
    return create_link(draft=draft, actor=writer, now=now)


def seed_form(*, writer: User, selections: Selections, now: dt.datetime) -> Form:
    """Make the newsletter's sign-up, open, with double opt-in; who confirms enters the welcome flow."""
    purpose = ConsentPurpose.objects.get(key=E_MARKETING)
    newsletter = SubscriptionType.objects.get(name="Newsletter")
    document = FormDocument(
        heading="News from the trail",
        introduction="Twice a month: new gear, repairs worth knowing, and one good walk.",
        fields=(
            _bound("email", EMAIL, "Email address", required=True),
            _bound("first_name", "contact.first_name", "First name"),
            _bound("last_name", "contact.last_name", "Last name"),
            _bound("company", "company.name", "Company"),
            _bound("interests", "contact.interests", "What do you like to read about?"),
            FormField(
                key="consent", kind="consent", required=True, purpose=purpose.pk,
                label="Northwind may write to me by email. I can end this at any time.",
            ),
            FormField(
                key="newsletter", kind="subscription", subscription=newsletter.pk, label="Send me the newsletter"
            ),
        ),
        button="Sign up",
        thanks_heading="Welcome",
        thanks_text="You are on the list. The first letter is on its way.",
        double_opt_in=True,
        confirm_subject="Please confirm your sign-up",
        confirm_text="Somebody, you we hope, signed up this address for our newsletter. Press the button to confirm.",
        confirm_button="Yes, sign me up",
        actions=FormActions(add_to_selections=(selections.campaign.pk,)),
    )  # fmt: skip
    group = Group.objects.filter(name="Marketing").first()
    form = create_form(name="Newsletter sign-up", actor=writer, now=now, managed_by=group, document=document)
    open_form(form_id=form.pk, actor=writer, now=now)
    return form


def _bound(key: str, target: str, label: str, *, required: bool = False) -> FormField:
    return FormField(key=key, kind="crm", target=target, label=label, required=required)
