"""The API: one for all rooms, each of which brings its operations as a router."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from accounts.api import Bearer, Problem, StrictParser, of_validation
from crm.api import router as crm_router
from participants.api import router as flows_router

api = NinjaAPI(
    title="Millrace",
    version="1",
    description="Post events, contacts and additions to flows. Keys are made in the settings. See docs/api.md.",
    auth=Bearer(),
    parser=StrictParser(),
    # The usual page of documentation loads its scripts from elsewhere.
    docs_url=None,
)
api.add_router("", crm_router)
api.add_router("", flows_router)


@api.exception_handler(Problem)
def problem(request: HttpRequest, error: Problem) -> HttpResponse:
    """Answer with the problem."""
    return error.response()


@api.exception_handler(ValidationError)
def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer with every value that is not as it should be."""
    return of_validation(error).response()


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what the framework refuses."""
    return Problem(error.status_code, str(error)).response()


@api.exception_handler(AuthenticationError)
def unauthorised(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """Answer who is not known."""
    return Problem(HTTPStatus.UNAUTHORIZED, "The API key is missing, unknown or revoked.").response()
