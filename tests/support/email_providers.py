"""A server that stands in for the email providers' APIs: it takes and refuses mails as each of them does.

Keys other than KEY are refused; addresses that begin with `bad` are no good, senders that begin with `stranger` are not
allowed. `answers` gives (status, body, headers) for a recipient instead; `hang` ends the connection unanswered.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parseaddr
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

KEY = "a-key-of-the-provider"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
Answer = tuple[int, Any, Mapping[str, str]]


@dataclass(frozen=True)
class Taken:
    """A mail as the provider understood it. `raw` is the request's body, or its form fields."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    reply_to: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]
    attachments: list[tuple[str, bytes]]
    raw: Any
    path: str


@dataclass
class EmailProviders:
    """The server; `mails` are what was taken, `asked` counts all requests."""

    mails: list[Taken] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    hang: set[str] = field(default_factory=set)
    # What stands at an address for whoever gets it, and what was got.
    pages: dict[str, bytes] = field(default_factory=dict)
    got: list[str] = field(default_factory=list)
    asked: int = 0
    most_at_once: int = 0
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    slow: Callable[[], object] | None = None
    _now: int = 0

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer one request; None hangs up after it was taken."""
        with self.lock:
            self.asked += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            if self.slow:
                self.slow()
            return self._answer(path, headers, body)
        finally:
            with self.lock:
                self._now -= 1

    def _answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        kind = next(kind for kind in _KINDS if kind.path in path)
        if not kind.signed_in(headers, path, body):
            return kind.bad_key
        mail = kind.read(path, headers, body)
        if mail.to in self.answers:
            return self.answers[mail.to]
        if mail.to.startswith("bad"):
            return (*kind.bad_recipient, {})
        if mail.sender.startswith("stranger"):
            return (*kind.bad_sender, {})
        with self.lock:
            self.mails.append(mail)
            number = len(self.mails)
        return None if mail.to in self.hang else (*kind.taken(mail, number), {})


@dataclass(frozen=True)
class _Kind:
    path: str
    signed_in: Callable[[Mapping[str, str], str, bytes], bool]
    read: Callable[[str, Mapping[str, str], bytes], Taken]
    taken: Callable[[Taken, int], tuple[int, Any]]
    bad_recipient: tuple[int, Any]
    bad_sender: tuple[int, Any]
    bad_key: Answer = (401, {"message": "Invalid credentials", "ErrorCode": 10}, {})


SignedIn = Callable[[Mapping[str, str], str, bytes], bool]


def _basic(user: str) -> SignedIn:
    wanted = "Basic " + base64.b64encode(f"{user}:{KEY}".encode()).decode()
    return lambda headers, path, body: headers.get("Authorization") == wanted


def _header(name: str, before: str = "") -> SignedIn:
    return lambda headers, path, body: headers.get(name) == f"{before}{KEY}"


def _aws(headers: Mapping[str, str], path: str, body: bytes) -> bool:
    """Sign the request once more with the right key, as AWS's "Signature Version 4" says, and compare."""
    told = dict(re.findall(r"(\w+)=([^, ]+)", headers.get("Authorization", "")))
    user, scope = told["Credential"].split("/", 1)
    lower = {name.lower(): value for name, value in headers.items()}
    signed = "".join(f"{name}:{lower[name].strip()}\n" for name in told["SignedHeaders"].split(";"))
    whole = ["POST", path, "", signed, told["SignedHeaders"], hashlib.sha256(body).hexdigest()]
    digest = hashlib.sha256("\n".join(whole).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", lower["x-amz-date"], scope, digest])
    key = f"AWS4{KEY}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return bool(
        user == ACCESS_KEY_ID and hmac.digest(key, text.encode(), "sha256").hex() == told["Signature"]
    )


def _amazon(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    raw = json.loads(body)
    mail: Any = email.message_from_bytes(
        base64.b64decode(raw["Content"]["Raw"]["Data"]), policy=email.policy.default
    )
    texts = {
        kind: mail.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip("\n")
        for kind in ("plain", "html")
    }
    files = [(part.get_filename(), part.get_payload(decode=True)) for part in mail.iter_attachments()]
    own = {name: str(value) for name, value in mail.items()}
    [to] = raw["Destination"]["ToAddresses"]
    return Taken(
        parseaddr(own["From"])[1], to, own["Subject"], texts["plain"], texts["html"],
        parseaddr(own.get("Reply-To", ""))[1], own, json.loads(own.get("X-Metadata", "{}")), files, raw, path,
    )  # fmt: skip


def _aws_error(status: int, kind: str, words: str) -> Answer:
    return (
        status,
        {"message": words},
        {"x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazonaws/"},
    )


def _brevo(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    d = json.loads(body)
    own = dict(d.get("headers", {}))
    metadata = json.loads(own.pop("X-Mailin-custom", "{}"))
    files = [(a["name"], base64.b64decode(a["content"])) for a in d.get("attachment", [])]
    return Taken(
        d["sender"]["email"], d["to"][0]["email"], d["subject"], d["textContent"], d["htmlContent"],
        d.get("replyTo", {}).get("email", ""), own, metadata, files, d, path,
    )  # fmt: skip


def _mailgun(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    kind = headers.get("Content-Type", "")
    files: list[tuple[str, bytes]] = []
    d: dict[str, str] = {}
    if kind.startswith("multipart/"):
        whole = f"Content-Type: {kind}\r\n\r\n".encode() + body
        parts: Any = email.message_from_bytes(whole, policy=email.policy.HTTP)
        for part in parts.iter_parts():
            name, content = (
                part.get_param("name", header="content-disposition"),
                part.get_payload(decode=True),
            )
            if part.get_filename():
                files.append((part.get_filename(), content))
            else:
                d[name] = content.decode()
    else:
        d = dict(parse_qsl(body.decode()))
    own = {name[2:]: value for name, value in d.items() if name.startswith("h:")}
    metadata = {name[2:]: value for name, value in d.items() if name.startswith("v:")}
    return Taken(
        parseaddr(d["from"])[1], parseaddr(d["to"])[1], d["subject"], d["text"], d["html"],
        parseaddr(own.pop("Reply-To", ""))[1], own, metadata, files, d, path,
    )  # fmt: skip


def _mailjet(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    raw = json.loads(body)
    d, [message] = raw["Globals"], raw["Messages"]
    files = [(a["Filename"], base64.b64decode(a["Base64Content"])) for a in d.get("Attachments", [])]
    return Taken(
        d["From"]["Email"], message["To"][0]["Email"], d["Subject"], d["TextPart"], d["HTMLPart"],
        d.get("ReplyTo", {}).get("Email", ""), d.get("Headers", {}), json.loads(d.get("EventPayload", "{}")), files,
        raw, path,
    )  # fmt: skip


def _postmark(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    d = json.loads(body)
    own = {h["Name"]: h["Value"] for h in d.get("Headers", [])}
    files = [(a["Name"], base64.b64decode(a["Content"])) for a in d.get("Attachments", [])]
    return Taken(
        parseaddr(d["From"])[1], parseaddr(d["To"])[1], d["Subject"], d["TextBody"], d["HtmlBody"],
        parseaddr(d.get("ReplyTo", ""))[1], own, d.get("Metadata", {}), files, d, path,
    )  # fmt: skip


def _sendgrid(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    d = json.loads(body)
    content = {part["type"]: part["value"] for part in d["content"]}
    files = [(a["filename"], base64.b64decode(a["content"])) for a in d.get("attachments", [])]
    return Taken(
        d["from"]["email"], d["personalizations"][0]["to"][0]["email"],
        d.get("subject") or d["personalizations"][0]["subject"], content["text/plain"], content["text/html"],
        d.get("reply_to", {}).get("email", "") or next((r["email"] for r in d.get("reply_to_list", [])), ""),
        d.get("headers", {}), d.get("custom_args", {}) | d["personalizations"][0].get("custom_args", {}), files, d,
        path,
    )  # fmt: skip


def _sparkpost(path: str, headers: Mapping[str, str], body: bytes) -> Taken:
    raw = json.loads(body)
    d = raw["content"]
    sender = d["from"]["email"] if isinstance(d["from"], dict) else parseaddr(d["from"])[1]
    files = [(a["name"], base64.b64decode(a["data"])) for a in d.get("attachments", [])]
    return Taken(
        sender, raw["recipients"][0]["address"]["email"], d["subject"], d["text"], d["html"],
        parseaddr(d.get("reply_to", ""))[1], d.get("headers", {}), raw.get("metadata", {}), files, raw, path,
    )  # fmt: skip


def _mailjet_error(code: str, status: int, words: str, about: str) -> tuple[int, Any]:
    error = {"ErrorCode": code, "StatusCode": status, "ErrorMessage": words, "ErrorRelatedTo": [about]}
    return status, {"Messages": [{"Status": "error", "Errors": [error]}]}


_KINDS = (
    _Kind(
        "/v2/email/outbound-emails", _aws, _amazon,
        lambda mail, n: (200, {"MessageId": f"0102{n:032x}-000000"}),
        _aws_error(400, "BadRequestException", "Missing final '@domain'")[:2],
        (400, {"__type": "MessageRejected", "message": "Email address is not verified. The following identities failed "
               "the check in region EU-WEST-1: stranger@acme.test"}),
        _aws_error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature "
                   "you provided."),
    ),
    _Kind(
        "/v3/smtp/email", _header("api-key"), _brevo,
        lambda mail, n: (201, {"messageId": f"<{n}.1@smtp-relay.mailin.fr>"}),
        (400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
        (400, {"code": "invalid_parameter", "message": "Sending has been rejected because the sender you used "
               "stranger@acme.test is not valid. Validate your sender or authenticate your domain"}),
    ),
    _Kind(
        "/messages", _basic("api"), _mailgun,
        lambda mail, n: (200, {"id": f"<{n}.1@acme.test>", "message": "Queued. Thank you."}),
        (400, {"message": "to parameter is not a valid address. please check documentation"}),
        (400, {"message": "from parameter is not a valid address. please check documentation"}),
    ),
    _Kind(
        "/v3.1/send", _basic("public"), _mailjet,
        lambda mail, n: (200, {"Messages": [{"Status": "success", "To": [{"Email": mail.to, "MessageID": n}]}]}),
        _mailjet_error("mj-0013", 400, '"bad" is an invalid email address.', "To[0].Email"),
        _mailjet_error("send-0008", 403, "This is not an authorized sender email address for your account.", "From"),
    ),
    _Kind(
        "/email", _header("X-Postmark-Server-Token"), _postmark,
        lambda mail, n: (200, {"To": mail.to, "MessageID": f"id-{n}", "ErrorCode": 0, "Message": "OK"}),
        (422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'bad@post.test'."}),
        (422, {"ErrorCode": 400, "Message": "The 'From' address you supplied is not a Sender Signature."}),
    ),
    _Kind(
        "/mail/send", _header("Authorization", "Bearer "), _sendgrid,
        lambda mail, n: (202, None),
        (400, {"errors": [{"message": "Does not contain a valid address.", "field": "personalizations.0.to.0.email"}]}),
        (403, {"errors": [{"message": "The from address does not match a verified Sender Identity.",
                           "field": "from"}]}),
    ),
    _Kind(
        "/transmissions", _header("Authorization"), _sparkpost,
        lambda mail, n: (200, {"results": {"total_rejected_recipients": 0, "total_accepted_recipients": 1,
                                           "id": f"1{n}"}}),
        (400, {"errors": [{"message": "At least one valid recipient is required", "code": "5001"}]}),
        (400, {"errors": [{"message": "Invalid domain", "description": "Unconfigured Sending Domain <acme.test>",
                           "code": "7001"}]}),
    ),
)  # fmt: skip


def _handler(providers: EmailProviders) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = providers.take(self.path, dict(self.headers), body)
            if answer is None:
                self.close_connection = True
                return
            status, told, headers = answer
            data = (
                b"" if told is None else told.encode() if isinstance(told, str) else json.dumps(told).encode()
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            providers.got.append(self.path)
            page = providers.pages.get(self.path.partition("?")[0])
            self.send_response(200 if page is not None else 404)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            """Say nothing."""

    return Handler


@contextmanager
def email_providers() -> Iterator[EmailProviders]:
    """Run the server."""
    providers = EmailProviders()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(providers))
    server.daemon_threads = True
    providers.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield providers
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
