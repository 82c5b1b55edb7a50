"""Every URL. Pages of a tenant live under /t/<slug>/; public pages carry their tenant in a signed token."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from accounts.views import errors
from accounts.views.front import front, set_theme
from accounts.views.invitation import invitation
from accounts.views.session import session, signed_in
from config.api import api
from content.views.recipients import short_link

tenant_pages: list[URLPattern | URLResolver] = [
    path("", include("accounts.urls")),
    path("", include("crm.urls")),
    path("content/", include("content.urls")),
    path("content/blocked-addresses/", include("delivery.urls")),
    path("settings/connectors/", include("delivery.settings_urls")),
    path("", include("flows.urls")),
    path("", include("participants.urls")),
    path("", include("reporting.urls")),
    path("trial/", include("trial.urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", front, name="front"),
    path("theme/", set_theme, name="set-theme"),
    path("session/", session, name="session"),
    path("signed-in/", signed_in, name="signed-in"),
    path("invitation/<str:token>/", invitation, name="invitation"),
    path("accounts/", include("allauth.urls")),
    path("mailbox/", include("trial.mailbox_urls")),
    path("api/v1/", api.urls),
    path("health/", include("core.urls")),
    path("f/", include("content.forms.urls")),
    path("i/", include("content.image_public_urls")),
    path("m/", include("content.public_urls")),
    path("m/", include("delivery.public_urls")),
    path("t/<slug:tenant>/", include(tenant_pages)),
    # The links of SMS, where each character counts: letters and digits alone, longer than any name above.
    re_path(r"^(?P<token>[0-9A-Za-z]{14,40})$", short_link, name="short_link"),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error
