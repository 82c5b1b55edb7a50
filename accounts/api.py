"""What every operation of the API shares: the key that opens the tenant's scope, and problems as answers (RFC 9457).

An operation is wrapped by `keyed(scope)`: it finds the key before the first query in the tenant, limits how often it is
used, and opens the scope with one transaction, which an answer of 400 and more rolls back.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja.errors import ValidationError
from ninja.parser import Parser
from ninja.security import HttpBearer

from accounts.audit import acting_from
from accounts.middleware import BUSY, client_ip, limit_waiting
from accounts.models import ApiKey
from accounts.operations.api_keys import KeyUse, find_api_key, note_use
from core import clock
from core.limits import within_limit
from core.tenancy import tenant_scope

MINUTE = 60
Operation = Callable[..., HttpResponse]


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is no success. `errors` are (JSON pointer, what is wrong there)."""

    status: int
    detail: str
    errors: Sequence[tuple[str, str]] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> HttpResponse:
        """Return it as application/problem+json."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [{"pointer": pointer, "detail": detail} for pointer, detail in self.errors]
        return JsonResponse(
            body, status=self.status, content_type="application/problem+json", headers=dict(self.headers)
        )


class Bearer(HttpBearer):
    """Says in the OpenAPI description how one signs in; `keyed` has looked at the key by then."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """Return the key that `keyed` has found."""
        return getattr(request, "api_key", None)


class StrictParser(Parser):
    """JSON as PostgreSQL keeps it: no NaN, no infinity, nothing nested without end."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the body; what it raises is answered as 400."""
        return json.loads(request.body, parse_constant=_refuse_constant)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)


def keyed(scope: ApiKey.Scope) -> Callable[[Operation], Operation]:
    """Let an operation run in the scope of the request's key, if that key may."""

    def wrap(operation: Operation) -> Operation:
        @functools.wraps(operation)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                use = _whose(request)
                with acting_from(client_ip(request)), structlog.contextvars.bound_contextvars(key=use.key_id):
                    request.api_key = _checked(use, scope)  # type: ignore[attr-defined]
                    return _in_scope(use, lambda: operation(request, *args, **kwargs))
            except Problem as problem:
                return problem.response()

        return run

    return wrap


def _whose(request: HttpRequest) -> KeyUse:
    word, _, secret = request.headers.get("Authorization", "").partition(" ")
    use = find_api_key(secret.strip()) if word.lower() == "bearer" else None
    if use is None:
        raise _unknown_key()
    try:
        _ = request.body
    except RequestDataTooBig:
        text = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,} bytes."
        raise Problem(413, text) from None
    return use


def _unknown_key() -> Problem:
    return Problem(
        401, "The API key is missing, unknown or revoked.", headers=(("WWW-Authenticate", "Bearer"),)
    )


def _checked(use: KeyUse, scope: ApiKey.Scope) -> ApiKey:
    """In a transaction of its own: what the key's row is told must not wait for a long request's end."""
    now = clock.now()
    if not within_limit(f"api:{use.key_id}", most=settings.API_RATE, seconds=MINUTE):
        text = f"More than {settings.API_RATE:,} requests in a minute."
        raise Problem(429, text, headers=(("Retry-After", str(MINUTE)),))
    with tenant_scope(use.tenant_id):
        key = note_use(key_id=use.key_id, now=now)
    if key is None:
        raise _unknown_key()
    if scope not in key.scopes:
        raise Problem(403, f"This key may not: {scope.label.lower()}.")
    return key


def _in_scope(use: KeyUse, operation: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        with tenant_scope(use.tenant_id, first=limit_waiting):
            response = operation()
            if response.status_code >= HTTPStatus.BAD_REQUEST:
                transaction.set_rollback(True)
            return response
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) not in BUSY:
            raise
        raise Problem(409, "Somebody else is at work on the same rows: try again.") from error


def of_validation(error: ValidationError) -> Problem:
    """Return what is wrong with a request's values, each by its JSON pointer in the body."""
    errors = []
    for one in error.errors:
        # ("body", <the parameter's name>, …): the rest is the way through the body.
        place = [str(part) for part in one["loc"]]
        inside = place[2:] if place[:1] == ["body"] else place[1:]
        errors.append(("/" + "/".join(inside), str(one["msg"])))
    return Problem(422, "Some values are not as they should be.", errors=errors[:100])
