"""The trial's caught SMS: one JSON line each, and a line for each change of status. Written by the sink alone.

Must not know HTTP, Twilio or the database.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import shutil
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class CaughtSms:
    """One SMS."""

    id: str
    account: str
    sender: str
    to: str
    text: str
    callback: str
    received_at: dt.datetime
    status: str = "queued"


class SmsBox:
    """The folder of caught SMS."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    @property
    def _index(self) -> Path:
        return self.folder / "sms.jsonl"

    def add(self, *, account: str, sender: str, to: str, text: str, callback: str) -> CaughtSms:
        """Keep an SMS."""
        caught = CaughtSms(
            id=f"SM{secrets.token_hex(16)}", account=account, sender=sender, to=to, text=text, callback=callback,
            received_at=dt.datetime.now(dt.UTC),
        )  # fmt: skip
        self._append({**asdict(caught), "received_at": caught.received_at.isoformat()})
        return caught

    def set_token(self, account: str, token: str) -> None:
        """Remember with which token an account signs in: callbacks are signed with it, also after a restart."""
        with self._lock:
            tokens = self._tokens()
            if tokens.get(account) != token:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._token_file.write_text(json.dumps({**tokens, account: token}))

    def token_of(self, account: str) -> str:
        """Return the account's token, empty where it never signed in."""
        return self._tokens().get(account, "")

    @property
    def _token_file(self) -> Path:
        return self.folder / "tokens.json"

    def _tokens(self) -> dict[str, str]:
        try:
            return dict(json.loads(self._token_file.read_text()))
        except (OSError, ValueError):
            return {}

    def set_status(self, sms_id: str, status: str) -> None:
        """Note what became of an SMS."""
        self._append({"id": sms_id, "status": status})

    def _append(self, line: dict[str, object]) -> None:
        with self._lock:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._index.open("a") as handle:
                handle.write(json.dumps(line) + "\n")

    def all(self, search: str = "") -> list[CaughtSms]:
        """Return the SMS whose number, sender or text holds the words, newest first."""
        found: dict[str, CaughtSms] = {}
        try:
            lines = self._index.read_text().splitlines()
        except OSError:
            return []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the sink was killed in mid-line
            if "to" in entry:
                received = dt.datetime.fromisoformat(entry.pop("received_at"))
                found[entry["id"]] = CaughtSms(received_at=received, **entry)
            elif entry["id"] in found:
                found[entry["id"]] = replace(found[entry["id"]], status=entry["status"])
        wanted = search.casefold().strip()
        kept = [sms for sms in found.values() if wanted in f"{sms.to} {sms.sender} {sms.text}".casefold()]
        return kept[::-1]

    def get(self, sms_id: str) -> CaughtSms | None:
        """Return one SMS; None if there is no such SMS."""
        return next((sms for sms in self.all() if sms.id == sms_id), None)

    def empty(self) -> None:
        """Throw all SMS away."""
        shutil.rmtree(self.folder, ignore_errors=True)
