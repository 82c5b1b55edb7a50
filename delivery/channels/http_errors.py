"""What a request that failed, or an answer that is no yes, says. Shared by the channels that speak HTTP."""

from __future__ import annotations

from typing import Any, Final

import requests

# Where APIs put what people are to read, in the order of how much it says.
_TOLD: Final = ("ErrorMessage", "message", "Message", "description", "error", "reason", "detail")
_DEEP: Final = 6


def never_connected(error: requests.RequestException) -> bool:
    """Say whether the request certainly was not made. A read that failed says nothing."""
    if isinstance(
        error, (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    ):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}


def words_of(answer: requests.Response) -> str:
    """Return an answer in one line: its status and what its JSON or plain text says to people, no markup, no braces."""
    text = answer.text.strip()
    try:
        words = _found(answer.json(), _DEEP)
    except (ValueError, RecursionError):
        words = "" if text.startswith("<") else text
    return f"{answer.status_code} {' '.join(words.split())}".strip()[:400]


def _found(told: Any, deep: int) -> str:
    """Return the first words of a JSON value, best names first, then whatever lies deeper."""
    if isinstance(told, str) or not deep:
        return told if isinstance(told, str) else ""
    if isinstance(told, dict):
        told = [
            *(told[name] for name in _TOLD if told.get(name)),
            *(v for v in told.values() if not isinstance(v, str)),
        ]
    return (
        next((words for one in told if (words := _found(one, deep - 1))), "")
        if isinstance(told, list)
        else ""
    )
