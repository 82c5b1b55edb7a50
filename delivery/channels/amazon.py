"""Amazon SES by its own API (version 2): anymail's backend with boto3's client, speaking as the other providers do.

boto3 tries again by itself, looks for keys on the machine and names its errors; here it does none of the first two, and
its errors become the answers that the table of providers understands. Knows no rows.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import Any, Final

import requests
from anymail.backends.amazon_ses import AmazonSESBasePayload, AmazonSESV2SendEmailPayload, EmailBackend
from anymail.exceptions import AnymailAPIError, AnymailRequestsAPIError
from botocore import exceptions as boto
from botocore.config import Config
from botocore.session import Session

# What SES means by an error, as the statuses say it that other providers answer with.
_STATUSES: Final[Mapping[str, int]] = {
    "AccountSuspendedException": 402,
    "SendingPausedException": 402,
    "LimitExceededException": 429,
    "TooManyRequestsException": 429,
    # There is no such configuration set: nothing of this account goes before that is mended.
    "NotFoundException": 403,
}
# The request was certainly not made.
_NOT_MADE: Final = (
    boto.EndpointConnectionError,
    boto.ConnectTimeoutError,
    boto.ProxyConnectionError,
    boto.SSLError,
)
_making = threading.Lock()


class _AsItIs(AmazonSESV2SendEmailPayload):
    """The mail as it was put together, instead of one made anew of its parts."""

    def init_payload(self) -> None:
        """Begin without a mail of anymail's; what it would put into one (our token) stands in ours already."""
        AmazonSESBasePayload.init_payload(self)
        self.all_recipients: list[Any] = []
        self.mime_message = Message()

    def generate_raw_message(self) -> bytes:
        """Return the mail."""
        return bytes(self.message.assembled)


class SesBackend(EmailBackend):
    """anymail's backend with an account's own keys and nothing of the machine's; `api_url` is the region's."""

    client: Any

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        region: str,
        api_url: str,
        timeout: float,
        configuration_set: str = "",
    ) -> None:
        super().__init__(configuration_set_name=configuration_set or None)
        self._given = {
            "aws_access_key_id": access_key_id,
            "aws_secret_access_key": secret_access_key,
            "region_name": region,
            "endpoint_url": api_url,
        }
        # Never again by itself: a request that may have arrived is not made twice.
        self._config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )

    def open(self) -> bool:
        """Make the client; it opens its connection with the first mail."""
        if self.client is None:
            with _making:
                self.client = _session().create_client("sesv2", config=self._config, **self._given)
        return True

    def build_message_payload(self, message: Any, defaults: Any) -> _AsItIs:
        """Return what becomes the request."""
        return _AsItIs(message, defaults, self)

    def post_to_esp(self, payload: Any, message: Any) -> Any:
        """Hand over; raise AnymailRequestsAPIError, as the backends that speak HTTP themselves do."""
        try:
            return super().post_to_esp(payload, message)
        except AnymailAPIError as error:
            cause = error.__cause__
            told: dict[str, Any] = {"backend": self, "email_message": message, "payload": payload}
            if isinstance(cause, boto.ClientError):
                raise AnymailRequestsAPIError(str(cause), response=_answer(cause), **told) from cause
            if isinstance(cause, boto.ParamValidationError):
                raise
            reason = requests.ConnectTimeout if isinstance(cause, _NOT_MADE) else requests.ReadTimeout
            raise AnymailRequestsAPIError(str(cause), **told) from reason(str(cause))

    def parse_recipient_status(self, response: Any, payload: Any, message: Any) -> Any:
        """Read SES's yes; raise AnymailRequestsAPIError without an answer where it is none: it may have been taken."""
        try:
            return super().parse_recipient_status(response, payload, message)
        except AnymailAPIError as error:
            told: dict[str, Any] = {"backend": self, "email_message": message, "payload": payload}
            raise AnymailRequestsAPIError(str(error), **told) from error


@lru_cache(maxsize=1)
def _session() -> Session:
    """Return the session that all clients of this process are made by: it reads SES's description once.

    It reads no profile and no file of the machine; keys and address are given with each client.
    """
    nowhere = (None, None, None, None)
    return Session(session_vars={"profile": nowhere, "config_file": nowhere, "credentials_file": nowhere})


def _answer(error: boto.ClientError) -> requests.Response:
    """Return SES's refusal as an answer: what it calls the error, and its words."""
    told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    answer = requests.Response()
    code = str(told.get("Code", ""))
    answer.status_code = _STATUSES.get(code, int(meta.get("HTTPStatusCode") or 500))
    answer.headers.update({str(k): str(v) for k, v in meta.get("HTTPHeaders", {}).items()})
    answer._content = json.dumps({"code": code, "message": str(told.get("Message", ""))}).encode()
    answer.encoding = "utf-8"
    return answer
