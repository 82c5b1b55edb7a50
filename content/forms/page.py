"""What a form's public page carries: its own address, a signed page token, and who it is prefilled for.

The page token is the page's proof that we made it: it holds the key that makes a double submit one submission, when the
page was made (the time trap), and the message whose link led here. No cookie and no session speak for anybody.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from content.forms.document import COMPANY_NAME, FormDocument
from content.forms.fields import Bound
from content.models import Form
from core import clock
from core.db.cursors import raw_cursor
from core.signing import BadToken, make_lasting_token, make_token, read_lasting_token, read_token
from core.tenancy import require_tenant_id
from crm.bulk.state import load
from crm.models import Contact
from delivery.models import Message
from delivery.tokens import MessageRef

ADDRESS, PAGE, PREFILL = "form", "form-page", "form-prefill"
# Nobody fills a form in faster; a page may stay open for a working day.
LEAST_SECONDS, LONGEST = 2, dt.timedelta(hours=12)
PREFILL_FOR = dt.timedelta(hours=1)
_FIRST_DAY = dt.date(2020, 1, 1)


def form_path(form: Form) -> str:
    """Return the path of the form's public page."""
    return f"/f/{make_lasting_token(purpose=ADDRESS, tenant_id=require_tenant_id(), values=(form.pk,))}/"


def form_url(form: Form) -> str:
    """Return the form's public address, the same every time."""
    return f"{settings.PUBLIC_URL}{form_path(form)}"


def read_address(token: str) -> tuple[int, int]:
    """Return (tenant id, form id) of a form's address, or raise BadToken."""
    read = read_lasting_token(purpose=ADDRESS, token=token)
    return read.tenant_id, int(read.values[0])


def form_of_address(address: str) -> int | None:
    """Return the id of the form that an address of the open tenant leads to, or None."""
    start = f"{settings.PUBLIC_URL}/f/"
    if not address.startswith(start):
        return None
    try:
        tenant_id, form_id = read_address(address.removeprefix(start).partition("/")[0])
    except BadToken:
        return None
    return form_id if tenant_id == require_tenant_id() else None


@dataclass(frozen=True, slots=True)
class Page:
    """A page as its token tells of it."""

    key: uuid.UUID
    made_at: dt.datetime
    message: MessageRef | None = None

    @property
    def is_hasty(self) -> bool:
        """Whether it came back faster than a person writes."""
        return (clock.now() - self.made_at).total_seconds() < LEAST_SECONDS


def make_page(form: Form, message: MessageRef | None) -> str:
    """Return a page token for one visit. The real clock: how long a person takes is no matter of a trial's clock."""
    values: tuple[int | str, ...] = (form.pk, uuid.uuid4().hex, int(clock.now().timestamp() * 1000))
    if message is not None:
        values += (message.message_id, (message.enrolled_on - _FIRST_DAY).days)
    return make_token(purpose=PAGE, tenant_id=require_tenant_id(), values=values)


def read_page(form: Form, token: str) -> Page:
    """Return what a page token of this form says; raise BadToken for any other, and for one that is too old."""
    read = read_token(purpose=PAGE, token=token, max_age=LONGEST)
    form_id, key, made, *message = read.values
    if (read.tenant_id, form_id) != (require_tenant_id(), form.pk):
        raise BadToken("This page is of another form.")
    return Page(
        key=uuid.UUID(str(key)),
        made_at=dt.datetime.fromtimestamp(int(made) / 1000, tz=dt.UTC),
        message=_message(read.tenant_id, message) if message else None,
    )


def make_prefill(form_id: int, ref: MessageRef) -> str:
    """Return what a link of a message adds to a form's address, so that the form knows whom it greets."""
    values = (form_id, ref.message_id, (ref.enrolled_on - _FIRST_DAY).days)
    return make_token(purpose=PREFILL, tenant_id=ref.tenant_id, values=values)


def read_prefill(form: Form, token: str) -> MessageRef | None:
    """Return the message that a prefill token names; None for a forged one, another form's, or an old one."""
    try:
        read = read_token(purpose=PREFILL, token=token, max_age=PREFILL_FOR)
    except BadToken:
        return None
    form_id, *message = read.values
    if (read.tenant_id, form_id) != (require_tenant_id(), form.pk):
        return None
    return _message(read.tenant_id, message)


def _message(tenant_id: int, values: list[int | str]) -> MessageRef:
    number, day = values
    return MessageRef(tenant_id, _FIRST_DAY + dt.timedelta(days=int(day)), int(number))


def prefilled(document: FormDocument, bound: Bound, ref: MessageRef) -> dict[str, Any]:
    """Return what the form already knows of the contact who got a message: fields of the form only, by key."""
    message = Message.objects.filter(enrolled_on=ref.enrolled_on, pk=ref.message_id, is_test=False).first()
    if message is None or message.contact_id is None:
        return {}
    contact = Contact.objects.filter(pk=message.contact_id, deleted_at=None).select_related("company").first()
    if contact is None:
        return {}
    with raw_cursor() as cursor:
        state = load(
            cursor, tenant_id=ref.tenant_id, contact_ids=[contact.pk], targets=bound.targets.values(), lock=False
        )  # fmt: skip
    found: dict[str, Any] = {}
    for one in document.fields:
        target = bound.target(one)
        if one.kind == "crm" and one.target == COMPANY_NAME and contact.company is not None:
            found[one.key] = contact.company.name
        elif target is not None and (owner := state.owner(state.contacts[contact.pk], target)) is not None:
            value = owner.get(target.key)
            found[one.key] = [str(v) for v in value] if isinstance(value, frozenset) else value
    return {key: value for key, value in found.items() if value not in (None, "", [])}
