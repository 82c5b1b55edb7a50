"""Messages as their channel takes them: a mail put together with its headers, an SMS with its sender and callback."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.conf import settings

from accounts.models import Tenant
from delivery import mime
from delivery.bounce_address import bounce_address
from delivery.channels.base import Envelope, TextEnvelope
from delivery.domains import SenderDomains
from delivery.models import Stream
from delivery.recheck import Candidate
from delivery.rendering import MessageLinks, Rendered
from delivery.senders import addresses
from delivery.sms import SmsAccount
from delivery.tokens import Purpose, make_message_token


def mail_envelope(
    candidate: Candidate,
    rendered: Rendered,
    links: MessageLinks,
    *,
    stream: Stream,
    tenant: Tenant,
    domains: SenderDomains,
    now: dt.datetime,
) -> Envelope:
    """Put the mail together; raise BadAddress."""
    who = addresses(candidate, stream, tenant, domains)
    sender = mime.checked_address(who.sender.email)
    subject = f"[Test] {rendered.subject}" if candidate.is_test else rendered.subject
    mail = mime.Mail(
        message_id=f"<{candidate.uuid}@{sender.rpartition('@')[2]}>",
        date=now,
        sender_name=who.sender.name,
        sender=sender,
        to_name=candidate.to_name,
        to=candidate.to_address,
        subject=subject,
        text=rendered.text,
        html=rendered.html,
        reply_to_name=who.reply_to.name if who.reply_to else "",
        reply_to=who.reply_to.email if who.reply_to else "",
        unsubscribe_url=links.unsubscribe if candidate.is_marketing else "",
        feedback_id=f"{candidate.flow_id or 0}:{rendered.version_id}:{tenant.slug}:millrace",
        files_boundary=rendered.files.boundary if rendered.files else "",
    )
    data = mime.assemble(mail)
    return Envelope(
        sender=bounce_address(candidate.ref(tenant.pk)) or sender,
        recipient=mime.checked_address(candidate.to_address),
        # With files the signature comes when they are at hand: right before the mail goes (`sealed`).
        data=data if rendered.files else domains.signed(sender, data),
        token=make_message_token(Purpose.PROVIDER, candidate.ref(tenant.pk)) if domains.by_provider else "",
        files=rendered.files,
    )


def sealed(
    candidate: Candidate, envelope: Envelope, *, stream: Stream, tenant: Tenant, domains: SenderDomains
) -> Envelope:
    """Return a mail with files ready to go: they are encoded, and it is signed over all of it. Raises FilesLost."""
    sender = mime.checked_address(addresses(candidate, stream, tenant, domains).sender.email)
    return replace(envelope, data=domains.signed(sender, envelope.data, envelope.following()))


def text_envelope(
    candidate: Candidate, rendered: Rendered, *, stream: Stream, tenant: Tenant, account: SmsAccount
) -> TextEnvelope:
    """Put the SMS together. Its callback names the message and its tenant, signed by us."""
    token = make_message_token(Purpose.SMS_STATUS, candidate.ref(tenant.pk))
    return TextEnvelope(
        sender=account.sender_for(candidate, stream),
        recipient=candidate.to_address,
        text=rendered.text,
        callback=f"{settings.PUBLIC_URL}/m/s/{token}",
    )
