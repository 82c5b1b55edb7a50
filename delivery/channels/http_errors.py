"""What a request that failed says about whether it was made. Shared by the channels that speak HTTP."""

from __future__ import annotations

import requests


def never_connected(error: requests.RequestException) -> bool:
    """Say whether the request certainly was not made. A read that failed says nothing."""
    if isinstance(
        error, (requests.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    ):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"}
