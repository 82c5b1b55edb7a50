"""The API of the CRM: events from outside, and contacts (docs/api.md). Shells: translate, call one operation."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, Self

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.decorators import decorate_view
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, JsonValue, model_validator

from accounts.api import Problem, keyed
from accounts.models import ApiKey
from accounts.queries import tenant_now
from core.tenancy import require_tenant_id
from crm.operations.outside import MOST_DATA, MOST_EVENTS, MOST_NAME, Outcome, OutsideEvent, record_outside
from crm.operations.upsert import BadValues, GivenConsent, upsert_contact
from crm.values import read_email

router = Router()
# A clock that goes a little ahead of ours is no lie.
AHEAD = dt.timedelta(minutes=5)


def plain_text(text: str) -> str:
    """Refuse what is no text for people: control characters, halves of characters, blanks around it."""
    if any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 or ord(char) == 127 for char in text):
        raise ValueError("control characters are not allowed")
    if text != text.strip():
        raise ValueError("blanks around it are not allowed")
    return text


def small_json(data: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse data that is larger than MOST_DATA bytes as JSON, or that the database could not keep."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise ValueError("this cannot be kept as JSON") from None
    if len(text) > MOST_DATA:
        raise ValueError(f"it is {len(text):,} bytes of JSON; {MOST_DATA:,} are the most")
    return data


def _address(text: str) -> str:
    found = read_email(text)
    if found is None:
        raise ValueError("this is no email address")
    return found


Text = AfterValidator(plain_text)
Address = Annotated[str, Field(max_length=254), Text, AfterValidator(_address)]


class Strict(Schema):
    """Base of what is posted: a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid")


class Who(Strict):
    """A contact, by id or by email address."""

    id: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    email: Address | None = None

    @model_validator(mode="after")
    def one_of_both(self) -> Self:
        """Want exactly one."""
        if (self.id is None) == (self.email is None):
            raise ValueError("give either id or email")
        return self

    @property
    def named(self) -> int | str:
        """The id or the address."""
        return self.id if self.id is not None else str(self.email)


class EventIn(Strict):
    """Something that happened to a contact elsewhere."""

    name: Annotated[str, Field(min_length=1, max_length=MOST_NAME, examples=["order.placed"]), Text]
    contact: Who
    data: Annotated[dict[str, JsonValue], AfterValidator(small_json)] = {}
    at: Annotated[AwareDatetime, Field(description="When it happened; without it, now.")] | None = None
    key: Annotated[
        str, Field(max_length=80, description="Idempotency key: the same key acts once."), Text
    ] = ""

    def as_event(self) -> OutsideEvent:
        """Return it as the operation wants it."""
        return OutsideEvent(self.name, self.contact.named, self.at, self.key, self.data)


class EventsIn(Strict):
    """Several events at once."""

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MOST_EVENTS)]


class EventOut(Schema):
    """What became of an event: recorded, or repeated (its key was used before: nothing was done)."""

    status: str


class EventsOut(Schema):
    """What became of each event, in the order in which they were posted."""

    recorded: int
    repeated: int
    refused: int
    results: list[str]


class ConsentIn(Strict):
    """Consent for e-marketing, given or withdrawn."""

    given: bool
    legal_basis: Annotated[str, Field(max_length=80), Text] = ""
    source: Annotated[str, Field(max_length=120), Text] = ""


class ContactIn(Strict):
    """A contact: the address finds it, else it is created."""

    email: Address
    fields: Annotated[
        dict[str, JsonValue],
        Field(max_length=200, description="By field key, contact.job_title say; null clears."),
        AfterValidator(small_json),
    ] = {}
    company: Annotated[str, Field(max_length=200), Text] | None = None
    consent: ConsentIn | None = None


class ContactOut(Schema):
    """Which contact it is, and whether it is new."""

    id: int
    created: bool


def _not_ahead(events: list[EventIn], now: dt.datetime) -> None:
    late = [i for i, event in enumerate(events) if event.at and not _MIN <= event.at <= now + AHEAD]
    if late:
        inside = f"/events/{late[0]}/at" if len(events) > 1 else "/at"
        raise Problem(
            422, "An event is not of our time.", [(inside, "it lies in the future, or before 2000")]
        )


_MIN = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_REFUSED = {
    Outcome.UNKNOWN_CONTACT: (404, "There is no such contact."),
    Outcome.KEY_REUSED: (409, "The key was used for another event."),
}


@router.post("/events", response=EventOut, summary="Post an event")
@decorate_view(keyed(ApiKey.Scope.EVENTS))
def post_event(request: HttpRequest, event: EventIn) -> EventOut:
    """Record one event. Triggers and success criteria hear of it within seconds."""
    now = tenant_now(require_tenant_id())
    _not_ahead([event], now)
    [outcome] = record_outside(events=[event.as_event()], now=now)
    if outcome in _REFUSED:
        status, detail = _REFUSED[outcome]
        raise Problem(status, detail)
    return EventOut(status=str(outcome))


@router.post("/events/batch", response=EventsOut, summary="Post up to 1,000 events")
@decorate_view(keyed(ApiKey.Scope.EVENTS))
def post_events(request: HttpRequest, batch: EventsIn) -> EventsOut:
    """Record many events in one transaction. One that is refused does not keep the others from being recorded."""
    now = tenant_now(require_tenant_id())
    _not_ahead(batch.events, now)
    outcomes = record_outside(events=[event.as_event() for event in batch.events], now=now)
    return EventsOut(
        recorded=outcomes.count(Outcome.RECORDED),
        repeated=outcomes.count(Outcome.REPEATED),
        refused=sum(outcome in _REFUSED for outcome in outcomes),
        results=[str(outcome) for outcome in outcomes],
    )


@router.post("/contacts", response=ContactOut, summary="Create or update a contact")
@decorate_view(keyed(ApiKey.Scope.CONTACTS))
def post_contact(request: HttpRequest, contact: ContactIn) -> ContactOut:
    """Find the contact by its email address or create it; write the values that are named."""
    consent = contact.consent
    try:
        contact_id, created = upsert_contact(
            email=contact.email,
            values=contact.fields,
            company_name=contact.company,
            consent=GivenConsent(consent.given, consent.legal_basis, consent.source) if consent else None,
            now=tenant_now(require_tenant_id()),
        )
    except BadValues as problem:
        errors: list[tuple[str, Any]] = [(f"/fields/{key}", text) for key, text in problem.errors]
        raise Problem(422, str(problem), errors) from problem
    return ContactOut(id=contact_id, created=created)
