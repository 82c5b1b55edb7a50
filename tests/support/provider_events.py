"""What each email provider posts when something became of a mail, and how it shows that it is from there."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import sns

SIGNING_KEY = "a-signing-key-of-mailgun"
_EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = base64.b64encode(
    _EC.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
).decode()

MACHINE, PERSON = "Barracuda scanner", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
TO, URL = "ada@post.test", "https://example.com/offer"


def _brevo(kind: str, token: str, agent: str) -> Any:
    names = {
        "delivered": "delivered", "hard": "hard_bounce", "soft": "soft_bounce", "complained": "spam",
        "opened": "proxy_open" if agent == MACHINE else "unique_opened", "clicked": "click",
        "unsubscribed": "unsubscribe", "deferred": "deferred", "rejected": "blocked",
    }  # fmt: skip
    own = {"X-Mailin-custom": json.dumps({"millrace": token}), "reason": "said so", "link": URL}
    return {"event": names[kind], "email": TO, "ts_epoch": 1764590000000, "message-id": "<1@x>", **own}


def _mailgun(kind: str, token: str, agent: str) -> Any:
    names = {"hard": "failed", "soft": "failed", "deferred": "failed"}
    stamp, nonce = str(int(time.time())), "a" * 50
    signature = hmac.new(SIGNING_KEY.encode(), f"{stamp}{nonce}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": names.get(kind, kind), "id": "e1", "timestamp": 1764590000.0, "recipient": TO, "url": URL,
        "user-variables": {"millrace": token}, "message": {"headers": {"message-id": "1@x"}},
        "severity": "temporary" if kind == "deferred" else "permanent", "reason": "generic",
        "client-info": {"user-agent": agent},
        "delivery-status": {"code": 550, "message": "said so",
                            "enhanced-code": "5.2.2" if kind == "soft" else "5.1.1"},
    }  # fmt: skip
    return {"signature": {"timestamp": stamp, "token": nonce, "signature": signature}, "event-data": data}


def _mailjet(kind: str, token: str, agent: str) -> Any:
    names = {
        "delivered": "sent", "hard": "bounce", "soft": "bounce", "complained": "spam", "opened": "open",
        "clicked": "click", "unsubscribed": "unsub", "rejected": "blocked", "deferred": "bounce",
    }  # fmt: skip
    told: dict[str, Any] = {
        "event": names[kind],
        "time": 1764590000,
        "MessageID": 7,
        "email": TO,
        "agent": agent,
    }
    if kind in {"hard", "soft", "deferred", "rejected"}:
        errors = {
            "hard": "user unknown",
            "soft": "quota exceeded",
            "deferred": "greylisted",
            "rejected": "preblocked",
        }
        told |= {"hard_bounce": kind == "hard", "error": errors[kind], "smtp_reply": "said so"}
    return [told | {"Payload": json.dumps({"millrace": token}), "url": URL}]


def _postmark(kind: str, token: str, agent: str) -> Any:
    types = {
        "hard": "HardBounce", "soft": "SoftBounce", "complained": "SpamComplaint", "deferred": "Transient",
        "rejected": "Blocked",
    }  # fmt: skip
    records = {
        "delivered": "Delivery",
        "opened": "Open",
        "clicked": "Click",
        "unsubscribed": "SubscriptionChange",
    }
    told: dict[str, Any] = {
        "MessageID": "id-1",
        "Metadata": {"millrace": token},
        "Recipient": TO,
        "Email": TO,
    }
    if kind in types:
        record = "SpamComplaint" if kind == "complained" else "Bounce"
        return told | {
            "RecordType": record,
            "Type": types[kind],
            "Description": "said so",
            "Details": "said so",
        }
    told |= {"RecordType": records[kind], "UserAgent": agent, "OriginalLink": URL, "Details": "said so"}
    return told | (
        {"SuppressSending": True, "SuppressionReason": "ManualSuppression"} if "uns" in kind else {}
    )


def _sendgrid(kind: str, token: str, agent: str) -> Any:
    names = {
        "hard": "bounce", "soft": "bounce", "complained": "spamreport", "opened": "open", "clicked": "click",
        "unsubscribed": "unsubscribe", "rejected": "dropped",
    }  # fmt: skip
    told = {
        "event": names.get(kind, kind),
        "email": TO,
        "timestamp": 1764590000,
        "sg_event_id": "e",
        "url": URL,
    }
    more = {"hard": {"type": "bounce"}, "soft": {"type": "blocked"}, "rejected": {"reason": "Spam Content"}}
    return [{"reason": "said so", **told, "useragent": agent, "millrace": token, **more.get(kind, {})}]


def _sparkpost(kind: str, token: str, agent: str) -> Any:
    names = {
        "delivered": "delivery", "hard": "bounce", "soft": "bounce", "complained": "spam_complaint", "opened": "open",
        "clicked": "click", "unsubscribed": "link_unsubscribe", "deferred": "delay", "rejected": "policy_rejection",
    }  # fmt: skip
    told: dict[str, Any] = {
        "type": names[kind],
        "timestamp": "1764590000",
        "transmission_id": "11",
        "rcpt_to": TO,
    }
    if kind in {"hard", "soft", "rejected"}:
        told |= {
            "bounce_class": {"hard": "10", "soft": "22", "rejected": "51"}[kind],
            "raw_reason": "said so",
        }
    told |= {"rcpt_meta": {"millrace": token}, "user_agent": agent, "target_link_url": URL}
    return [{"msys": {"message_event": told}}]


def _amazon_ses(kind: str, token: str, agent: str) -> Any:
    names = {
        "delivered": "Delivery", "hard": "Bounce", "soft": "Bounce", "complained": "Complaint", "opened": "Open",
        "clicked": "Click", "rejected": "Reject", "deferred": "DeliveryDelay",
    }  # fmt: skip
    who = [{"emailAddress": TO, "diagnosticCode": "said so"}]
    about: dict[str, Any] = {
        "Delivery": {"recipients": [TO], "smtpResponse": "250 ok"},
        "Bounce": {
            "bounceType": "Permanent" if kind == "hard" else "Transient", "bounceSubType": "General",
            "bouncedRecipients": who,
        },
        "Complaint": {"complainedRecipients": who, "complaintFeedbackType": "abuse"},
        "Open": {"userAgent": agent}, "Click": {"userAgent": agent, "link": URL},
        "Reject": {"reason": "Bad content"}, "DeliveryDelay": {"delayType": "MailboxFull", "delayedRecipients": who},
    }  # fmt: skip
    headers = [{"name": "X-Metadata", "value": json.dumps({"millrace": token})}]
    mail = {"messageId": "1-000000", "destination": [TO], "headersTruncated": False, "headers": headers}
    name = names[kind]
    told = {"eventType": name, "mail": mail, name[0].lower() + name[1:]: about[name]}
    return sns.message(json.dumps(told))


_SHAPES: Mapping[str, Callable[[str, str, str], Any]] = {
    "amazon_ses": _amazon_ses, "brevo": _brevo, "mailgun": _mailgun, "mailjet": _mailjet, "postmark": _postmark,
    "sendgrid": _sendgrid, "sparkpost": _sparkpost,
}  # fmt: skip


def event_body(provider: str, kind: str, token: str, *, agent: str = PERSON) -> bytes:
    """Return the request's body."""
    return json.dumps(_SHAPES[provider](kind, token, agent)).encode()


def sent_by(provider: str, address: str, body: bytes) -> dict[str, str]:
    """Return the headers by which the provider shows who it is; the password stands in the address."""
    if provider == "amazon_ses":
        return sns.headers(body)
    if provider == "sendgrid":
        stamp = str(int(time.time()))
        signature = base64.b64encode(_EC.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
        return {
            "X-Twilio-Email-Event-Webhook-Signature": signature,
            "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
        }
    if "@" not in address:
        return {}
    password = address.split("://", 1)[1].split("@", 1)[0]
    return {"Authorization": "Basic " + base64.b64encode(password.encode()).decode()}
