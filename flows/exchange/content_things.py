"""Content in a flow file, whole: emails, forms, tracked links, scripts; and named alone: flows and secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from accounts.models import Membership
from content.attaching import LONGEST_NAME, MOST_FILES
from content.django_forms.form import redirect_problem
from content.django_forms.link import address_problems
from content.forms.document import FormActions, FormDocument
from content.link_actions import LinkActions
from content.models import Email, EmailVariant, Form, Script, TrackedLink
from content.operations.emails import Draft, create_email
from content.operations.forms import FormNameTaken, create_form
from content.operations.links import LinkDraft, LinkNameTaken, create_link
from content.operations.scripts import ScriptRefused, save_script
from content.operations.variants import MOST_VARIANTS, write_languages
from crm.places import LANGUAGES
from delivery.models import WebhookSecret
from flows.exchange.attachments import carried
from flows.exchange.kinds import CannotMake, Data, Making, UsedKind
from flows.exchange.schema import Used
from flows.models import Flow
from flows.visibility import visible_flows

MOST_MJML = 400_000


class Carried(Data):
    """An attachment: its name in this email, and the file's thing, or none where it is named alone."""

    name: str = Field(max_length=LONGEST_NAME)
    stored_file: int | None = None


class Written(Data):
    """What is written in one language. `text` None: the plain text is made from the content.

    Of `files` that did not travel, or were left open, whoever imports is told to attach them again.
    """

    subject: str = Field(default="", max_length=400)
    preheader: str = Field(default="", max_length=400)
    mjml: str = Field(default="", max_length=MOST_MJML)
    text: str | None = Field(default=None, max_length=MOST_MJML)
    files: tuple[Carried, ...] = Field(default=(), max_length=MOST_FILES)

    @field_validator("files", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        """Files of earlier installations name attachments alone."""
        if not isinstance(value, list | tuple):
            return value
        return [{"name": one} if isinstance(one, str) else one for one in value]

    def draft(self, name: str) -> Draft:
        """Return it as a writer would hand it in. Raises CannotMake."""
        files = tuple(carried(one.stored_file, one.name) for one in self.files if one.stored_file)
        return Draft(name, self.subject, self.mjml, self.preheader, self.text, files)


class EmailData(Written):
    """The email itself, the code of the language that it is written in ("" unknown), and its variants by language."""

    language: str = Field(default="", max_length=10)
    variants: dict[str, Written] = Field(default_factory=dict, max_length=MOST_VARIANTS)

    @field_validator("language")
    @classmethod
    def _known(cls, value: str) -> str:
        return _language(value)

    @field_validator("variants")
    @classmethod
    def _all_known(cls, value: dict[str, Written]) -> dict[str, Written]:
        for code in value:
            if not _language(code):
                raise ValueError("A variant needs a language.")
        return value


def _language(code: str) -> str:
    if code and code not in LANGUAGES:
        raise ValueError(f"“{code[:20]}” is no language's code.")
    return code


def _written(piece: Email | EmailVariant) -> dict[str, Any]:
    text = piece.text if piece.text_is_own else None
    files = sorted(piece.current.attachments.all(), key=lambda one: one.number) if piece.current else ()
    return {
        "subject": piece.subject, "preheader": piece.preheader, "mjml": piece.mjml, "text": text,
        "files": [{"name": file.name, "stored_file": file.file_id} for file in files],
    }  # fmt: skip


class EmailKind(UsedKind):
    """An email. One that the flow sends comes as the flow's own; others are taken where they are, or made."""

    name = "email"
    label = "Email"
    icon = "envelope-simple"
    Data = EmailData
    model = Email

    def rows(self, member: Membership) -> Any:
        """Emails of flows that the member sees, and those of none."""
        mine = Email.objects.filter(deleted_at=None, is_internal=False).prefetch_related(
            "current__attachments", "variants__current__attachments"
        )
        return mine.filter(flow_id=None) | mine.filter(flow_id__in=visible_flows(member).values("pk"))

    def data_of(self, row: Email) -> Mapping[str, Any]:
        """Source and subject, in every language."""
        variants = {one.language: _written(one) for one in row.variants.all()}
        return {**_written(row), "language": row.language, "variants": variants}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows writes emails."""
        return True

    def make(self, used: Used, data: EmailData, making: Making) -> int:
        """Make and compile it. What does not compile stays unfinished, and the step that sends it says so."""
        owner = making.flow_id if used.id in making.sent else None
        email = create_email(
            name=used.name, actor=making.actor, now=making.now, mjml=data.mjml, subject=data.subject, flow_id=owner
        )  # fmt: skip
        drafts = {code: one.draft(email.name) for code, one in data.variants.items() if code != data.language}
        made = write_languages(
            email.pk, {"": data.draft(email.name), **drafts}, language=data.language, actor=making.actor, now=making.now
        )  # fmt: skip
        if made.current_id is None:
            Email.objects.filter(pk=email.pk).update(preheader=data.preheader)
        return email.pk

    def left_behind(self, used: Used, data: EmailData) -> str:
        """Attachments that had no room in the file, or were left open."""
        files = [
            file for one in (data, *data.variants.values()) for file in one.files if not file.stored_file
        ]
        words = ", ".join(f"“{name}”" for name in dict.fromkeys(file.name for file in files))
        return f"“{used.name}” carried {words}, which did not come along: attach again." if files else ""


class FormData(Data):
    """The form's document."""

    document: FormDocument = FormDocument()


class FormKind(UsedKind):
    """A form; its answers stay where they are. Made anew it is closed."""

    name = "form"
    label = "Form"
    icon = "clipboard-text"
    Data = FormData
    model = Form

    def rows(self, member: Membership) -> Any:
        """Every form."""
        return Form.objects.filter(deleted_at=None)

    def data_of(self, row: Form) -> Mapping[str, Any]:
        """Its document."""
        return {"document": row.document}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows makes forms."""
        return True

    def make(self, used: Used, data: FormData, making: Making) -> int:
        """A closed form. Actions that were left open are left out: there is nothing yet to do them to."""
        document = data.document
        if problem := redirect_problem(document.redirect_url):
            raise CannotMake(problem)
        actions = FormActions.model_validate(_chosen(document.actions.model_dump(mode="json")))
        # A picture that was left open is chosen anew.
        fields = tuple(one.model_copy(update={"image": one.image or None}) for one in document.fields)
        try:
            form = create_form(
                name=used.name,
                actor=making.actor,
                now=making.now,
                document=document.model_copy(update={"actions": actions, "fields": fields}),
            )
        except FormNameTaken as taken:
            raise CannotMake(str(taken)) from None
        return form.pk


class LinkData(Data):
    """Where a click leads, or what it shows, and what it does. `key` is the one that the file's texts name."""

    key: str = Field(max_length=60, pattern=r"^[a-z0-9_-]+$")
    folder: str = Field(default="", max_length=80)
    shows: Literal["address", "text"] = "address"
    url: str = Field(default="", max_length=2_000)
    heading: str = Field(default="", max_length=200)
    text: str = Field(default="", max_length=20_000)
    actions: LinkActions = LinkActions()


class LinkKind(UsedKind):
    """A registered tracked link; its clicks stay where they are."""

    name = "link"
    label = "Tracked link"
    icon = "link"
    Data = LinkData
    model = TrackedLink

    def rows(self, member: Membership) -> Any:
        """Every link."""
        return TrackedLink.objects.filter(deleted_at=None)

    def data_of(self, row: TrackedLink) -> Mapping[str, Any]:
        """All of it."""
        names = ("key", "folder", "shows", "url", "heading", "text", "actions")
        return {name: getattr(row, name) for name in names}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows makes links."""
        return True

    def make(self, used: Used, data: LinkData, making: Making) -> int:
        """A link of that name; its key is made from it."""
        if data.shows == "address" and (problems := address_problems(data.url)):
            raise CannotMake(problems[0])
        actions = LinkActions.model_validate(_chosen(data.actions.model_dump(mode="json")))
        draft = LinkDraft(used.name, data.folder, data.shows, data.url, data.heading, data.text, actions)
        try:
            return create_link(draft=draft, actor=making.actor, now=making.now).pk
        except LinkNameTaken as taken:
            raise CannotMake(str(taken)) from None


class ScriptData(Data):
    """Description and source."""

    description: str = Field(default="", max_length=250)
    source: str = Field(default="", max_length=20_000)


class ScriptKind(UsedKind):
    """A script."""

    name = "script"
    label = "Script"
    icon = "code"
    Data = ScriptData
    model = Script

    def rows(self, member: Membership) -> Any:
        """Every script, with what it says now."""
        return Script.objects.filter(deleted_at=None).select_related("current")

    def data_of(self, row: Script) -> Mapping[str, Any]:
        """Its newest version."""
        return {"description": row.description, "source": row.current.source if row.current else ""}

    def may_make(self, used: Used, member: Membership) -> bool:
        """Whoever imports flows writes scripts."""
        return True

    def make(self, used: Used, data: ScriptData, making: Making) -> int:
        """Save it, which checks its syntax."""
        try:
            script = save_script(
                script_id=None, name=used.name, description=data.description, source=data.source, revision=0,
                actor=making.actor, now=making.now,
            )  # fmt: skip
        except ScriptRefused as refused:
            raise CannotMake(str(refused)) from None
        return script.pk


class FlowData(Data):
    """Whether it is the flow of the file."""

    itself: bool = False


class FlowKind(UsedKind):
    """Another flow, by its name; or the flow itself."""

    name = "flow"
    label = "Flow"
    icon = "flow-arrow"
    Data = FlowData
    model = Flow

    def rows(self, member: Membership) -> Any:
        """Flows that the member sees."""
        return visible_flows(member)

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """By name; itself is none of those that are here."""
        return super().found([one for one in wanted if not one.data.get("itself")], member)


class SecretKind(UsedKind):
    """A secret for a webhook's header: its name alone, never its value."""

    name = "webhook_secret"
    label = "Webhook secret"
    icon = "key"
    model = WebhookSecret

    def rows(self, member: Membership) -> Any:
        """Those with a name."""
        return WebhookSecret.objects.exclude(name="")


def _chosen(actions: dict[str, Any]) -> dict[str, Any]:
    """Return actions without what was left open (0)."""
    return {
        name: [one for one in value if one != 0] if isinstance(value, list) else value or None
        for name, value in actions.items()
        if value
    }
