"""The floor of `bench track`: the same server, settings and middleware, and a view that only redirects."""

from __future__ import annotations

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
settings.ROOT_URLCONF = __name__


def redirect(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """Lead on, whatever the token says."""
    return HttpResponseRedirect("https://www.bench.test/")


urlpatterns = [path("m/c/<str:token>/<int:number>", redirect)]
application = get_wsgi_application()
