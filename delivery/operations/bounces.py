"""Takes a mail that came to the bounce address: finds the message it is about by our own signed tokens, and acts."""

from __future__ import annotations

from accounts.queries import tenant_now
from core.signing import BadToken
from core.tenancy import tenant_scope
from delivery.bounce_address import is_bounce_mailbox, ref_of
from delivery.operations.fates import note_fate
from delivery.returned import Returned, Said, read_returned
from delivery.tokens import MessageRef, Purpose, read_message_token


def take_returned(*, recipient: str, content: bytes) -> bool:
    """Act on a mail to the bounce address; say whether it changed anything.

    What names no message of ours, or says nothing, is let go of. A complaint that comes to the mailbox itself (as a
    provider's feedback loop sends it) is known by the unsubscribe link of the mail in it.
    """
    returned = read_returned(content)
    ref = _ref(recipient, returned)
    if ref is None or returned.said is Said.NOTHING:
        return False
    with tenant_scope(ref.tenant_id):
        return note_fate(ref=ref, said=returned.said, words=returned.words, now=tenant_now(ref.tenant_id))


def _ref(recipient: str, returned: Returned) -> MessageRef | None:
    try:
        return ref_of(recipient)
    except BadToken:
        pass
    # A delivery report must come to the message's own address: whoever got the mail knows its unsubscribe link.
    if returned.said is not Said.COMPLAINT or not is_bounce_mailbox(recipient):
        return None
    try:
        return read_message_token(Purpose.UNSUBSCRIBE, returned.unsubscribe_token)
    except BadToken:
        return None
