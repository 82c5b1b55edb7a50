"""Pages of delivery among the settings, below settings/connectors/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from delivery.views import connectors, domains, email, sending_rules, webhooks

app_name = "connectors"
urlpatterns: list[URLPattern | URLResolver] = [
    path("domains/", domains.domains, name="domains"),
    path("domains/<int:domain_id>/check/", domains.check, name="domain_check"),
    path("domains/<int:domain_id>/remove/", domains.remove, name="domain_remove"),
    path("email/", email.email, name="email"),
    path("email/<slug:key>/", email.provider, name="email_provider"),
    path("email-disconnect/", email.disconnect, name="email_disconnect"),
    path("email-test/", email.test, name="email_test"),
    path("sending/", sending_rules.sending, name="sending"),
    path("sms/", connectors.sms, name="sms"),
    path("sms/disconnect/", connectors.sms_disconnect, name="sms_disconnect"),
    path("sms/opt-outs/", connectors.sms_opt_outs, name="sms_opt_outs"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/signing-key/", webhooks.signing_key, name="signing_key"),
    path("webhooks/<int:secret_id>/delete/", webhooks.secret_delete, name="secret_delete"),
]
