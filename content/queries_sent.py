"""One message of a contact as it was sent: its own version, rendered with the values that it kept."""

from __future__ import annotations

from dataclasses import dataclass

from content.kept_values import KEY
from content.languages import language_name
from content.models import EmailVersion
from content.queries_attachment import Attached, attached_to
from content.rendering import NO_LINKS, render_sent
from crm.models import Contact
from delivery.models import Message
from delivery.rendering import RenderFailed


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message and what it looked like. `is_kept`: with the values of then; else with those of today."""

    contact: Contact
    message: Message
    name: str
    version: int | None
    language: str
    subject: str
    html: str
    text: str
    problem: str
    is_kept: bool
    files: tuple[Attached, ...] = ()


def sent_message(contact: Contact, message_id: int) -> SentMessage | None:
    """Return a message of a contact, or None where it has no such message. Tests are nobody's messages."""
    message = Message.objects.filter(contact_id=contact.pk, pk=message_id, is_test=False).first()
    if message is None:
        return None
    return _text(contact, message) if message.channel == Message.Channel.SMS else _mail(contact, message)


def _text(contact: Contact, message: Message) -> SentMessage:
    text = str(message.values.get(KEY, {}).get("text", ""))
    problem = "" if text else "The text is put together when the message goes."
    return SentMessage(contact, message, "SMS", None, "", "", "", text, problem, is_kept=True)


def _mail(contact: Contact, message: Message) -> SentMessage:
    version = EmailVersion.objects.select_related("email").filter(pk=message.content_version_id).first()
    name, number = (version.email.name, version.number) if version else ("Email", None)
    language = language_name(version.language) if version and version.language else ""
    is_kept = KEY in message.values
    if version is None:
        return SentMessage(
            contact, message, name, number, language, "", "", "", "The email is gone.", is_kept
        )
    files = attached_to(version.pk)
    shown = render_sent(version_id=version.pk, contact_id=contact.pk, values=message.values, links=NO_LINKS)
    if isinstance(shown, RenderFailed):
        return SentMessage(
            contact, message, name, number, language, version.subject, "", "", shown.error, is_kept, files
        )
    return SentMessage(
        contact, message, name, number, language, shown.subject, shown.html, shown.text, "", is_kept, files
    )
