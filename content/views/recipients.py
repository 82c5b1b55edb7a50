"""What recipients follow: a tracked link, and the mail in their browser."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Tenant
from content.operations.clicks import Click, follow
from content.rendering import render_sent
from content.safe_html import mail_response
from core.tenancy import tenant_scope
from core.texts import speaking
from delivery.machines import is_machine
from delivery.models import Message
from delivery.operations.recipients import NoSuchMessage, language_of_recipient, recipient_of
from delivery.public import PublicRequest, for_message, for_short_link, for_tracking, not_found
from delivery.rendering import RenderFailed, message_links
from delivery.short_tokens import UNSUBSCRIBE
from delivery.tokens import MessageRef, Purpose, make_message_token


@require_safe
@for_tracking(Purpose.CLICK)
def click(request: PublicRequest, ref: MessageRef, number: int) -> HttpResponse:
    """Lead on to the link's address, or show the text of a registered link."""
    return _follow(request, ref, number)


@require_safe
@for_short_link
def short_link(request: PublicRequest, ref: MessageRef, number: int) -> HttpResponse:
    """Lead on as `click` does, from an SMS; or to the page for unsubscribing, which asks before it acts."""
    if number == UNSUBSCRIBE:
        return HttpResponseRedirect(
            reverse("mail:unsubscribe", args=[make_message_token(Purpose.UNSUBSCRIBE, ref)])
        )
    return _follow(request, ref, number)


def _follow(request: PublicRequest, ref: MessageRef, number: int) -> HttpResponse:
    followed = follow(Click(ref, number, is_machine(request)))
    if followed is None:
        return not_found(request)
    if followed.address:
        return HttpResponseRedirect(followed.address)
    sender = Tenant.objects.get(pk=ref.tenant_id)
    context = {"sender": sender, "heading": followed.heading, "text": followed.text}
    with tenant_scope(ref.tenant_id), speaking(request, language_of_recipient(ref), sender.language):
        return render(request, "content/link_text.html", context)


@require_safe
@for_message(Purpose.VIEW)
def view_in_browser(request: PublicRequest, ref: MessageRef) -> HttpResponse:
    """Show the mail as it was sent. For an erased person there is nothing to show any more."""
    who = recipient_of(ref)
    if who.contact is None and not who.is_test:
        raise NoSuchMessage("The person was erased.")
    message = Message.objects.get(enrolled_on=ref.enrolled_on, pk=ref.message_id)
    if message.channel != Message.Channel.EMAIL:
        raise NoSuchMessage("An SMS is not viewed in a browser.")
    rendered = render_sent(
        version_id=message.content_version_id,
        contact_id=message.contact_id,
        values=message.values,
        links=message_links(ref, request.now.date()),
    )
    return not_found(request) if isinstance(rendered, RenderFailed) else mail_response(rendered.html)
