"""Forms of accounts: what people type, checked; the operations decide."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.models import Group, Invitation, Membership, Role, Tenant, User
from accounts.rights import DataObject, Reach, Right
from core.phones import read_phone
from core.texts import TEXTS_IN

VERBS = (("read", "See"), ("create", "Create"), ("update", "Change"), ("remove", "Delete"))


def timezone_choices() -> list[tuple[str, str]]:
    """Return the timezones that people know, as choices."""
    regions = (
        "Africa",
        "America",
        "Antarctica",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    )
    known = sorted(name for name in available_timezones() if name.split("/")[0] in regions and "/" in name)
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in known)]


class RoleAndGroupForm(forms.Form):
    """Role and primary group of a member."""

    # The query sets come with the form: there is no tenant when this module is read.
    role: forms.ModelChoiceField[Role] = forms.ModelChoiceField(None, empty_label=None)
    group: forms.ModelChoiceField[Group] = forms.ModelChoiceField(
        None, required=False, empty_label="No group"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].queryset = Role.objects.all()  # type: ignore[attr-defined]
        self.fields["group"].queryset = Group.objects.all()  # type: ignore[attr-defined]


class MobileForm(forms.Form):
    """Where a member gets text messages from flows."""

    mobile = forms.CharField(
        label="Mobile number",
        required=False,
        max_length=30,
        help_text="With its country code, as +47 912 34 567. Flows send their notes to you there.",
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )

    def __init__(self, *args: Any, country: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country = country

    def clean_mobile(self) -> str:
        """Return the number in E.164, or nothing."""
        given = str(self.cleaned_data["mobile"]).strip()
        number = read_phone(given, self.country) if given else ""
        if number is None:
            raise ValidationError("This is no phone number. Write it with its country code.")
        return number


class InviteForm(RoleAndGroupForm):
    """An invitation."""

    email = forms.EmailField(
        label="Email address", help_text="The invitation with its link goes to this address."
    )
    field_order = ("email", "role", "group")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody becomes an administrator because a select began with it.
        self.fields["role"].empty_label = "Choose…"  # type: ignore[attr-defined]


class RegisterForm(forms.Form):
    """What an invited newcomer says about themself."""

    first_name = forms.CharField(max_length=80)
    last_name = forms.CharField(max_length=80)
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 10 characters. A sentence is easier to remember than symbols.",
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        """Refuse weak passwords, also those made of the person's own name."""
        told = super().clean() or {}
        password = told.get("password")
        if password:
            names = {"first_name": told.get("first_name", ""), "last_name": told.get("last_name", "")}
            try:
                validate_password(password, User(email=self.invitation.email, **names))
            except ValidationError as error:
                self.add_error("password", error)
        return told


class NameForm(forms.Form):
    """The name of a group."""

    name = forms.CharField(max_length=80)


class RoleForm(forms.Form):
    """A role with its functional rights and the matrix of data rights."""

    name = forms.CharField(max_length=80)
    description = forms.CharField(
        max_length=250, required=False, help_text="Who has this role, and for what?"
    )
    rights = forms.MultipleChoiceField(
        choices=Right.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in DataObject:
            for verb, label in VERBS:
                field = forms.ChoiceField(choices=Reach.choices, label=f"{label} {kind.label.lower()}")
                field.widget.attrs.update({"class": "form-select", "aria-label": field.label})
                field.initial = Reach.NONE
                self.fields[f"{kind.value}_{verb}"] = field

    @staticmethod
    def initial_of(role: Role) -> dict[str, Any]:
        """Return what the form shows for an existing role."""
        lines = {
            f"{line.object}_{verb}": getattr(line, verb)
            for line in role.data_rights.all()
            for verb, _ in VERBS
        }
        rights = list(role.rights.values_list("right", flat=True))
        return {"name": role.name, "description": role.description, "rights": rights, **lines}

    def matrix(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the rows of the matrix: the object's name and its four fields."""
        return [(kind.label, [self[f"{kind.value}_{verb}"] for verb, _ in VERBS]) for kind in DataObject]

    def data_rights(self) -> dict[str, dict[str, str]]:
        """Return the chosen matrix: object -> verb -> reach."""
        chosen = self.cleaned_data
        return {
            kind.value: {verb: chosen[f"{kind.value}_{verb}"] for verb, _ in VERBS} for kind in DataObject
        }


class CompanyForm(forms.Form):
    """What an administrator may change of the tenant."""

    name = forms.CharField(max_length=120)
    timezone = forms.ChoiceField(
        choices=timezone_choices, help_text="The start for new flows, and how times are shown."
    )
    country = forms.CharField(max_length=2, required=False, help_text="Two letters, such as NO or DE.")
    language = forms.ChoiceField(
        choices=list(TEXTS_IN.items()),
        help_text="What recipients' pages speak where the contact's language is not known.",
    )
    postal_address = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the footer of every marketing email; many countries require it.",
    )
    from_name = forms.CharField(label="Sender's name", max_length=120, required=False)
    from_email = forms.EmailField(
        label="Sender's address", required=False, help_text="New flows send from here."
    )

    @staticmethod
    def initial_of(tenant: Tenant) -> dict[str, str]:
        """Return what the form shows for a tenant."""
        return {name: getattr(tenant, name) for name in CompanyForm.base_fields}

    def clean_country(self) -> str:
        """Return two capital letters, or nothing."""
        country = str(self.cleaned_data["country"]).strip().upper()
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise ValidationError("Write the two-letter code, such as NO.")
        return country

    def clean_name(self) -> str:
        """Refuse line breaks: the name stands in headers of emails."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_from_name(self) -> str:
        """As the name."""
        return " ".join(str(self.cleaned_data["from_name"]).split())


def initial_of_member(member: Membership) -> dict[str, Any]:
    """Return what RoleAndGroupForm shows for a member."""
    return {"role": member.role_id, "group": member.group_id}
