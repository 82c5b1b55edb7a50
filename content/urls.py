"""Pages of content, below content/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from content.views import editor, library, links, sent

app_name = "content"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", library.emails, name="emails"),
    path("new/", library.new, name="new"),
    path("people/", editor.people, name="people"),
    path("preview/<str:key>/", editor.frame, name="frame"),
    path("<int:email_id>/", editor.edit, name="edit"),
    path("<int:email_id>/preview/", editor.preview, name="preview"),
    path("<int:email_id>/test/", editor.test, name="test"),
    path("<int:email_id>/tests/", editor.tests, name="tests"),
    path("<int:email_id>/copy/", library.copy, name="copy"),
    path("<int:email_id>/delete/", library.delete, name="delete"),
    path("messages/<int:contact_id>/<int:message_id>/", sent.message, name="message"),
    path("messages/<int:contact_id>/<int:message_id>/mail/", sent.message_frame, name="message_frame"),
    path("links/", links.links, name="links"),
    path("links/new/", links.new, name="link_new"),
    path("links/<int:link_id>/", links.edit, name="link"),
    path("links/<int:link_id>/clicks/", links.clicks, name="link_clicks"),
    path("links/<int:link_id>/reset/", links.reset, name="link_reset"),
    path("links/<int:link_id>/delete/", links.delete, name="link_delete"),
]
