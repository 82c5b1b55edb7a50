"""The Twilio of the trial and of tests: takes every SMS, delivers none, keeps all, and tells what became of them.

`python -m trial.sms_sink --port N`. It speaks as much of Twilio's API as sending needs, signs its callbacks with the
token that the account signed in with, and hands in replies. The last digits of a number say what happens to it:
see REFUSED and LOST. Must not know Django.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import signal
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.etree import ElementTree

from twilio.request_validator import RequestValidator

from config.embedded.home import Home
from trial.sms_box import SmsBox

# Last digits of a number: HTTP status, Twilio's code and words when it is refused at once.
REFUSED: Mapping[str, tuple[int, int, str]] = {
    "001": (400, 21211, "The 'To' number is not a valid phone number."),
    "002": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "004": (429, 20429, "Too many requests"),
    "005": (503, 20503, "Service unavailable"),
}
# …and the last status with its error code when it is taken and lost afterwards.
LOST: Mapping[str, tuple[str, int]] = {"003": ("undelivered", 30003), "006": ("undelivered", 30006)}
MOST_BYTES = 100_000
Post = Callable[[str, Mapping[str, str], str], str]


@dataclass(frozen=True)
class Account:
    """Whoever signed in with a request."""

    sid: str
    token: str


def _messages_in(answer: str) -> list[str]:
    """Return the texts that Twilio would send for an answer in its markup."""
    try:
        root = ElementTree.fromstring(answer)  # noqa: S314 - Millrace's own
    except ElementTree.ParseError:
        return []
    return [found.text for found in root.iter("Message") if found.text]


def post_callback(address: str, fields: Mapping[str, str], signature: str) -> str:
    """Post a signed callback and return what is answered; one that fails is forgotten, as a trial may."""
    data = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(address, data=data, headers={"X-Twilio-Signature": signature})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return str(answer.read(MOST_BYTES).decode())
    except (urllib.error.URLError, OSError):
        return ""


class SmsServer(ThreadingHTTPServer):
    """The server; `post` is how its callbacks leave."""

    daemon_threads = True
    disable_nagle_algorithm = True

    def __init__(self, box: SmsBox, *, port: int = 0, post: Post = post_callback) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.box, self.post = box, post

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, account: Account, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Take or refuse one SMS; return the HTTP status and the answer."""
        self.box.set_token(account.sid, account.token)
        to, sender = form.get("To", ""), form.get("From") or form.get("MessagingServiceSid", "")
        if to[-3:] in REFUSED:
            status, code, words = REFUSED[to[-3:]]
            return status, {"code": code, "message": words, "status": status}
        if not form.get("Body"):
            return 400, {"code": 21602, "message": "Message body is required.", "status": 400}
        callback = form.get("StatusCallback", "")
        kept = self.box.add(account=account.sid, sender=sender, to=to, text=form["Body"], callback=callback)
        if callback:
            steps = [("sent", 0), LOST.get(to[-3:], ("delivered", 0))]
            threading.Thread(
                target=self._tell, args=(account, kept.id, to, callback, steps), daemon=True
            ).start()
        return 201, {
            "sid": kept.id, "status": "queued", "to": to, "from": sender, "body": form["Body"], "error_code": None
        }  # fmt: skip

    def _tell(self, account: Account, sid: str, to: str, callback: str, steps: list[tuple[str, int]]) -> None:
        for status, code in steps:
            self.box.set_status(sid, status if not code else f"{status} {code}")
            fields = {"AccountSid": account.sid, "MessageSid": sid, "MessageStatus": status, "To": to}
            if code:
                fields["ErrorCode"] = str(code)
            self.post(callback, fields, sign(account.token, callback, fields))

    def reply(self, sid: str, text: str, address: str) -> bool:
        """Hand in what the recipient of an SMS answers; say whether that can be done."""
        kept = self.box.get(sid)
        token = self.box.token_of(kept.account) if kept else ""
        if kept is None or not token:
            return False
        fields = {"AccountSid": kept.account, "From": kept.to, "To": kept.sender, "Body": text}
        answer = self.post(address, fields, sign(token, address, fields))
        for told in _messages_in(answer):
            answered = self.box.add(
                account=kept.account, sender=kept.sender, to=kept.to, text=told, callback=""
            )
            self.box.set_status(answered.id, "delivered")
        return True


def sign(token: str, address: str, fields: Mapping[str, str]) -> str:
    """Return the signature that Twilio would put on a request."""
    return str(RequestValidator(token).compute_signature(address, dict(fields)))


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: SmsServer
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """Take an SMS, or the trial's own request to reply to one."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            self._answer(413, {})
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        if self.path == "/reply":
            done = self.server.reply(form.get("sid", ""), form.get("text", ""), form.get("address", ""))
            self._answer(200 if done else 404, {})
            return
        account = self._account()
        if account is None or self.path != f"/2010-04-01/Accounts/{account.sid}/Messages.json":
            self._answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
            return
        self._answer(*self.server.take(account, form))

    def _account(self) -> Account | None:
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            sid, _, token = base64.b64decode(given).decode().partition(":")
        except ValueError:
            return None
        return Account(sid, token) if kind == "Basic" and sid and token else None

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def main() -> int:
    """Run the server; 1 if the port is taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    try:
        server = SmsServer(SmsBox(Home.open().path / "sms"), port=options.port)
    except OSError as error:
        sys.stderr.write(f"Millrace: port {options.port} cannot be used for SMS: {error.strerror}\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
