"""Reads of forms and submissions: lists, who may process, and what flows choose from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from accounts.models import Membership, MembershipGroup
from accounts.rights import Right
from content.forms.document import FormActions, FormDocument, FormField
from content.forms.fields import Bound, shown
from content.models import Form, FormFile, FormSubmission, FormVisit

Status = FormSubmission.Status
WAITING = (Status.SUBMITTED, Status.FAILED)


# --- for flows ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FormFieldChoice:
    """A field that has an answer, as a split on form data may name it.

    `type` is text | number | date | bool | choice | choices; answers to choices are the `value`s of `choices`.
    """

    key: str
    label: str
    type: str
    choices: tuple[tuple[str, str], ...] = ()


def form_choices() -> list[tuple[int, str]]:
    """Return (id, name) of the forms that a flow may choose, by name."""
    return list(Form.objects.filter(deleted_at=None).order_by("name").values_list("pk", "name"))


def form_names(form_ids: Sequence[int]) -> dict[int, str]:
    """Return names by id of the forms that still exist."""
    return dict(Form.objects.filter(pk__in=form_ids, deleted_at=None).values_list("pk", "name"))


def open_form_names(form_ids: Sequence[int]) -> dict[int, str]:
    """Return names by id of the forms that people can send."""
    return dict(Form.objects.filter(pk__in=form_ids, deleted_at=None, is_open=True).values_list("pk", "name"))


def actions_of_forms(form_ids: Sequence[int]) -> dict[int, FormActions]:
    """Return what the processing of each form does; forms that do nothing are left out."""
    rows = Form.objects.filter(pk__in=form_ids, deleted_at=None).values_list("pk", "document")
    found = {pk: FormDocument.model_validate(document).actions for pk, document in rows}
    return {pk: actions for pk, actions in found.items() if actions != FormActions()}


def form_fields(form_id: int | None) -> list[FormFieldChoice]:
    """Return the fields of a form that have an answer, in their order; none for a form that does not exist."""
    form = Form.objects.filter(pk=form_id, deleted_at=None).first() if form_id is not None else None
    if form is None:
        return []
    document = FormDocument.model_validate(form.document)
    bound = Bound.of(document)
    return [
        FormFieldChoice(one.key, one.label or one.key, _type(one, bound), tuple(bound.choices(one)))
        for one in document.questions
    ]


_TYPES = {
    "number": "number", "date": "date", "rating": "choice", "radio": "choice", "dropdown": "choice",
    "checkboxes": "choices", "consent": "bool", "subscription": "bool",
}  # fmt: skip
_TARGET_TYPES = {
    "number": "number", "date": "date", "bool": "bool", "item": "choice", "code": "choice", "items": "choices",
}  # fmt: skip


def _type(one: FormField, bound: Bound) -> str:
    target = bound.target(one)
    return _TARGET_TYPES.get(target.type, "text") if target else _TYPES.get(one.kind, "text")


# --- lists --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """How many submissions of a form there are, how many wait, and when the last one came."""

    all: int = 0
    waiting: int = 0
    awaiting: int = 0
    last: dt.datetime | None = None


def forms(search: str = "") -> QuerySet[Form]:
    """Return the forms whose name holds the text."""
    found = Form.objects.filter(deleted_at=None).select_related("managed_by", "updated_by")
    return found.filter(name__icontains=search.strip()) if search.strip() else found


def counts_of(found: Sequence[Form]) -> dict[int, Counts]:
    """Return the counts of each form; one query."""
    rows = (
        FormSubmission.objects.filter(form__in=[form.pk for form in found])
        .values("form_id")
        .annotate(
            all=Count("id"), waiting=Count("id", filter=Q(status__in=WAITING)),
            awaiting=Count("id", filter=Q(status=Status.AWAITING)), last=Max("submitted_at"),
        )
    )  # fmt: skip
    return {row["form_id"]: Counts(row["all"], row["waiting"], row["awaiting"], row["last"]) for row in rows}


# --- processing ---------------------------------------------------------------------------------------------------


def managed_forms(member: Membership) -> QuerySet[Form]:
    """Return the forms whose submissions the member processes: of the member's groups; all for an administrator."""
    found = Form.objects.filter(deleted_at=None)
    if member.may(Right.ADMINISTRATOR):
        return found
    others = MembershipGroup.objects.filter(membership=member).values_list("group_id", flat=True)
    groups = {*others, *([member.group_id] if member.group_id is not None else [])}
    return found.filter(managed_by__in=groups)


def submissions_for(member: Membership) -> QuerySet[FormSubmission]:
    """Return the submissions that the member may see and process."""
    mine = FormSubmission.objects.filter(form__in=managed_forms(member).values("pk"))
    return mine.select_related("form", "contact", "processed_by")


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which submissions a number of the statistics stands for: of some days, of a status, from a place on a site."""

    zone: ZoneInfo
    first: dt.date | None = None
    last: dt.date | None = None
    status: str = ""
    place: str = ""
    site: str | None = None
    # The moment since which a form's numbers are counted.
    since: dt.datetime | None = None

    @classmethod
    def asked(cls, query: Mapping[str, str], *, zone: ZoneInfo) -> Narrowing:
        """Read it out of an address; what is none there narrows nothing."""
        status, place = query.get("status", ""), query.get("place", "")
        known = place if place in FormVisit.Place.values else ""
        return cls(
            first=_day(query.get("from", "")),
            last=_day(query.get("to", "")),
            status=status if status in Status.values else "",
            place=known,
            site=query.get("site", "")[:120] if known else None,
            since=_moment(query.get("since", "")),
            zone=zone,
        )

    @property
    def words(self) -> str:
        """What it narrows to; "" for nothing."""
        days = " to ".join(dict.fromkeys(f"{day:%-d %b %Y}" for day in (self.first, self.last) if day))
        status = str(dict(Status.choices).get(self.status, ""))
        place = str(dict(FormVisit.Place.choices).get(self.place, ""))
        since = f"since {self.since.astimezone(self.zone):%-d %b %Y, %H:%M}" if self.since else ""
        return ", ".join(part for part in (days, since, status, place, self.site or "") if part)

    def of(self, found: QuerySet[FormSubmission]) -> QuerySet[FormSubmission]:
        """Narrow submissions."""
        if self.first is not None:
            found = found.filter(submitted_at__gte=dt.datetime.combine(self.first, dt.time(), self.zone))
        if self.last is not None:
            after = self.last + dt.timedelta(days=1)
            found = found.filter(submitted_at__lt=dt.datetime.combine(after, dt.time(), self.zone))
        if self.since is not None:
            found = found.filter(submitted_at__gte=self.since)
        if self.status:
            found = found.filter(status=self.status)
        if self.place:
            visits = FormVisit.objects.filter(
                form=OuterRef("form"), key=OuterRef("key"), place=self.place, site=self.site, is_machine=False
            )
            found = found.filter(Exists(visits))
        return found


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    # The database keeps the years that people mean; a moment without its zone is none.
    return found if found.tzinfo is not None and 1970 <= found.year < 3000 else None


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """An answer beside what the person read."""

    label: str
    text: str
    key: str


def answer_lines(submission: FormSubmission) -> list[AnswerLine]:
    """Return the answers in the form's order, then those to fields that the form has no more."""
    document = FormDocument.model_validate(submission.form.document)
    bound = Bound.of(document)
    lines = []
    for one in document.questions:
        if one.key in submission.answers:
            label = submission.wording.get(one.key) or one.label or one.key
            lines.append(AnswerLine(label, shown(one, submission.answers[one.key], bound), one.key))
    there = {line.key for line in lines}
    for key, value in submission.answers.items():
        if key not in there:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(AnswerLine(submission.wording.get(key, key), text, key))
    return lines


def address_of(submission: FormSubmission) -> str:
    """Return the address as it was written."""
    field = FormDocument.model_validate(submission.form.document).email_field
    return str(submission.answers.get(field.key, "")) if field else ""


def files_of(submission: FormSubmission) -> list[FormFile]:
    """Return the files that came with a submission, without what is in them; erased ones are gone."""
    return list(submission.files.defer("data").exclude(name="").order_by("pk"))
